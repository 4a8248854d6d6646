use std::ops::{AddAssign, Sub};

/// Errors that the UART or its driver detected on the line, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineErrors {
    /// Bytes without a stop bit: noise, or another baud rate.
    pub framing: u64,
    pub parity: u64,
    /// Bytes lost because the hardware or the kernel had no room for them.
    pub overruns: u64,
    /// Breaks, each of which the system delivers as a NUL.
    pub breaks: u64,
}

impl LineErrors {
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl AddAssign for LineErrors {
    fn add_assign(&mut self, other: Self) {
        self.framing += other.framing;
        self.parity += other.parity;
        self.overruns += other.overruns;
        self.breaks += other.breaks;
    }
}

impl Sub for LineErrors {
    type Output = Self;

    /// Returns the errors since `earlier`. A counter that was reset counts from zero.
    fn sub(self, earlier: Self) -> Self {
        let since = |now: u64, earlier: u64| now.checked_sub(earlier).unwrap_or(now);
        Self {
            framing: since(self.framing, earlier.framing),
            parity: since(self.parity, earlier.parity),
            overruns: since(self.overruns, earlier.overruns),
            breaks: since(self.breaks, earlier.breaks),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn difference_counts_the_errors_since() {
        let earlier = LineErrors { framing: 2, overruns: 5, ..LineErrors::default() };
        let now = LineErrors { framing: 3, overruns: 5, breaks: 1, ..LineErrors::default() };
        assert_eq!(now - earlier, LineErrors { framing: 1, breaks: 1, ..LineErrors::default() });
        assert!((now - now).is_empty());
    }

    #[test]
    fn difference_after_a_reset_counts_from_zero() {
        let earlier = LineErrors { parity: 9, ..LineErrors::default() };
        let now = LineErrors { parity: 2, ..LineErrors::default() };
        assert_eq!((now - earlier).parity, 2);
    }
}
