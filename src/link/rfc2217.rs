//! Serial ports of a server that speaks RFC 2217: telnet with commands for baud rate, flow control, DTR and RTS.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::num::NonZeroU32;
#[cfg(unix)]
use std::os::fd::BorrowedFd;
#[cfg(windows)]
use std::os::windows::io::RawHandle;
use std::time::{Duration, Instant};

use super::line_errors::LineErrors;
use super::port::{FlowControl, Port, Settings};
use super::port_error::PortError;
use super::tcp::{self, TcpPort};
use super::telnet::{self, Command, DO, DONT, Decoder, IAC, WILL, WONT};

/// Limits the negotiation after the connection.
const NEGOTIATION_TIMEOUT: Duration = Duration::from_secs(5);
/// Bounds the copy that doubles IAC.
const CHUNK: usize = 4096;

const BINARY: u8 = 0;
const SUPPRESS_GO_AHEAD: u8 = 3;
const COM_PORT: u8 = 44;

// Requests of the client. The server confirms with the same number plus 100.
const SET_BAUDRATE: u8 = 1;
const SET_DATA_SIZE: u8 = 2;
const SET_PARITY: u8 = 3;
const SET_STOP_SIZE: u8 = 4;
const SET_CONTROL: u8 = 5;
const SET_LINE_STATE_MASK: u8 = 10;
const SET_MODEM_STATE_MASK: u8 = 11;

// Messages of the server.
const BAUDRATE_IS: u8 = 101;
const CONTROL_IS: u8 = 105;
const LINE_STATE: u8 = 106;
const SUSPEND: u8 = 108;
const RESUME: u8 = 109;

// Values of SET_CONTROL.
const NO_FLOW_CONTROL: u8 = 1;
const XON_XOFF: u8 = 2;
const RTS_CTS: u8 = 3;
const DTR_ON: u8 = 8;
const RTS_ON: u8 = 11;

const OVERRUN: u8 = 2;
const PARITY_ERROR: u8 = 4;
const FRAMING_ERROR: u8 = 8;
const BREAK: u8 = 16;

pub(super) struct Rfc2217Port {
    tcp: TcpPort,
    session: Session,
    encoder: Encoder,
    warnings: Vec<String>,
}

impl Rfc2217Port {
    /// Connects, sets the port and waits until the server has confirmed that. `name` is for errors.
    ///
    /// # Errors
    ///
    /// [`PortError::Unreachable`] if there is no connection, [`PortError::NoPortControl`] if the server does not speak RFC
    /// 2217, [`PortError::Baudrate`] if the port cannot do the rate.
    pub(super) fn connect(name: &str, host: &str, port: u16, settings: &Settings) -> Result<Self, PortError> {
        let unreachable = |error: io::Error| PortError::unreachable(name, &error);
        let mut stream = tcp::connect(host, port).map_err(unreachable)?;
        let mut session = Session::default();
        negotiate(&mut stream, &mut session, settings).map_err(|error| match error {
            Refusal::Baudrate { actual } => {
                PortError::Baudrate { port: name.to_owned(), asked: settings.baudrate.get(), actual }
            }
            Refusal::NoPortControl(reason) => {
                PortError::NoPortControl { port: name.to_owned(), reason: reason.to_owned() }
            }
            Refusal::System(error) => PortError::unreachable(name, &error),
        })?;
        let warnings = session.flow_control_warning(name, settings.flow_control).into_iter().collect();
        let tcp = TcpPort::new(stream).map_err(unreachable)?;
        Ok(Self { tcp, session, encoder: Encoder::default(), warnings })
    }

