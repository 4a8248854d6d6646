use std::time::Duration;

/// Whoever waits on behalf of somebody: asked now and then whether to go on.
pub trait Patience {
    /// How long to wait before asking; `None` never asks.
    fn interval(&self) -> Option<Duration>;

    /// # Errors
    ///
    /// The wait is over: somebody pressed Ctrl-C.
    fn go_on(&self) -> Result<(), Interrupted>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

/// Waits to the end.
pub struct Endless;

impl Patience for Endless {
    fn interval(&self) -> Option<Duration> {
        None
    }

    fn go_on(&self) -> Result<(), Interrupted> {
        Ok(())
    }
}
