//! Random messages, commands and URCs, interleaved and cut at random: every message arrives once, in order and
//! unchanged, and every command gets its own answer.

use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{
    Block, Firmware, Readable, Reads, ScriptedModule, Spacing, awkward_payloads, publish, then,
};

#[derive(Clone, Debug)]
enum Action {
    Message { client: u8, topic: Readable, payload: Readable },
    Publish { client: u8, payload: Readable, code: u16, refused_at_once: bool },
    Ask,
    Urc(&'static str),
}

#[derive(Clone, Debug)]
struct Session {
    firmware: Firmware,
    spacing: Spacing,
    part_size: usize,
    actions: Vec<Action>,
    /// Choices of the element that comes next.
    choices: Vec<u8>,
    reads: Vec<usize>,
}

fn bytes() -> impl Strategy<Value = Readable> {
    let tokens = prop::sample::select(vec![
        &b"\r\n"[..],
        b"\r",
        b"\n",
        b">",
        b"OK",
        b"ERROR",
        b"+CMQTTRXEND: 0",
        b"+CMQTTRXSTART: 0,1,1",
        b"+CMQTTPUB: 0,0",
        b"x",
        b" ",
    ]);
    prop_oneof![
        prop::sample::select(awkward_payloads()),
        vec(any::<u8>(), 1..40),
        vec(tokens, 1..8).prop_map(|tokens| tokens.concat()),
    ]
    .prop_map(Readable)
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => (0..2_u8, bytes(), bytes())
            .prop_map(|(client, topic, payload)| Action::Message { client, topic, payload }),
        1 => (0..2_u8, bytes()).prop_map(|(client, topic)| Action::Message { client, topic, payload: Readable(Vec::new()) }),
        3 => (0..2_u8, bytes(), prop::sample::select(vec![0, 0, 6, 11, 17]), any::<bool>()).prop_map(
            |(client, payload, code, refused_at_once)| Action::Publish { client, payload, code, refused_at_once }
        ),
        2 => Just(Action::Ask),
        2 => prop::sample::select(vec!["+CGEV: ME DETACH", "SMS DONE", "+UNHEARD: \"of\"", "PB DONE"]).prop_map(Action::Urc),
    ]
}

fn session() -> impl Strategy<Value = Session> {
    (
        prop::sample::select(Firmware::all()),
        prop::sample::select(Spacing::all()),
        1..40_usize,
        vec(action(), 1..12),
        vec(any::<u8>(), 1..60),
        vec(1..50_usize, 1..8),
    )
        .prop_map(|(firmware, spacing, part_size, actions, choices, reads)| Session {
            firmware,
            spacing,
            part_size,
            actions: actions.into_iter().map(|action| unambiguous(action, firmware)).collect(),
            choices,
            reads,
        })
}

/// Removes the ambiguous case: the echo of an end of a message where the end of a message is due.
fn unambiguous(action: Action, firmware: Firmware) -> Action {
    match action {
        Action::Publish { client, payload, code, refused_at_once }
            if firmware.data_echo && memchr::memmem::find(&payload.0, b"+CMQTTRXEND").is_some() =>
        {
            Action::Publish { client, payload: Readable(b"plain".to_vec()), code, refused_at_once }
        }
        action => action,
    }
}

/// A module that has accepted commands, and sends these elements, each strand in order.
#[derive(Default)]
struct Module {
    answers: VecDeque<Vec<u8>>,
    results: [VecDeque<Vec<u8>>; 2],
    messages: VecDeque<Vec<u8>>,
    urcs: VecDeque<Vec<u8>>,
    received: Vec<u8>,
    data_owed: usize,
    /// Result code of each client in order, and true if it is refused before `OK`.
    codes: [VecDeque<(u16, bool)>; 2],
    asked: usize,
}

impl Module {
    fn take(&mut self, written: &[u8], firmware: Firmware) {
        for &byte in written {
            self.received.push(byte);
            if self.data_owed > 0 {
                self.data_owed -= 1;
                if self.data_owed == 0 {
                    let data = std::mem::take(&mut self.received);
                    self.answers.extend(firmware.data_echo.then_some(data));
                    self.answers.push_back(then(&["OK"]));
                }
            } else if byte == b'\r' {
                let line = std::mem::take(&mut self.received);
                let line = String::from_utf8(line).unwrap().trim_end().to_owned();
                self.obey(&line, firmware);
            }
        }
    }

