/// Which of the module's two MQTT clients: `<client_index>` of the note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ClientIndex {
    Zero,
    One,
}

impl ClientIndex {
    pub const ALL: [Self; 2] = [Self::Zero, Self::One];

    pub fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Zero),
            1 => Some(Self::One),
            _ => None,
        }
    }

    pub fn number(self) -> u8 {
        self as u8
    }

    pub(crate) fn slot(self) -> usize {
        self as usize
    }
}

impl std::fmt::Display for ClientIndex {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.number())
    }
}
