//! Events of the kernel, and the reads and writes that signal them.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle, RawHandle};
use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_IO_INCOMPLETE, ERROR_IO_PENDING};
use windows_sys::Win32::System::IO::{GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Threading::{CreateEventW, SetEvent};

/// The most bytes of one read or write.
pub(super) const CHUNK: usize = 4096;

/// When an event stops being signalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reset {
    /// When a thread has waited for it.
    Automatic,
    /// When the kernel begins the next operation with it.
    Manual,
}

#[derive(Debug)]
pub(super) struct KernelEvent(OwnedHandle);

impl KernelEvent {
    pub(super) fn new(reset: Reset) -> io::Result<Self> {
        // SAFETY: no memory is passed.
        let handle = unsafe { CreateEventW(ptr::null(), (reset == Reset::Manual).into(), 0, ptr::null()) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle was made just now, so nothing else owns it.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    pub(super) fn signal(&self) {
        // SAFETY: the event lives. It cannot fail for a valid event.
        unsafe { SetEvent(self.handle()) };
    }

    pub(super) fn handle(&self) -> RawHandle {
        self.0.as_raw_handle()
    }
}

/// A read or write that the kernel may be working on. Buffer and structure stay in place until the operation has ended.
pub(super) struct Operation {
    overlapped: Box<OVERLAPPED>,
    buffer: Box<[u8; CHUNK]>,
    ended: KernelEvent,
    is_pending: bool,
}

// SAFETY: the pointers in it lead to its own event and buffer.
unsafe impl Send for Operation {}

impl Operation {
    pub(super) fn new() -> io::Result<Self> {
        let ended = KernelEvent::new(Reset::Manual)?;
        let overlapped = Box::new(OVERLAPPED { hEvent: ended.handle(), ..OVERLAPPED::default() });
        Ok(Self { overlapped, buffer: Box::new([0; CHUNK]), ended, is_pending: false })
    }

    /// Starts the operation. `start` gets the buffer and the structure and returns 0 for a failure.
    ///
    /// # Errors
    ///
    /// The system's error, unless it says that the operation goes on.
    pub(super) fn begin(&mut self, start: impl FnOnce(*mut u8, *mut OVERLAPPED) -> i32) -> io::Result<()> {
        debug_assert!(!self.is_pending);
        if start(self.buffer.as_mut_ptr(), &raw mut *self.overlapped) == 0 {
            let error = io::Error::last_os_error();
            if error.raw_os_error() != Some(ERROR_IO_PENDING.cast_signed()) {
                return Err(error);
            }
        }
        self.is_pending = true;
        Ok(())
    }

    /// Ends the operation and returns the number of bytes. Waits for the end if `waits`.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the operation goes on. Any other error is that of the operation.
    pub(super) fn end(&mut self, file: &File, waits: bool) -> io::Result<usize> {
        let mut count = 0;
        // SAFETY: the kernel got this structure from `begin`, for this file.
        let result = unsafe {
            GetOverlappedResult(
                file.as_raw_handle(),
                &raw const *self.overlapped,
                &raw mut count,
                waits.into(),
            )
        };
        if result == 0 {
            let error = io::Error::last_os_error();
            if error.raw_os_error() == Some(ERROR_IO_INCOMPLETE.cast_signed()) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.is_pending = false;
            return Err(error);
        }
        self.is_pending = false;
        Ok(count as usize)
    }

    pub(super) fn is_pending(&self) -> bool {
        self.is_pending
    }

    /// Signalled while the operation has ended.
    pub(super) fn event(&self) -> RawHandle {
        self.ended.handle()
    }

    /// Signals the event although no operation has ended.
    pub(super) fn signal(&self) {
        self.ended.signal();
    }

    /// The bytes of a read that has ended, or of a write that has not begun.
    pub(super) fn buffer(&mut self) -> &mut [u8; CHUNK] {
        debug_assert!(!self.is_pending);
        &mut self.buffer
    }
}
