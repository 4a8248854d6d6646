//! Text of other features: what a person wrote in a text message, or what the network answered to a service code.
//!
//! Such text may read `OK`, `ERROR` or `>`, and is none of these. Its first line says how far it reaches:
//!
//! ```text
//! ␍␊+CMT: "+64…","","25/04/10,18:45:46+48"␍␊       the lines behind it, up to the first blank line
//! OK␍␊
//! ␍␊OK␍␊                                            an answer again
//!
//! ␍␊+CUSD: 1,"Bal: 3.35␍␊                          everything up to the closing quote
//! OK␍␊
//! 2 Exit",15␍␊
//! ```
//!
//! `tests/protocol/foreign_text.rs` has each kind at each place.

use std::time::{Duration, Instant};

/// No text is longer. Behind a closing quote that was lost on the line, answers are answers again after this or
/// [`MOST_TIME`].
const MOST_BYTES: usize = 2048;
const MOST_TIME: Duration = Duration::from_secs(2);

/// Text messages and cell broadcasts, shown as they come or read from the memory.
const UP_TO_BLANK_LINE: [&[u8]; 5] = [b"+CMT:", b"+CDS:", b"+CBM:", b"+CMGR:", b"+CMGL:"];
const UP_TO_QUOTE: &[u8] = b"+CUSD:";

#[derive(Debug, Default)]
pub(crate) struct ForeignText {
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    is_quoted: bool,
    has_begun: bool,
    bytes_left: usize,
    until: Instant,
}

impl ForeignText {
    /// The bytes that follow are text.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The next line is text, whatever it looks like. A later line of a text message may be an echo or the header of a
    /// part of a message as well, for these may have no blank line before them.
    pub(crate) fn is_certain(&self) -> bool {
        self.open.is_some_and(|open| open.is_quoted || !open.has_begun)
    }

    pub(crate) fn reset(&mut self) {
        self.open = None;
    }

    /// Returns `true` if the line is text. A line that is not may open one.
    pub(crate) fn handle_line(&mut self, line: &[u8], now: Instant) -> bool {
        let Some(open) = self.open.take().filter(|open| now <= open.until && line.len() <= open.bytes_left)
        else {
            self.open = opened_by(line, now);
            return false;
        };
        let is_over = open.is_quoted && has_odd_quotes(line);
        if !is_over {
            self.open = Some(Open { has_begun: true, bytes_left: open.bytes_left - line.len(), ..open });
        }
        true
    }

    pub(crate) fn handle_blank_line(&mut self) {
        self.open = self.open.filter(|open| open.is_quoted);
    }
}

fn opened_by(line: &[u8], now: Instant) -> Option<Open> {
    let is_quoted = line.starts_with(UP_TO_QUOTE) && has_odd_quotes(line);
    let opens = is_quoted || UP_TO_BLANK_LINE.iter().any(|beginning| line.starts_with(beginning));
    opens.then_some(Open { is_quoted, has_begun: false, bytes_left: MOST_BYTES, until: now + MOST_TIME })
}

fn has_odd_quotes(line: &[u8]) -> bool {
    memchr::memchr_iter(b'"', line).count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[&str]) -> Vec<String> {
        let now = Instant::now();
        let mut text = ForeignText::default();
        let mut found = Vec::new();
        for line in lines {
            if line.is_empty() {
                text.handle_blank_line();
            } else if text.handle_line(line.as_bytes(), now) {
                found.push((*line).to_owned());
            }
        }
        found
    }

    #[test]
    fn text_message_reaches_to_the_first_blank_line() {
        let header = "+CMT: \"+64\",\"\",\"25/04/10,18:45:46+48\"";
        assert_eq!(texts(&[header, "OK", "ERROR", "", "OK"]), ["OK", "ERROR"]);
        assert_eq!(texts(&["+CDS: 25", "07914412", "", "OK"]), ["07914412"]);
        assert!(texts(&[header, "", "OK"]).is_empty());
        assert!(texts(&["+CMTI: \"SM\",3", "OK"]).is_empty());
    }

    #[test]
    fn service_answer_reaches_to_the_closing_quote() {
        let open = "+CUSD: 1,\"Bal: 3.35";
        assert_eq!(texts(&[open, "OK", "", ">", "2 Exit\",15", "OK"]), ["OK", ">", "2 Exit\",15"]);
        assert!(texts(&["+CUSD: 0,\"Bal: 3.35\",15", "OK"]).is_empty());
    }

    #[test]
    fn quote_that_never_closes_ends_after_its_time_or_length() {
        let now = Instant::now();
        let mut text = ForeignText::default();
        assert!(!text.handle_line(b"+CUSD: 1,\"Bal", now));
        assert!(!text.handle_line(b"OK", now + MOST_TIME + Duration::from_millis(1)));
        assert!(!text.handle_line(b"+CUSD: 1,\"Bal", now));
        assert!(text.handle_line(&[b'x'; MOST_BYTES], now));
        assert!(!text.handle_line(b"OK", now));
    }
}
