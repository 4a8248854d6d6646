use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::num::NonZeroU32;
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
#[cfg(windows)]
use std::os::windows::io::RawHandle;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use socket2::{SockRef, TcpKeepalive};

#[cfg(windows)]
use super::platform::SocketWatch;
use super::port::Port;
use super::port_error::PortError;

/// Limits name resolution and all connection attempts together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A server that lost its power closes nothing: the connection counts as lost 30 s after its last packet.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_PROBES: u32 = 3;

/// A serial port of a server that passes its bytes through as raw TCP, as ser2net does.
pub(super) struct TcpPort {
    stream: TcpStream,
    #[cfg(windows)]
    watch: SocketWatch,
}

impl TcpPort {
    /// Connects to a server that passes raw bytes through. `name` is for errors.
    pub(super) fn connect(name: &str, host: &str, port: u16) -> Result<Self, PortError> {
        connect(host, port).and_then(Self::new).map_err(|error| PortError::unreachable(name, &error))
    }

    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        configure(&stream)?;
        Ok(Self {
            #[cfg(windows)]
            watch: SocketWatch::new(&stream)?,
            stream,
        })
    }
}

impl Port for TcpPort {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.stream.read(buffer) {
            Ok(0) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection")),
            read => read,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn output_pending(&self) -> usize {
        0
    }

    fn baudrate(&self) -> Option<NonZeroU32> {
        None
    }

    #[cfg(unix)]
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    #[cfg(windows)]
    fn events(&self) -> [RawHandle; 2] {
        self.watch.events()
    }

    #[cfg(windows)]
    fn acknowledge(&self) {
        self.watch.acknowledge(&self.stream);
    }
}

/// Connects within 5 s.
pub(super) fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    connect_within(host, port, CONNECT_TIMEOUT)
}

fn connect_within(host: &str, port: u16, timeout: Duration) -> io::Result<TcpStream> {
    let deadline = Instant::now() + timeout;
    let addresses = resolve(host, port, timeout)?;
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
    for (address, untried) in addresses.iter().zip((1..=addresses.len()).rev()) {
        // An address that does not answer must leave time for the others.
        let share =
            deadline.saturating_duration_since(Instant::now()) / u32::try_from(untried).unwrap_or(u32::MAX);
        match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Resolves a name on a thread of its own, because the system's resolver cannot be interrupted. The thread may outlive a
/// timeout.
fn resolve(host: &str, port: u16, timeout: Duration) -> io::Result<Vec<SocketAddr>> {
    let name = (host.to_owned(), port);
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::Builder::new().name("simcom-resolver".to_owned()).spawn(move || {
        // Fails if the receiver has timed out.
        let _ = sender.send(name.to_socket_addrs().map(Iterator::collect));
    })?;
    let too_late = |_| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer from the name server"));
    receiver.recv_timeout(timeout).unwrap_or_else(too_late)
}

fn configure(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL);
    let socket = SockRef::from(stream);
    // Older versions of Windows have a number of probes that nothing changes.
    if socket.set_tcp_keepalive(&keepalive.clone().with_retries(KEEPALIVE_PROBES)).is_err() {
        socket.set_tcp_keepalive(&keepalive)?;
    }
    #[cfg(target_os = "linux")]
    {
        // Keep-alive probes are not sent while written bytes are unacknowledged.
        let limit = KEEPALIVE_IDLE + KEEPALIVE_INTERVAL * KEEPALIVE_PROBES;
        socket.set_tcp_user_timeout(Some(limit))?;
    }
    stream.set_nonblocking(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_connection_is_reported_with_address_and_reason() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let error = TcpPort::connect("socket://h:1", "127.0.0.1", closed).err().expect("no server listens");
        assert_eq!(error.port(), "socket://h:1");
        assert!(matches!(error, PortError::Unreachable { errno: Some(_), .. }), "{error:?}");
        assert!(error.to_string().contains("refused"), "{error}");
    }

    #[test]
    fn connect_times_out_if_server_does_not_answer() {
        let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        full.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
        full.listen(0).unwrap();
        let port = full.local_addr().unwrap().as_socket().unwrap().port();
        // The server accepts no connection: some fit into its queue, the next gets no answer.
        let (timeout, mut waiting) = (Duration::from_millis(50), Vec::new());
        let error = loop {
            assert!(waiting.len() < 10, "the queue never fills");
            match connect_within("127.0.0.1", port, timeout) {
                Ok(stream) => waiting.push(stream),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
