//! Serial ports with overlapped reads and writes.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io;
use std::num::NonZeroU32;
use std::ops::Range;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, RawHandle};
use std::ptr;

use windows_sys::Win32::Devices::Communication::{
    CE_BREAK, CE_FRAME, CE_OVERRUN, CE_RXOVER, CE_RXPARITY, COMMTIMEOUTS, COMSTAT, ClearCommError, DCB,
    GetCommState, NOPARITY, ONESTOPBIT, SetCommState, SetCommTimeouts, SetupComm,
};
use windows_sys::Win32::Storage::FileSystem::{FILE_FLAG_OVERLAPPED, ReadFile, WriteFile};
use windows_sys::Win32::System::IO::CancelIoEx;

use super::operation::{CHUNK, Operation};
use crate::link::line_errors::LineErrors;
use crate::link::port::{FlowControl, Port, Settings};
use crate::link::port_error::PortError;

const INPUT_QUEUE: u32 = 64 * 1024;
const OUTPUT_QUEUE: u32 = 4096;

/// A UART still reads bytes that come 2 % too fast or too slow.
const TOLERANCE_PERCENT: u64 = 2;

/// A serial port with a read pending at all times and at most one write.
pub(in crate::link) struct SerialPort {
    file: File,
    reading: Operation,
    /// The reason why no read could be started, for the next call.
    failure: Option<io::Error>,
    /// The bytes in the buffer of `reading` that were not taken yet.
    unread: Range<usize>,
    writing: Operation,
    /// The number of bytes of the write that is pending or has ended last.
    written: usize,
    baudrate: NonZeroU32,
    /// The system forgets errors when it is asked for its state, which happens for other reasons too.
    errors: Cell<LineErrors>,
}

impl SerialPort {
    pub(in crate::link) fn open(path: &str, settings: &Settings) -> Result<Self, PortError> {
        let failed = |error: io::Error| PortError::from_device(path, &error);
        // COM10 and up have a name of this form only.
        let device = if path.starts_with('\\') { path.to_owned() } else { format!(r"\\.\{path}") };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .share_mode(0)
            .custom_flags(FILE_FLAG_OVERLAPPED)
            .open(device)
            .map_err(failed)?;
        let actual = configure(&file, settings).map_err(failed)?;
        let asked = settings.baudrate.get();
        if u64::from(asked.abs_diff(actual)) * 100 > u64::from(asked) * TOLERANCE_PERCENT {
            return Err(PortError::Baudrate { port: path.to_owned(), asked, actual });
        }
        Self::start(file, settings.baudrate).map_err(failed)
    }

    fn start(file: File, baudrate: NonZeroU32) -> io::Result<Self> {
        let mut port = Self {
            file,
            reading: Operation::new()?,
            failure: None,
            unread: 0..0,
            writing: Operation::new()?,
            written: 0,
            baudrate,
            errors: Cell::default(),
        };
        port.begin_reading(0..1)?;
        Ok(port)
    }

    /// Starts a read into a part of the buffer. The read ends when the part is full, so it asks for one byte, and for more
    /// only when more is there: drivers disagree about timeouts that end a read early.
    fn begin_reading(&mut self, part: Range<usize>) -> io::Result<()> {
        let file = self.file.as_raw_handle();
        debug_assert!(part.end <= CHUNK);
        let length = u32::try_from(part.len()).unwrap_or(0);
        // SAFETY: the part is inside the buffer, which stays in place until the read has ended.
        self.reading.begin(|buffer, overlapped| unsafe {
            ReadFile(file, buffer.add(part.start), length, ptr::null_mut(), overlapped)
        })
    }

    /// Reads what has arrived behind the first byte, without a wait.
    fn read_rest(&mut self) -> io::Result<usize> {
        let waiting = (self.state()?.cbInQue as usize).min(CHUNK - 1);
        if waiting == 0 {
            return Ok(0);
        }
        self.begin_reading(1..1 + waiting)?;
        self.reading.end(&self.file, true)
    }

    fn state(&self) -> io::Result<COMSTAT> {
        let (mut flags, mut state) = (0, COMSTAT::default());
        // SAFETY: both are borrowed for the call.
        succeeded(unsafe { ClearCommError(self.file.as_raw_handle(), &raw mut flags, &raw mut state) })?;
        let mut errors = self.errors.get();
        errors += line_errors(flags);
        self.errors.set(errors);
        Ok(state)
    }
}

