//! The life cycle of a client on a simulated clock: losses at each step, coming back, giving up and leaving.
#![allow(unreachable_pub, reason = "nothing outside a test crate can see it")]

mod support;

mod coming_back;
mod giving_up;
mod leaving;
mod losses_while_publishing;
mod two_clients;
