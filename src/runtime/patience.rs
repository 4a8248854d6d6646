use std::sync::Arc;
use std::time::Duration;

/// Whoever waits on behalf of somebody: asked now and then whether to go on.
pub trait Patience {
    /// How long to wait before asking; `None` asks whenever the wait is woken, and the clock wakes none.
    fn interval(&self) -> Option<Duration>;

    /// # Errors
    ///
    /// The wait is over: somebody pressed Ctrl-C, or gave it up.
    fn go_on(&self) -> Result<(), Interrupted>;

    /// A wait begins. Whoever ends this patience wakes it.
    fn watch(&self, _sleeper: &Arc<dyn Sleeper>) {}
}

/// A wait, as another thread can disturb it.
pub trait Sleeper: Send + Sync {
    /// Has it ask its patience. Whoever waits has asked already and sleeps, or is yet to ask: nothing in between.
    fn wake(&self);
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
