//! The module's side of a publish in all known forms of firmware, with other output in the gaps.

use super::ScriptedModule;

#[derive(Clone, Copy, Debug)]
pub struct Firmware {
    pub echo: bool,
    pub data_echo: bool,
    pub prompt: &'static str,
}

/// Gaps between the elements of an answer, where other output can come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    BeforeEcho,
    BeforeAnswer,
    AfterPrompt,
    AfterData,
    AfterOk,
    AfterResult,
}

impl Gap {
    pub const ALL: [Self; 6] = [
        Self::BeforeEcho,
        Self::BeforeAnswer,
        Self::AfterPrompt,
        Self::AfterData,
        Self::AfterOk,
        Self::AfterResult,
    ];
}

impl Firmware {
    pub const PROMPTS: [&'static str; 3] = ["\r\n>", "\r\n> ", "\r\n>\r\n"];

    /// Returns every combination of echo, data echo and prompt.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for prompt in Self::PROMPTS {
            for (echo, data_echo) in [(false, false), (false, true), (true, false), (true, true)] {
                all.push(Self { echo, data_echo, prompt });
            }
        }
        all
    }

    /// Plays a publish of client 0, with the output of `between` in each gap.
    pub fn play_publish(
        self,
        module: &mut ScriptedModule,
        topic: &[u8],
        payload: &[u8],
        between: &dyn Fn(Gap) -> Vec<u8>,
    ) {
        self.play_entry(module, &format!("AT+CMQTTTOPIC=0,{}", topic.len()), topic, between);
        if !payload.is_empty() {
            self.play_entry(module, &format!("AT+CMQTTPAYLOAD=0,{}", payload.len()), payload, between);
        }
        self.play_command(module, "AT+CMQTTPUB=0,1,60", between);
        module.send(b"\r\nOK\r\n");
        module.send(between(Gap::AfterOk));
        module.send(b"\r\n+CMQTTPUB: 0,0\r\n");
        module.send(between(Gap::AfterResult));
    }

    pub fn play_entry(
        self,
        module: &mut ScriptedModule,
        line: &str,
        data: &[u8],
        between: &dyn Fn(Gap) -> Vec<u8>,
    ) {
        self.play_command(module, line, between);
        module.send(self.prompt);
        // A block that began before the prompt delays the data until its end.
        module.send(between(Gap::AfterPrompt));
        module.expect_data(data);
        if self.data_echo {
            module.send(data);
        }
        module.send(between(Gap::AfterData));
        module.send(b"\r\nOK\r\n");
    }

    fn play_command(self, module: &mut ScriptedModule, line: &str, between: &dyn Fn(Gap) -> Vec<u8>) {
        module.expect_line(line);
        module.send(between(Gap::BeforeEcho));
        if self.echo {
            module.send(format!("{line}\r"));
        }
        module.send(between(Gap::BeforeAnswer));
    }
}
