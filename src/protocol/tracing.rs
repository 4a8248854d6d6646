use std::collections::VecDeque;

use super::event::{Direction, Event, TraceKind};
use super::masking::{masked, secrets_in};

/// Shows what goes over the line, with every secret masked, and nothing at all unless asked to.
#[derive(Debug, Default)]
pub(crate) struct Tracer {
    on: bool,
    /// Passwords that were sent: they can come back in an echo cut short, where no syntax tells.
    secrets: Vec<Vec<u8>>,
}

impl Tracer {
    pub(crate) fn set(&mut self, on: bool) {
        self.on = on;
    }

    pub(crate) fn remember_secrets_of(&mut self, line: &[u8]) {
        const MOST: usize = 16;
        // A shorter one would hide what is not a secret.
        const SHORTEST: usize = 4;
        for (from, to) in secrets_in(line) {
            let secret = &line[from..to];
            if secret.len() < SHORTEST || self.secrets.iter().any(|known| known == secret) {
                continue;
            }
            if self.secrets.len() == MOST {
                self.secrets.remove(0);
            }
            self.secrets.push(secret.to_vec());
        }
    }

    pub(crate) fn without_secrets(&self, line: &[u8]) -> Vec<u8> {
        let mut shown = masked(line).into_owned();
        for secret in &self.secrets {
            let mut from = 0;
            while let Some(at) = memchr::memmem::find(&shown[from..], secret) {
                shown[from + at..from + at + secret.len()].fill(b'*');
                from += at + secret.len();
            }
        }
        shown
    }

    pub(crate) fn line(&self, events: &mut VecDeque<Event>, direction: Direction, line: &[u8]) {
        if self.on {
            let bytes = self.without_secrets(line);
            events.push_back(Event::Trace { direction, kind: TraceKind::Line, bytes });
        }
    }

    pub(crate) fn data(&self, events: &mut VecDeque<Event>, direction: Direction, data: &[u8]) {
        if self.on {
            events.push_back(Event::Trace { direction, kind: TraceKind::Data, bytes: data.to_vec() });
        }
    }

    pub(crate) fn prompt(&self, events: &mut VecDeque<Event>) {
        if self.on {
            let (direction, kind) = (Direction::FromModule, TraceKind::Prompt);
            events.push_back(Event::Trace { direction, kind, bytes: b">".to_vec() });
        }
    }

    pub(crate) fn written(&self, events: &mut VecDeque<Event>, kind: TraceKind, bytes: &[u8], secret: bool) {
        if !self.on {
            return;
        }
        let bytes = match kind {
            _ if secret => vec![b'*'; bytes.len()],
            TraceKind::Line => self.without_secrets(bytes),
            _ => bytes.to_vec(),
        };
        events.push_back(Event::Trace { direction: Direction::ToModule, kind, bytes });
    }
}
