//! The parameters of an AT line: `<value>,<value>,…`, each value bare or between quotes.
//!
//! This is the only place that reads them. The same values stand behind the `=` of a command and behind the `:` of an
//! information line, so [`Parameters`] takes the text behind either sign:
//!
//! ```text
//! +CMQTTACCQ: 0,"a,b",1        values 0, a,b (quoted), 1: a comma between quotes does not separate
//! +CSQ:  23 , 99               values 23, 99: spaces around a value do not belong to it
//! +CMQTTSSLCFG: 1,             values 1 and an empty one
//! +COPS: 0,0,"CHN              values 0, 0, CHN (quoted): the closing quote may be missing
//! ```
//!
//! AT has no escape sequence: a quoted value holds neither a quote nor a line end.

use std::ops::Range;
use std::str::FromStr;

use super::client_index::ClientIndex;

/// The values of one line, in their order. Nothing is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters<'l> {
    text: &'l [u8],
}

/// One value, without its quotes and without the spaces around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'l> {
    bytes: &'l [u8],
    /// Where `bytes` begins in the text of the parameters.
    start: usize,
    is_quoted: bool,
    /// The value is quoted, and its closing quote is there.
    is_closed: bool,
}

impl<'l> Parameters<'l> {
    /// Takes the text behind `=` or `:`.
    pub fn new(text: &'l [u8]) -> Self {
        Self { text }
    }

    /// Takes an information line, `+NAME: <value>,…`, in capitals or not. `None` for any other line.
    pub fn of_information(line: &'l [u8], name: &[u8]) -> Option<Self> {
        let (found, text) = line.trim_ascii_start().strip_prefix(b"+")?.split_at_checked(name.len())?;
        let text = text.trim_ascii_start().strip_prefix(b":")?;
        found.eq_ignore_ascii_case(name).then_some(Self { text })
    }

    pub fn values(self) -> impl Iterator<Item = Value<'l>> {
        let mut next = Some(0);
        std::iter::from_fn(move || {
            let start = next?;
            let end = start + length_of_first(&self.text[start..]);
            next = (end < self.text.len()).then_some(end + 1);
            Some(Value::new(self.text, start..end))
        })
    }

    /// The value at `position`, counted from 0.
    pub fn get(self, position: usize) -> Option<Value<'l>> {
        self.values().nth(position)
    }

    /// How many values there are, empty ones included: never less than one.
    pub fn count(self) -> usize {
        self.values().count()
    }
}

impl<'l> Value<'l> {
    fn new(text: &'l [u8], field: Range<usize>) -> Self {
        let untrimmed = &text[field.clone()];
        let start = field.start + untrimmed.len() - untrimmed.trim_ascii_start().len();
        let bytes = untrimmed.trim_ascii();
        match bytes.strip_prefix(b"\"") {
            Some(inner) => {
                let closed = inner.strip_suffix(b"\"");
                let bytes = closed.unwrap_or(inner);
                Self { bytes, start: start + 1, is_quoted: true, is_closed: closed.is_some() }
            }
            None => Self { bytes, start, is_quoted: false, is_closed: false },
        }
    }

    pub fn bytes(self) -> &'l [u8] {
        self.bytes
    }

    pub fn is_quoted(self) -> bool {
        self.is_quoted
    }

    pub(crate) fn is_closed(self) -> bool {
        self.is_closed
    }

    pub fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }

    /// Where the bytes stand in the text that the parameters were made of.
    pub fn span(self) -> Range<usize> {
        self.start..self.start + self.bytes.len()
    }

    /// The value as text; `None` where it is not UTF-8.
    pub fn text(self) -> Option<&'l str> {
        std::str::from_utf8(self.bytes).ok()
    }

    /// A decimal number: digits, with a minus sign where `N` has one. A plus sign is no part of it.
    pub fn number<N: FromStr>(self) -> Option<N> {
        self.text().filter(|text| !text.starts_with('+'))?.parse().ok()
    }

    /// 0 or 1; anything else is no flag.
    pub fn flag(self) -> Option<bool> {
        match self.number::<u8>()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// `<client_index>`.
    pub fn client(self) -> Option<ClientIndex> {
        ClientIndex::from_number(self.number()?)
    }

    /// A number as `0x9A5F`, or a decimal one.
    pub fn hexadecimal(self) -> Option<u32> {
        let text = self.text()?;
        match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => self.number(),
        }
    }
}

