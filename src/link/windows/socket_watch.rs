#![allow(unsafe_code)]

use std::io;
use std::net::TcpStream;
use std::os::windows::io::{AsRawSocket, RawHandle};

use windows_sys::Win32::Networking::WinSock::{
    FD_CLOSE, FD_READ, FD_WRITE, WSAEnumNetworkEvents, WSAEventSelect, WSANETWORKEVENTS,
};

use super::operation::{KernelEvent, Reset};

/// An event that is signalled when a socket has input, takes output again or was closed.
pub(in crate::link) struct SocketWatch(KernelEvent);

impl SocketWatch {
    /// Watches a socket, which becomes non-blocking.
    pub(in crate::link) fn new(stream: &TcpStream) -> io::Result<Self> {
        let event = KernelEvent::new(Reset::Manual)?;
        let kinds = (FD_READ | FD_WRITE | FD_CLOSE).cast_signed();
        // SAFETY: socket and event live.
        let result = unsafe { WSAEventSelect(socket(stream), event.handle() as isize, kinds) };
        if result == 0 { Ok(Self(event)) } else { Err(io::Error::last_os_error()) }
    }

    pub(in crate::link) fn events(&self) -> [RawHandle; 2] {
        [self.0.handle(); 2]
    }

    /// Resets the event. Call this after a wait and before a read.
    pub(in crate::link) fn acknowledge(&self, stream: &TcpStream) {
        let mut events = WSANETWORKEVENTS::default();
        // SAFETY: socket and event live, and `events` is borrowed for the call.
        let result =
            unsafe { WSAEnumNetworkEvents(socket(stream), self.0.handle() as isize, &raw mut events) };
        // The system reports the close once, and there may be more input before it than the next read takes.
        if result != 0 || events.lNetworkEvents & FD_CLOSE.cast_signed() != 0 {
            self.0.signal();
        }
    }
}

#[allow(clippy::cast_possible_truncation)] // A socket is as wide as a pointer.
fn socket(stream: &TcpStream) -> usize {
    stream.as_raw_socket() as usize
}
