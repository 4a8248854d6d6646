//! The terminal attributes of an open port, computed from those that it had before.

use crate::link::port::{FlowControl, Settings};

/// Attributes with the baud rate as a number, so that every rate can be asked for and read back.
#[cfg(target_os = "linux")]
pub(super) type Attributes = libc::termios2;
#[cfg(not(target_os = "linux"))]
pub(super) type Attributes = libc::termios;

const XON: u8 = 0x11;
const XOFF: u8 = 0x13;

/// Returns true if the terminal sends input back, as every new terminal does, or edits lines.
pub(super) fn is_cooked(attributes: &Attributes) -> bool {
    attributes.c_lflag & (libc::ECHO | libc::ECHONL | libc::ICANON | libc::ISIG) != 0
}

/// Returns the attributes of a raw line: no echo, no editing, no signals, no translation, 8 bits, no parity, 1 stop bit, no
/// carrier needed. A read returns at least one byte.
///
/// Every field is set, so the settings of other programs have no effect. One is kept: HUPCL, with which a user lets DTR
/// drop at a close.
pub(super) fn raw(before: &Attributes, settings: &Settings) -> Attributes {
    let mut attributes = *before;
    attributes.c_iflag = 0;
    attributes.c_oflag = 0;
    attributes.c_lflag = 0;
    attributes.c_cflag = libc::CS8 | libc::CREAD | libc::CLOCAL | (before.c_cflag & libc::HUPCL);
    match settings.flow_control {
        FlowControl::None => {}
        FlowControl::Hardware => attributes.c_cflag |= libc::CRTSCTS,
        // Without IXANY: with it, any byte of the module would resume output that its XOFF has stopped.
        FlowControl::Software => attributes.c_iflag |= libc::IXON | libc::IXOFF,
    }
    attributes.c_cc[libc::VMIN] = 1;
    attributes.c_cc[libc::VTIME] = 0;
    attributes.c_cc[libc::VSTART] = XON;
    attributes.c_cc[libc::VSTOP] = XOFF;
    set_speed(&mut attributes, settings.baudrate.get());
    attributes
}

/// Returns the same attributes without flow control, so that stopped output goes on.
pub(super) fn without_flow_control(attributes: &Attributes) -> Attributes {
    let mut attributes = *attributes;
    attributes.c_cflag &= !libc::CRTSCTS;
    attributes.c_iflag &= !(libc::IXON | libc::IXOFF);
    attributes
}

#[cfg(target_os = "linux")]
fn set_speed(attributes: &mut Attributes, baudrate: u32) {
    attributes.c_cflag |= libc::BOTHER;
    attributes.c_ospeed = baudrate;
    attributes.c_ispeed = baudrate;
}

/// Elsewhere a call of its own sets the speed, because a pseudo-terminal refuses one.
#[cfg(not(target_os = "linux"))]
fn set_speed(_attributes: &mut Attributes, _baudrate: u32) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::link::address::Address;

    fn settings(flow_control: FlowControl) -> Settings {
        Settings {
            address: Address::Serial { path: "/dev/ttyUSB2".to_owned() },
            baudrate: NonZeroU32::new(250_000).unwrap(),
            flow_control,
        }
    }

    /// Attributes with every flag set, and control characters that stop and edit everything.
    fn everything_on() -> Attributes {
        Attributes {
            c_iflag: !0,
            c_oflag: !0,
            c_cflag: !0,
            c_lflag: !0,
            c_line: 0,
            c_cc: [b'O'; 19],
            c_ispeed: 50,
            c_ospeed: 50,
        }
    }

    fn everything_off() -> Attributes {
        Attributes {
            c_iflag: 0,
            c_oflag: 0,
            c_cflag: 0,
            c_lflag: 0,
            c_line: 0,
            c_cc: [0; 19],
            c_ispeed: 0,
            c_ospeed: 0,
        }
    }

    #[test]
    fn raw_attributes_do_not_depend_on_those_before_except_hupcl() {
        for flow_control in [FlowControl::None, FlowControl::Hardware, FlowControl::Software] {
            let on = raw(&everything_on(), &settings(flow_control));
            let off = raw(&everything_off(), &settings(flow_control));
            assert_eq!((on.c_iflag, on.c_oflag, on.c_lflag), (off.c_iflag, off.c_oflag, off.c_lflag));
            assert_eq!(on.c_cflag, off.c_cflag | libc::HUPCL);
            assert_eq!((on.c_ispeed, on.c_ospeed), (250_000, 250_000));
            for (index, value) in
                [(libc::VMIN, 1), (libc::VTIME, 0), (libc::VSTART, 0x11), (libc::VSTOP, 0x13)]
            {
                assert_eq!((on.c_cc[index], off.c_cc[index]), (value, value));
            }
        }
    }

    #[test]
    fn raw_attributes_have_the_flow_control_asked_for() {
        let flags = |flow_control| {
            let attributes = raw(&everything_on(), &settings(flow_control));
            (attributes.c_iflag, attributes.c_cflag & libc::CRTSCTS)
        };
        assert_eq!(flags(FlowControl::None), (0, 0));
        assert_eq!(flags(FlowControl::Hardware), (0, libc::CRTSCTS));
        assert_eq!(flags(FlowControl::Software), (libc::IXON | libc::IXOFF, 0), "and no IXANY");
    }

    #[test]
    fn attributes_without_flow_control_keep_the_rest() {
        for flow_control in [FlowControl::Hardware, FlowControl::Software] {
            let free = without_flow_control(&raw(&everything_off(), &settings(flow_control)));
            let none = raw(&everything_off(), &settings(FlowControl::None));
            assert_eq!((free.c_iflag, free.c_cflag), (none.c_iflag, none.c_cflag));
        }
    }

    #[test]
    fn new_terminal_is_cooked_and_raw_one_is_not() {
        assert!(is_cooked(&Attributes { c_lflag: libc::ECHO, ..everything_off() }));
        assert!(is_cooked(&everything_on()));
        assert!(!is_cooked(&raw(&everything_on(), &settings(FlowControl::None))));
    }
}