/// The list of up to `N` numbers that a header of a received message carries, and how many there are.
///
/// It reads strictly, for a damaged header must not pass as a sound one: digits and commas alone, no number of more than
/// five digits, none missing.
#[inline]
pub(crate) fn strict_numbers<const N: usize>(text: &[u8]) -> Option<([usize; N], usize)> {
    const MOST_DIGITS: usize = 5;
    let mut numbers = [0; N];
    let mut at = 0;
    let mut digits = 0;
    for &byte in text {
        match byte {
            b'0'..=b'9' if digits < MOST_DIGITS => {
                numbers[at] = numbers[at] * 10 + usize::from(byte - b'0');
                digits += 1;
            }
            b',' if digits > 0 && at + 1 < N => {
                at += 1;
                digits = 0;
            }
            _ => return None,
        }
    }
    (digits > 0).then_some((numbers, at + 1))
}

/// The length of the first value of `text`, up to the comma behind it. Commas between quotes do not separate.
fn length_of_first(text: &[u8]) -> usize {
    let mut is_quoted = false;
    let ends = |byte: &u8| {
        is_quoted ^= *byte == b'"';
        *byte == b',' && !is_quoted
    };
    text.iter().position(ends).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Parameters<'_> {
        Parameters::of_information(line.as_bytes(), b"NAME").unwrap()
    }

    #[test]
    fn comma_between_quotes_does_not_separate() {
        let parameters = of("+NAME: 0,\"a,b\",1");
        assert_eq!(parameters.count(), 3);
        assert_eq!(parameters.get(0).unwrap().client(), Some(ClientIndex::Zero));
        assert_eq!(parameters.get(1).unwrap().text(), Some("a,b"));
        assert_eq!(parameters.get(2).unwrap().flag(), Some(true));
        assert_eq!(parameters.get(3), None);
    }

    #[test]
    fn spacing_and_case_do_not_matter() {
        for line in ["+NAME: 23,0", "+NAME:23,0", "+name :  23 , 0 ", " +NAME: 23,0"] {
            let numbers: Vec<Option<u8>> = of(line).values().map(Value::number).collect();
            assert_eq!(numbers, [Some(23), Some(0)], "{line}");
        }
    }

    #[test]
    fn line_with_another_name_has_no_parameters() {
        for line in ["+NAMES: 23,0", "NAME: 23,0", "+NAME", "", "+", "RDY"] {
            assert_eq!(Parameters::of_information(line.as_bytes(), b"NAME"), None, "{line}");
        }
    }

    #[test]
    fn empty_value_is_a_value_and_missing_quote_ends_at_the_end() {
        let parameters = of("+NAME: ,\"\",\"open");
        let values: Vec<_> = parameters.values().map(|value| (value.bytes(), value.is_quoted())).collect();
        assert_eq!(values, [(&b""[..], false), (b"", true), (b"open", true)]);
        assert_eq!(of("+NAME:").count(), 1);
        assert!(of("+NAME:").get(0).unwrap().is_empty());
        assert_eq!(of("+NAME: 1,").count(), 2);
    }

    #[test]
    fn numbers_are_decimal_and_without_plus() {
        let number = |text: &'static str| Parameters::new(text.as_bytes()).get(0).unwrap();
        assert_eq!(number("-97").number::<i16>(), Some(-97));
        assert_eq!(number("+1").number::<i16>(), None);
        assert_eq!(number("-1").number::<u16>(), None);
        assert_eq!(number("1x").number::<u16>(), None);
        assert_eq!(number("0x9A5F").hexadecimal(), Some(0x9A5F));
        assert_eq!(number("77").hexadecimal(), Some(77));
        assert_eq!(number("2").flag(), None);
    }

    #[test]
    fn span_is_where_the_bytes_stand() {
        let text = b"0, \"user\" ,secret";
        for (value, expected) in Parameters::new(text).values().zip([&b"0"[..], b"user", b"secret"]) {
            assert_eq!(value.bytes(), expected);
            assert_eq!(&text[value.span()], expected);
        }
    }

    #[test]
    fn strict_numbers_take_digits_and_commas_alone() {
        assert_eq!(strict_numbers::<3>(b"0,38,15"), Some(([0, 38, 15], 3)));
        assert_eq!(strict_numbers::<3>(b"1"), Some(([1, 0, 0], 1)));
        assert_eq!(strict_numbers::<3>(b"0,99999"), Some(([0, 99_999, 0], 2)));
        for text in ["", ",1", "1,", "1,,2", "1, 2", "0,999999", "0,-1", "1,2,3,4", "0x"] {
            assert_eq!(strict_numbers::<3>(text.as_bytes()), None, "{text}");
        }
    }
}
