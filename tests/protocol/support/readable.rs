/// Bytes that are printed as text when a test fails.
#[derive(Clone)]
pub struct Readable(pub Vec<u8>);

impl std::fmt::Debug for Readable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "\"{}\"", self.0.escape_ascii())
    }
}