    fn obey(&mut self, line: &str, firmware: Firmware) {
        if firmware.echo {
            self.answers.push_back(format!("{line}\r").into_bytes());
        }
        let numbers: Vec<usize> =
            line.split(['=', ',']).skip(1).map(|number| number.parse().unwrap()).collect();
        if line.starts_with("AT+CMQTTTOPIC") || line.starts_with("AT+CMQTTPAYLOAD") {
            self.data_owed = numbers[1];
            self.answers.push_back(firmware.prompt.as_bytes().to_vec());
        } else if line.starts_with("AT+CMQTTPUB") {
            let client = numbers[0];
            let (code, refused_at_once) = self.codes[client].pop_front().expect("a publish");
            let result = then(&[&format!("+CMQTTPUB: {client},{code}")]);
            if code != 0 && refused_at_once {
                self.answers.extend([result, then(&["ERROR"])]);
            } else {
                self.answers.push_back(then(&["OK"]));
                self.results[client].push_back(result);
            }
        } else if line == "AT+CSQ" {
            self.answers.push_back(then(&[&format!("+CSQ: {},0", self.asked), "OK"]));
            self.asked += 1;
        } else {
            panic!("unexpected command: {line}");
        }
    }

    /// Returns the next element of a strand that has one. A result comes only after its `OK`.
    fn next(&mut self, choice: u8) -> Option<Vec<u8>> {
        let mut strands = Vec::new();
        let [first, second] = &mut self.results;
        if self.answers.is_empty() {
            strands.extend([first, second].into_iter().filter(|strand| !strand.is_empty()));
        }
        // Only a whole line can come between an echo or a prompt and its continuation.
        strands.extend(
            [&mut self.answers, &mut self.messages, &mut self.urcs]
                .into_iter()
                .filter(|strand| !strand.is_empty()),
        );
        let count = strands.len();
        strands.get_mut(usize::from(choice) % count.max(1))?.pop_front()
    }
}

fn play(session: &Session) {
    let mut driver = ScriptedModule::reading(Reads::Pieces(session.reads.clone()));
    let mut module = Module::default();
    // Shows the layout, without which some payloads are ambiguous.
    let first = Block::new(0, "a", "first").spaced(session.spacing);
    driver.send(first.bytes());
    let mut sent = vec![first.message()];
    let mut urcs = Vec::new();
    for (id, action) in (0_u64..).zip(&session.actions) {
        match action {
            Action::Message { client, topic, payload } => {
                let block = Block::new(*client, &topic.0, &payload.0)
                    .spaced(session.spacing)
                    .in_parts_of(session.part_size);
                module.messages.extend(block.pieces());
                sent.push(block.message());
            }
            Action::Publish { client, payload, code, refused_at_once } => {
                // An echo of white space between the parts of a message is equal to a blank line.
                let blank = session.firmware.data_echo && payload.0.trim_ascii().is_empty();
                let payload = if blank { Readable(b"x".to_vec()) } else { payload.clone() };
                module.codes[usize::from(*client)].push_back((*code, *refused_at_once));
                driver.submit(id, publish(*client, b"t/1", &payload.0));
            }
            Action::Ask => driver.run(id, "AT+CSQ"),
            Action::Urc(line) => {
                module.urcs.push_back(then(&[line]));
                urcs.push((*line).to_owned());
            }
        }
    }
    let mut choices = session.choices.iter().cycle();
    let mut idle = 0;
    while idle < 3 {
        module.take(&driver.take_written(), session.firmware);
        let Some(element) = module.next(*choices.next().unwrap()) else {
            // An answer that looks like an echo is accepted after a delay.
            driver.wait_ms(310);
            idle += 1;
            continue;
        };
        idle = 0;
        driver.send(element);
    }

    assert_eq!(driver.messages(), sent);
    let mut asked = 0;
    for (id, action) in (0_u64..).zip(&session.actions) {
        match action {
            Action::Publish { code: 0, .. } => drop(driver.expect_success(id)),
            Action::Publish { code, .. } => assert_eq!(driver.expect_refusal(id), Some(*code)),
            Action::Ask => {
                assert_eq!(driver.expect_success(id), [[format!("+CSQ: {asked},0").into_bytes()]]);
                asked += 1;
            }
            _ => {}
        }
    }
    assert_eq!(driver.urcs(), urcs);
    driver.expect_no_other_events();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everything_arrives_and_every_command_gets_its_own_answer(session in session()) {
        play(&session);
    }
}
