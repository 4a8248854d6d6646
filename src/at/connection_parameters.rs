//! The parameters of CONNECT, of its read form and of its result, read strictly: what is not as it should be may hide a password.

/// How far they have been read.
#[derive(Clone, Copy)]
pub(crate) struct ConnectionParameters<'l> {
    line: &'l [u8],
    at: usize,
}

impl<'l> ConnectionParameters<'l> {
    pub(crate) fn new(line: &'l [u8], at: usize) -> Self {
        Self { line, at }
    }

    /// Where the password may begin, behind `: <index>,"<address>",<keep-alive>,<clean session>,"<user>"`. None where
    /// there is none.
    pub(crate) fn end_of_readable(mut self) -> Option<usize> {
        self.skip_spaces();
        let is_sign = matches!(self.next(), Some(b'=' | b':'));
        if self.is_over() || !is_sign || self.asks() {
            return None;
        }
        self.at += 1;
        self.skip_spaces();
        if self.is_over() || self.is_range() || self.is_result() {
            return None;
        }
        if !self.flag() {
            return Some(self.at);
        }
        self.read_on(&[Self::address, Self::number, Self::flag, Self::user])
    }

    fn read_on(&mut self, expected: &[fn(&mut Self) -> bool]) -> Option<usize> {
        for read in expected {
            if self.is_over() {
                return None;
            }
            let before = self.at;
            if !(self.comma() && read(self)) {
                return Some(before);
            }
        }
        (!self.is_over()).then_some(self.at)
    }

    /// `?` and `=?` ask; they tell nothing.
    fn asks(&self) -> bool {
        self.line[self.at + 1..].trim_ascii() == b"?"
    }

    /// The answer to a test form.
    fn is_range(&self) -> bool {
        self.line[self.at..].starts_with(b"(0")
    }

    /// `<index>,<code>`.
    fn is_result(mut self) -> bool {
        self.flag() && self.comma() && self.number() && self.is_over()
    }

    fn is_over(&self) -> bool {
        self.line[self.at..].trim_ascii().is_empty()
    }

    fn next(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn skip_spaces(&mut self) {
        self.skip_while(|byte| byte == b' ');
    }

    fn skip_while(&mut self, belongs: impl Fn(u8) -> bool) -> usize {
        let length = self.line[self.at..].iter().take_while(|byte| belongs(**byte)).count();
        self.at += length;
        length
    }

    fn comma(&mut self) -> bool {
        self.skip_spaces();
        let is_there = self.next() == Some(b',');
        self.at += usize::from(is_there);
        self.skip_spaces();
        is_there
    }

    fn flag(&mut self) -> bool {
        let is_there = matches!(self.next(), Some(b'0' | b'1'));
        self.at += usize::from(is_there);
        is_there
    }

    fn number(&mut self) -> bool {
        (1..=5).contains(&self.skip_while(|byte| byte.is_ascii_digit()))
    }

    fn address(&mut self) -> bool {
        self.string(|byte| byte.is_ascii_graphic())
    }

    fn user(&mut self) -> bool {
        self.string(|byte| byte != b'\r' && byte != b'\n')
    }

    /// A comma in it means that quotes were lost.
    fn string(&mut self, belongs: fn(u8) -> bool) -> bool {
        if self.next() != Some(b'"') {
            return false;
        }
        self.at += 1;
        let length = self.skip_while(|byte| belongs(byte) && byte != b'"' && byte != b',');
        let is_closed = self.next() == Some(b'"');
        self.at += usize::from(is_closed);
        is_closed && length > 0
    }
}