    /// Sends answers to the server's requests, as far as the connection takes them now.
    fn send_answers(&mut self) -> io::Result<()> {
        while !self.session.answers.is_empty() && !self.encoder.is_inside_escape {
            match self.tcp.write(&self.session.answers) {
                Ok(count) => drop(self.session.answers.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Port for Rfc2217Port {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.tcp.read(buffer)?;
            let length = self.session.receive(&mut buffer[..count]);
            self.send_answers()?;
            // A read of commands only is no input.
            if length > 0 {
                return Ok(length);
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send_answers()?;
        // Half an answer that the connection did not take must be completed before data.
        if self.is_suspended() || (!self.session.answers.is_empty() && !self.encoder.is_inside_escape) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let chunk = &bytes[..bytes.len().min(CHUNK)];
        let written = self.tcp.write(&self.encoder.encode(chunk))?;
        match self.encoder.written(chunk, written) {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }

    fn output_pending(&self) -> usize {
        0
    }

    fn baudrate(&self) -> Option<NonZeroU32> {
        None
    }

    fn is_suspended(&self) -> bool {
        self.session.is_suspended
    }

    fn take_line_errors(&mut self) -> LineErrors {
        std::mem::take(&mut self.session.errors)
    }

    fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    #[cfg(unix)]
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.tcp.descriptor()
    }

    #[cfg(windows)]
    fn events(&self) -> [RawHandle; 2] {
        self.tcp.events()
    }

    #[cfg(windows)]
    fn acknowledge(&self) {
        self.tcp.acknowledge();
    }
}

/// The server's side of the connection as far as it is known, and the answers that it gets.
#[derive(Debug, Default)]
struct Session {
    decoder: Decoder,
    answers: Vec<u8>,
    /// The server takes port commands; `None` until it has said so or refused.
    has_port_control: Option<bool>,
    baudrate: Option<u32>,
    flow_control: Option<u8>,
    is_suspended: bool,
    errors: LineErrors,
}

impl Session {
    /// Handles the commands in `bytes`, moves the data to the front and returns its length.
    fn receive(&mut self, bytes: &mut [u8]) -> usize {
        let mut decoder = std::mem::take(&mut self.decoder);
        let length = decoder.decode(bytes, |command| self.handle(&command));
        self.decoder = decoder;
        length
    }

    fn handle(&mut self, command: &Command) {
        match command {
            Command::Option(DO, COM_PORT) => self.has_port_control = Some(true),
            Command::Option(DONT, COM_PORT) => self.has_port_control = Some(false),
            // Offered and asked for at the beginning.
            Command::Option(DO | WILL, BINARY | SUPPRESS_GO_AHEAD) => {}
            Command::Option(DO, option) => self.answers.extend([IAC, WONT, *option]),
            Command::Option(WILL, option) => self.answers.extend([IAC, DONT, *option]),
            Command::Option(..) => {}
            Command::Subnegotiation(bytes) => {
                if let [COM_PORT, message, rest @ ..] = &bytes[..] {
                    self.handle_port_message(*message, rest);
                }
            }
        }
    }

    fn handle_port_message(&mut self, message: u8, value: &[u8]) {
        match (message, value) {
            (BAUDRATE_IS, [a, b, c, d]) => self.baudrate = Some(u32::from_be_bytes([*a, *b, *c, *d])),
            (CONTROL_IS, [value @ (NO_FLOW_CONTROL | XON_XOFF | RTS_CTS)]) => {
                self.flow_control = Some(*value);
            }
            (LINE_STATE, [state]) => {
                let has = |flag: u8| u64::from(state & flag != 0);
                self.errors += LineErrors {
                    framing: has(FRAMING_ERROR),
                    parity: has(PARITY_ERROR),
                    overruns: has(OVERRUN),
                    breaks: has(BREAK),
                };
            }
            (SUSPEND, _) => self.is_suspended = true,
            (RESUME, _) => self.is_suspended = false,
            _ => {}
        }
    }

    fn flow_control_warning(&self, name: &str, asked: FlowControl) -> Option<String> {
        let is_other = self.flow_control.is_some_and(|actual| actual != number_of(asked));
        is_other
            .then(|| format!("{name} does not do the flow control that was asked for: bytes may get lost"))
    }
}

/// Doubles IAC in what is written, and keeps count when the connection takes a part only.
#[derive(Debug, Default)]
struct Encoder {
    /// The first IAC of a pair was written, the second was not.
    is_inside_escape: bool,
}

impl Encoder {
    fn encode(&self, bytes: &[u8]) -> Vec<u8> {
        let mut encoded = Vec::with_capacity(bytes.len() + 16);
        for byte in bytes {
            encoded.push(*byte);
            if *byte == IAC {
                encoded.push(IAC);
            }
        }
        if self.is_inside_escape {
            encoded.remove(0);
        }
        encoded
    }

    /// Returns how many of `bytes` are complete after `written` bytes of their encoded form.
    fn written(&mut self, bytes: &[u8], written: usize) -> usize {
        let mut left = written + usize::from(std::mem::take(&mut self.is_inside_escape));
        for (at, byte) in bytes.iter().enumerate() {
            let needed = if *byte == IAC { 2 } else { 1 };
            if left < needed {
                self.is_inside_escape = left == 1;
                return at;
            }
            left -= needed;
        }
        bytes.len()
    }
}

enum Refusal {
    NoPortControl(&'static str),
    Baudrate { actual: u32 },
    System(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// Agrees on the options, then sets the port. What the port receives meanwhile is dropped: it is older than the settings.
fn negotiate(stream: &mut TcpStream, session: &mut Session, settings: &Settings) -> Result<(), Refusal> {
    const REFUSED: &str = "the server refuses COM port control";
    const SILENT: &str = "the server does not answer telnet commands";
    const UNCONFIRMED: &str = "the server does not confirm the baud rate";
    let deadline = Instant::now() + NEGOTIATION_TIMEOUT;
    let mut offers = vec![IAC, WILL, COM_PORT];
    for option in [BINARY, SUPPRESS_GO_AHEAD] {
        offers.extend([IAC, WILL, option, IAC, DO, option]);
    }
    stream.write_all(&offers)?;
    receive_until(stream, session, deadline, SILENT, |session| session.has_port_control.is_some())?;
    if session.has_port_control == Some(false) {
        return Err(Refusal::NoPortControl(REFUSED));
    }
    stream.write_all(&port_settings(settings))?;
    receive_until(stream, session, deadline, UNCONFIRMED, |session| session.baudrate.is_some())?;
    let (asked, actual) = (settings.baudrate.get(), session.baudrate.unwrap_or_default());
    // The server may round as a UART does.
    if asked.abs_diff(actual) > asked / 50 {
        return Err(Refusal::Baudrate { actual });
    }
    Ok(())
}

fn port_settings(settings: &Settings) -> Vec<u8> {
    const NO_PARITY: u8 = 1;
    const ONE_STOP_BIT: u8 = 1;
    let request = |request: u8, value: &[u8]| telnet::subnegotiation(&[&[COM_PORT, request], value].concat());
    let mut requests = vec![
        request(SET_LINE_STATE_MASK, &[OVERRUN | PARITY_ERROR | FRAMING_ERROR | BREAK]),
        request(SET_MODEM_STATE_MASK, &[0]),
        request(SET_DATA_SIZE, &[8]),
        request(SET_PARITY, &[NO_PARITY]),
        request(SET_STOP_SIZE, &[ONE_STOP_BIT]),
        request(SET_CONTROL, &[number_of(settings.flow_control)]),
        request(SET_CONTROL, &[DTR_ON]),
    ];
    if settings.flow_control != FlowControl::Hardware {
        requests.push(request(SET_CONTROL, &[RTS_ON]));
    }
    // Last: its confirmation says that the server has handled the others.
    requests.push(request(SET_BAUDRATE, &settings.baudrate.get().to_be_bytes()));
    requests.concat()
}

fn number_of(flow_control: FlowControl) -> u8 {
    match flow_control {
        FlowControl::None => NO_FLOW_CONTROL,
        FlowControl::Software => XON_XOFF,
        FlowControl::Hardware => RTS_CTS,
    }
}

fn receive_until(
    stream: &mut TcpStream,
    session: &mut Session,
    deadline: Instant,
    otherwise: &'static str,
    is_done: impl Fn(&Session) -> bool,
) -> Result<(), Refusal> {
    let mut buffer = [0; CHUNK];
    while !is_done(session) {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Refusal::NoPortControl(otherwise));
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer) {
            Ok(0) => return Err(Refusal::NoPortControl("the server closed the connection")),
            Ok(count) => drop(session.receive(&mut buffer[..count])),
            Err(error) if is_timeout(&error) => {}
            Err(error) => return Err(error.into()),
        }
        stream.write_all(&std::mem::take(&mut session.answers))?;
    }
    Ok(())
}

/// An expired timeout has one kind on Unix and another on Windows.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partly_written_bytes_are_counted_at_every_cut() {
        let bytes = [b'a', IAC, IAC, b'b', IAC];
        let whole = Encoder::default().encode(&bytes);
        assert_eq!(whole.len(), 8);
        for cut in 0..=whole.len() {
            let mut encoder = Encoder::default();
            let done = encoder.written(&bytes, cut);
            let rest = encoder.encode(&bytes[done..]);
            assert_eq!([&whole[..cut], &rest].concat(), whole, "{cut}");
            assert_eq!(done + encoder.written(&bytes[done..], rest.len()), bytes.len());
            assert!(!encoder.is_inside_escape);
        }
    }

    #[test]
    fn options_without_use_are_refused() {
        const ECHO: u8 = 1;
        let mut session = Session::default();
        let length = session.receive(&mut [IAC, WILL, ECHO, IAC, DO, 31, IAC, WONT, 5, IAC, DO, BINARY]);
        assert_eq!(length, 0);
        assert_eq!(session.answers, [IAC, DONT, ECHO, IAC, WONT, 31]);
    }

    #[test]
    fn messages_of_the_server_are_understood() {
        let mut session = Session::default();
        let mut stream = [
            telnet::subnegotiation(&[COM_PORT, LINE_STATE, OVERRUN | BREAK]),
            telnet::subnegotiation(&[COM_PORT, SUSPEND]),
            telnet::subnegotiation(&[COM_PORT, BAUDRATE_IS, 0, 1, 0xc2, 0]),
        ]
        .concat();
        session.receive(&mut stream);
        assert!(session.is_suspended);
        assert_eq!(session.baudrate, Some(115_200));
        assert_eq!(session.errors, LineErrors { overruns: 1, breaks: 1, ..LineErrors::default() });
        session.receive(&mut telnet::subnegotiation(&[COM_PORT, RESUME]));
        assert!(!session.is_suspended);
    }
}
