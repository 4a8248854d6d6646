//! Input in which the port's driver counted errors: some of its bytes may be wrong or missing, and it is not known which.

#[derive(Debug, Default)]
pub(crate) struct PortErrors {
    in_input: bool,
    /// The current line began in such input, and may go on in the next one.
    in_line: bool,
}

impl PortErrors {
    pub(crate) fn begin(&mut self) {
        *self = Self { in_input: true, in_line: true };
    }

    pub(crate) fn end(&mut self) {
        self.in_input = false;
    }

    /// A line is over. Returns if errors were counted while it came.
    pub(crate) fn line_ends(&mut self) -> bool {
        std::mem::replace(&mut self.in_line, self.in_input)
    }
}
