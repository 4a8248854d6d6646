//! The bytes of a telnet connection: data with IAC doubled, and commands between them (RFC 854, RFC 855).

/// "Interpret as command".
pub(super) const IAC: u8 = 255;
pub(super) const DONT: u8 = 254;
pub(super) const DO: u8 = 253;
pub(super) const WONT: u8 = 252;
pub(super) const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;

/// The longest subnegotiation that is kept. A longer one is read over.
const LONGEST: usize = 64;

/// A command of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// DO, DONT, WILL or WONT with an option.
    Option(u8, u8),
    /// The bytes of a subnegotiation.
    Subnegotiation(Vec<u8>),
}

/// Separates data from commands, however the stream is cut into reads.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    state: State,
    subnegotiation: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Data,
    /// After IAC.
    Command,
    /// After IAC and one of DO, DONT, WILL, WONT.
    Option(u8),
    Subnegotiation,
    /// After IAC in a subnegotiation.
    SubnegotiationCommand,
}

impl Decoder {
    /// Moves the data to the front of `bytes` and returns its length. Passes each command to `handle`.
    pub(super) fn decode(&mut self, bytes: &mut [u8], mut handle: impl FnMut(Command)) -> usize {
        let mut length = 0;
        for at in 0..bytes.len() {
            let byte = bytes[at];
            self.state = match (self.state, byte) {
                (State::Data, IAC) => State::Command,
                (State::Data, _) | (State::Command, IAC) => {
                    bytes[length] = byte;
                    length += 1;
                    State::Data
                }
                (State::Command, DO | DONT | WILL | WONT) => State::Option(byte),
                (State::Command, SB) => {
                    self.subnegotiation.clear();
                    State::Subnegotiation
                }
                // The other commands have no parameter and no meaning here.
                (State::Command, _) => State::Data,
                (State::Option(verb), option) => {
                    handle(Command::Option(verb, option));
                    State::Data
                }
                (State::Subnegotiation, IAC) => State::SubnegotiationCommand,
                (State::SubnegotiationCommand, SE) => {
                    if self.subnegotiation.len() <= LONGEST {
                        handle(Command::Subnegotiation(std::mem::take(&mut self.subnegotiation)));
                    }
                    State::Data
                }
                (State::Subnegotiation | State::SubnegotiationCommand, _) => {
                    if self.subnegotiation.len() <= LONGEST {
                        self.subnegotiation.push(byte);
                    }
                    State::Subnegotiation
                }
            };
        }
        length
    }
}

/// Returns a subnegotiation of these bytes.
pub(super) fn subnegotiation(bytes: &[u8]) -> Vec<u8> {
    let mut encoded = vec![IAC, SB];
    for byte in bytes {
        encoded.push(*byte);
        if *byte == IAC {
            encoded.push(IAC);
        }
    }
    encoded.extend([IAC, SE]);
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes the stream in reads of `size` bytes.
    fn decode(stream: &[u8], size: usize) -> (Vec<u8>, Vec<Command>) {
        let mut decoder = Decoder::default();
        let (mut data, mut commands) = (Vec::new(), Vec::new());
        for read in stream.chunks(size) {
            let mut read = read.to_vec();
            let length = decoder.decode(&mut read, |command| commands.push(command));
            data.extend_from_slice(&read[..length]);
        }
        (data, commands)
    }

    #[test]
    fn data_and_commands_are_separated_at_every_read_size() {
        let mut stream = b"a".to_vec();
        stream
            .extend([IAC, IAC, IAC, WILL, 44, b'b', IAC, 241, IAC, SB, 44, 101, IAC, IAC, 0, IAC, SE, b'c']);
        for size in 1..=stream.len() {
            let (data, commands) = decode(&stream, size);
            assert_eq!(data, b"a\xffbc");
            let subnegotiation = Command::Subnegotiation(vec![44, 101, IAC, 0]);
            assert_eq!(commands, [Command::Option(WILL, 44), subnegotiation]);
        }
    }

    #[test]
    fn endless_subnegotiation_is_read_over() {
        let mut stream = vec![IAC, SB];
        stream.extend([b'x'; 10_000]);
        stream.extend([IAC, SE, b'd']);
        assert_eq!(decode(&stream, 100), (b"d".to_vec(), Vec::new()));
    }

    #[test]
    fn encoded_subnegotiation_is_decoded_unchanged() {
        let bytes: Vec<u8> = (192..=255).collect();
        let (data, commands) = decode(&subnegotiation(&bytes), 7);
        assert!(data.is_empty());
        assert_eq!(commands, [Command::Subnegotiation(bytes)]);
    }
}
