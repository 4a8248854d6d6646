//! Bytes lost, added or altered on the line.

#[derive(Clone, Debug)]
pub enum Damage {
    Drop { at: usize, count: usize },
    Insert { at: usize, bytes: Vec<u8> },
    Alter { at: usize, bytes: Vec<u8> },
}

impl Damage {
    /// Returns every damage of these lengths that begins in the first `length` bytes.
    pub fn everywhere(length: usize, counts: &[usize]) -> Vec<Self> {
        let mut all = Vec::new();
        for at in 0..length {
            for &count in counts {
                all.push(Self::Drop { at, count });
                for byte in [b'x', b'7', b'\n'] {
                    all.push(Self::Insert { at, bytes: vec![byte; count] });
                    all.push(Self::Alter { at, bytes: vec![byte; count] });
                }
            }
            all.push(Self::Insert { at, bytes: b"\r\n".to_vec() });
            all.push(Self::Alter { at, bytes: vec![b'0'] });
            all.push(Self::Alter { at, bytes: vec![b'1'] });
        }
        all
    }

    /// Returns the damaged stream; a stream that ends before the damage is unchanged.
    pub fn apply(&self, stream: &[u8]) -> Vec<u8> {
        let mut damaged = stream.to_vec();
        let reach = self.reach();
        let (from, to) = (reach.start.min(stream.len()), reach.end.min(stream.len()));
        match self {
            Self::Drop { .. } => drop(damaged.drain(from..to)),
            Self::Insert { bytes, .. } => drop(damaged.splice(from..from, bytes.iter().copied())),
            Self::Alter { bytes, .. } => {
                for (place, byte) in damaged[from..].iter_mut().zip(bytes) {
                    *place = *byte;
                }
            }
        }
        damaged
    }

    /// Returns the range of bytes that the damage affects.
    pub fn reach(&self) -> std::ops::Range<usize> {
        match self {
            Self::Drop { at, count } => *at..at + count,
            Self::Insert { at, .. } => *at..at + 1,
            Self::Alter { at, bytes } => *at..at + bytes.len(),
        }
    }

    pub fn keeps_the_length(&self) -> bool {
        matches!(self, Self::Alter { .. })
    }
}