impl Port for SerialPort {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.unread.is_empty() {
            match self.reading.end(&self.file, false)? {
                // Without a timeout nothing else ends a read with no byte.
                0 => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the device is gone")),
                // A failure comes again when the next read is started.
                count => self.unread = 0..count + self.read_rest().unwrap_or(0),
            }
        }
        let count = self.unread.len().min(buffer.len());
        let from = self.unread.start;
        buffer[..count].copy_from_slice(&self.reading.buffer()[from..from + count]);
        self.unread.start += count;
        if self.unread.is_empty()
            && let Err(failure) = self.begin_reading(0..1)
        {
            // These bytes first. The event makes the I/O thread call again.
            self.failure = Some(failure);
            self.reading.signal();
        }
        Ok(count)
    }

    /// Hands bytes to the kernel, which writes all of them, however long that takes. So no byte is written twice.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.writing.is_pending() && self.writing.end(&self.file, false)? < self.written {
            return Err(io::Error::new(io::ErrorKind::WriteZero, "the device took only a part of a write"));
        }
        let count = bytes.len().min(CHUNK);
        self.writing.buffer()[..count].copy_from_slice(&bytes[..count]);
        let file = self.file.as_raw_handle();
        let length = u32::try_from(count).unwrap_or(0);
        // SAFETY: as in `begin_reading`.
        self.writing.begin(|buffer, overlapped| unsafe {
            WriteFile(file, buffer, length, ptr::null_mut(), overlapped)
        })?;
        self.written = count;
        Ok(count)
    }

    fn output_pending(&self) -> usize {
        self.state().map_or(0, |state| state.cbOutQue as usize)
    }

    fn baudrate(&self) -> Option<NonZeroU32> {
        Some(self.baudrate)
    }

    fn take_line_errors(&mut self) -> LineErrors {
        // After an unplug there is nothing to ask.
        let _ = self.state();
        self.errors.take()
    }

    fn events(&self) -> [RawHandle; 2] {
        [self.reading.event(), self.writing.event()]
    }
}

impl Drop for SerialPort {
    /// Cancels both operations and waits for their ends: until then the kernel uses their buffers.
    fn drop(&mut self) {
        // SAFETY: the file lives; null means all its operations.
        unsafe { CancelIoEx(self.file.as_raw_handle(), ptr::null()) };
        for operation in [&mut self.reading, &mut self.writing] {
            if operation.is_pending() {
                let _ = operation.end(&self.file, true);
            }
        }
    }
}

/// Sets the port and returns the baud rate that it has then.
fn configure(file: &File, settings: &Settings) -> io::Result<u32> {
    let handle = file.as_raw_handle();
    let length = u32::try_from(size_of::<DCB>()).unwrap_or(0);
    let mut state = DCB { DCBlength: length, ..DCB::default() };
    let timeouts = COMMTIMEOUTS::default();
    // SAFETY: the structures are borrowed for the calls.
    unsafe {
        // A wish only: a driver may have queues of its own.
        SetupComm(handle, INPUT_QUEUE, OUTPUT_QUEUE);
        succeeded(GetCommState(handle, &raw mut state))?;
        state.BaudRate = settings.baudrate.get();
        state.ByteSize = 8;
        state.Parity = NOPARITY;
        state.StopBits = ONESTOPBIT;
        (state.XonChar, state.XoffChar) = (0x11, 0x13);
        state._bitfield = flags(settings.flow_control);
        succeeded(SetCommState(handle, &raw const state))?;
        // No timeouts: a read ends with its bytes, a write when all of it is taken.
        succeeded(SetCommTimeouts(handle, &raw const timeouts))?;
        succeeded(GetCommState(handle, &raw mut state))?;
    }
    Ok(state.BaudRate)
}

/// Returns the flags of a DCB. DTR and RTS are on, as Linux sets them: many USB modules are silent while DTR is off.
fn flags(flow_control: FlowControl) -> u32 {
    const BINARY: u32 = 1;
    const CTS_STOPS_OUTPUT: u32 = 1 << 2;
    const DTR_ON: u32 = 1 << 4;
    const XON_XOFF_BOTH_WAYS: u32 = 1 << 8 | 1 << 9;
    const RTS_ON: u32 = 1 << 12;
    const RTS_STOPS_INPUT: u32 = 2 << 12;
    BINARY
        | DTR_ON
        | match flow_control {
            FlowControl::None => RTS_ON,
            FlowControl::Hardware => CTS_STOPS_OUTPUT | RTS_STOPS_INPUT,
            FlowControl::Software => RTS_ON | XON_XOFF_BOTH_WAYS,
        }
}

/// The system tells which kinds of error there were since it was asked last, not how many.
fn line_errors(flags: u32) -> LineErrors {
    let has = |flag: u32| u64::from(flags & flag != 0);
    LineErrors {
        framing: has(CE_FRAME),
        parity: has(CE_RXPARITY),
        overruns: has(CE_OVERRUN | CE_RXOVER),
        breaks: has(CE_BREAK),
    }
}

fn succeeded(result: i32) -> io::Result<()> {
    if result == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dtr_is_on_with_every_flow_control_and_rts_without_hardware() {
        for flow_control in [FlowControl::None, FlowControl::Hardware, FlowControl::Software] {
            assert_eq!(flags(flow_control) >> 4 & 3, 1, "fDtrControl");
        }
        assert_eq!(flags(FlowControl::None) >> 12 & 3, 1, "fRtsControl");
        assert_eq!(flags(FlowControl::Hardware) >> 12 & 3, 2, "fRtsControl");
    }

    #[test]
    fn absent_port_is_reported_as_missing() {
        let settings = Settings {
            address: crate::link::address::Address::Serial { path: "COM250".to_owned() },
            baudrate: NonZeroU32::new(115_200).unwrap(),
            flow_control: FlowControl::None,
        };
        let error = SerialPort::open("COM250", &settings).err().unwrap();
        assert!(matches!(error, PortError::Missing { errno: Some(2), .. }), "{error:?}");
    }
}
