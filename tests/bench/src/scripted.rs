//! The engine on scripted bytes: no port, no thread, and a clock that stands still.

use std::time::{Duration, Instant};

use simcom_mqtt::at::ClientIndex;
use simcom_mqtt::channel::{Engine, Event, Settings, Transaction};
use simcom_mqtt::commands::messages::{PublishFlags, publish_message};
use simcom_mqtt::commands::{Payload, PayloadLimit, PublishTimeout, QoS, Topic};

use crate::message_block::message_block;
use crate::module::Module;

pub const TOPIC: &[u8] = b"bench/scripted";

/// Returns an engine that has opened its module.
pub fn opened_engine(now: Instant) -> Engine {
    let mut engine = Engine::new(Settings { command_timeout: Duration::from_secs(10), baudrate: 115_200 });
    engine.open(0, now);
    converse(&mut engine, &mut Module::default(), now);
    engine
}

/// Returns this many messages of this size in sequence.
pub fn stream(payload_size: usize, count: usize) -> Vec<u8> {
    message_block(0, TOPIC, &vec![b'x'; payload_size]).repeat(count)
}

/// Hands `stream` to the engine as the I/O thread does. Returns the number of messages received.
pub fn receive(engine: &mut Engine, stream: &[u8], now: Instant) -> usize {
    /// Bytes that one read of a pseudo-terminal returns at most.
    const READ: usize = 4095;
    let mut messages = 0;
    for bytes in stream.chunks(READ) {
        engine.handle_input(bytes, now);
        while let Some(event) = engine.poll_event() {
            messages += usize::from(matches!(event, Event::Message(_)));
        }
    }
    messages
}

/// One publish of `payload`, from its commands to its completion, answered from a script. Returns whether it completed.
pub fn publish(engine: &mut Engine, payload: &[u8], now: Instant) -> bool {
    const SCRIPT: [&[u8]; 5] =
        [b"\r\n>", b"\r\nOK\r\n", b"\r\n>", b"\r\nOK\r\n", b"\r\nOK\r\n\r\n+CMQTTPUB: 0,0\r\n"];
    let topic = Topic::parse(TOPIC).expect("it is short enough");
    let payload = Payload::parse(payload, PayloadLimit::LONGEST).expect("it is short enough");
    let wait = Duration::from_secs(60);
    let commands = publish_message(
        ClientIndex::Zero,
        &topic,
        &payload,
        QoS::AtLeastOnce,
        PublishTimeout::covering(wait),
        PublishFlags::default(),
    );
    engine.submit(1, Transaction::new(commands, wait), now);
    for answer in SCRIPT {
        while !engine.unwritten().is_empty() {
            engine.handle_written(engine.unwritten().len(), now);
        }
        engine.handle_input(answer, now);
    }
    let mut completed = false;
    while let Some(event) = engine.poll_event() {
        completed |= matches!(event, Event::Completed { outcome: Ok(_), .. });
    }
    completed
}

/// Carries bytes both ways until neither has any.
fn converse(engine: &mut Engine, module: &mut Module, now: Instant) {
    loop {
        let written = engine.unwritten().to_vec();
        engine.handle_written(written.len(), now);
        while engine.poll_event().is_some() {}
        if written.is_empty() {
            return;
        }
        let mut input = &written[..];
        while !input.is_empty() {
            let (taken, answer) = module.step(input);
            input = &input[taken..];
            if let Some(answer) = answer {
                engine.handle_input(&answer.at_once, now);
                engine.handle_input(&answer.after_round_trip, now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishes_and_receives() {
        let now = Instant::now();
        let mut engine = opened_engine(now);
        assert!(publish(&mut engine, b"payload", now));
        assert!(publish(&mut engine, &[b'x'; 10_240], now));
        assert_eq!(receive(&mut engine, &stream(10_240, 7), now), 7);
    }
}
