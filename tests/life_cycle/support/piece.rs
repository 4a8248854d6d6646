//! The module's output in pieces, so that a fault can strike between any two of them.

/// The part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Prompt,
    /// Information lines and the final result.
    Final,
    /// The `+CMQTT…` result URC behind `OK`.
    Result,
    /// An unsolicited line.
    Urc,
}

/// One piece of the module's output, named by the command that it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub command: String,
    pub stage: Stage,
}

/// Happens on the module when the piece goes out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Effect {
    #[default]
    None,
    Start,
    Connect {
        client: usize,
        address: String,
    },
    Subscribe {
        client: usize,
        topic: Vec<u8>,
        qos: u8,
    },
    Publish {
        client: usize,
        qos: u8,
        dup: bool,
    },
}

#[derive(Clone, Debug)]
pub struct Piece {
    pub step: Step,
    pub bytes: Vec<u8>,
    pub effect: Effect,
}

impl Piece {
    pub fn new(command: &str, stage: Stage, lines: &[&str]) -> Self {
        let bytes = lines.iter().flat_map(|line| format!("\r\n{line}\r\n").into_bytes()).collect();
        Self { step: Step { command: command.to_owned(), stage }, bytes, effect: Effect::None }
    }

    pub fn with(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }
}
