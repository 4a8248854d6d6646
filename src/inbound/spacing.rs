//! Blank lines: where they stand in a block, and when their number is evidence of damage.
//!
//! A firmware prints a blank line before all, some or none of RXTOPIC, RXPAYLOAD and RXEND. All eight layouts are sound,
//! and a firmware keeps to one. Two bytes too few or too many in a part change the number of blank lines behind it, for
//! CR LF can be payload as well as a line end:
//!
//! ```text
//!   sent, one blank line before RXEND     RXPAYLOAD: 0,5␍␊ h e l l o ␍␊ ␍␊ +CMQTTRXEND: 0␍␊
//!                                                         |<------->|              counted
//!   the same, `he` is lost                RXPAYLOAD: 0,5␍␊ l l o ␍␊ ␍␊ +CMQTTRXEND: 0␍␊
//!                                                         |<------->|              counted, and no blank line is left
//!
//!   sent, no blank line before RXEND      RXPAYLOAD: 0,5␍␊ a b c ␍␊ ␍␊ +CMQTTRXEND: 0␍␊
//!                                                         |<------->|
//!   the same, `xx` is added               RXPAYLOAD: 0,5␍␊ x x a b c ␍␊ ␍␊ +CMQTTRXEND: 0␍␊
//!                                                         |<------->|              counted, and a blank line is left
//! ```
//!
//! The second line is byte for byte a sound `llo␍␊` of a firmware without that blank line. Only the layout tells: as
//! it was in the messages before, or else as it is in the same block before. A deviation that comes a second time is
//! the layout, not damage. Needed by `damaged_blocks::damage_in_one_message` (bytes lost), `added_line_ends` (bytes
//! added), `damage_is_noticed_in_every_layout_that_is_known` (layout learned), and
//! `splits_of_messages::ambiguous_block_is_lost_once_and_delivered_when_the_same_comes_again`.

use crate::at::ClientIndex;

/// After so many sound messages, the layout is known for certain.
const CERTAIN_AFTER: u8 = 10;

/// Which line the blank lines stand behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    Line,
    /// A counted part, of an open block or of a damaged one.
    Part(Option<ClientIndex>),
    /// A prompt, an echo or anything else that does not keep to CR LF text CR LF.
    Unspaced,
}

/// The blank lines between the last line or counted part and the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gap {
    pub(crate) before: Before,
    pub(crate) blank_lines: u8,
}

impl Gap {
    pub(crate) fn of(before: Before) -> Self {
        Self { before, blank_lines: 0 }
    }

    pub(crate) fn add_blank_line(&mut self) {
        self.blank_lines = self.blank_lines.saturating_add(1);
    }

    /// The line behind a part must have exactly one line end before it. If it has another number, the count of the part
    /// took one too many, or bytes that were added pushed the end of the part behind its count.
    ///
    /// Example: `hello` lost two bytes, so the count of 5 took `hel␍␊`. Of `␍␊+CGEV: x` behind it, the line end is taken
    /// as that of the part. Needed by
    /// `resync_rules::line_without_a_line_end_before_it_shows_that_a_part_lost_bytes`.
    pub(crate) fn contradicts_line(self, line: &[u8]) -> bool {
        // Satellite sentences have no line end before them. Needed by
        // `splits_of_messages::satellite_sentences_between_parts_are_received`.
        let may_be_none = line.starts_with(b"$");
        self.is_behind_part() && self.blank_lines != 1 && !(may_be_none && self.blank_lines == 0)
    }

    pub(crate) fn is_behind_part(self) -> bool {
        matches!(self.before, Before::Part(_))
    }

    /// `None` where blank lines mean nothing.
    pub(crate) fn known(self) -> Option<u8> {
        (self.before != Before::Unspaced).then_some(self.blank_lines)
    }
}

/// The headers that may have a blank line before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Topic,
    Payload,
    End,
}

impl Place {
    const COUNT: usize = 3;
}

/// The blank lines of one block.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BlockSpacing {
    seen: [Option<u8>; Place::COUNT],
    latest: Option<u8>,
}

impl BlockSpacing {
    pub(crate) fn note(&mut self, place: Place, gap: Gap) {
        if let Some(blank_lines) = gap.known() {
            self.seen[place as usize] = Some(blank_lines);
            self.latest = Some(blank_lines);
        }
    }
}

/// The layout of this module's blocks, as far as sound messages have shown it.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    headers: [Shown; Place::COUNT],
}

#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    blank_lines: Option<u8>,
    /// In so many messages in a row.
    times: u8,
    /// A block with so many was taken for damaged, and no sound one came since.
    refused: Option<u8>,
}

impl Layout {
    /// A sound message came.
    pub(crate) fn learn(&mut self, spacing: BlockSpacing) {
        for (shown, seen) in self.headers.iter_mut().zip(spacing.seen) {
            if seen.is_none() {
                continue;
            }
            let is_same = shown.blank_lines == seen;
            let times = if is_same { shown.times.saturating_add(1) } else { 1 };
            *shown = Shown { blank_lines: seen, times, refused: None };
        }
    }

    /// Decides if the blank lines before a header are evidence that `part`, the part before it, is damaged.
    pub(crate) fn contradicts(&mut self, place: Place, gap: Gap, block: BlockSpacing, part: &[u8]) -> bool {
        let shown = &mut self.headers[place as usize];
        // Before the first message, the headers of the same block are all there is.
        let Some(usual) = shown.blank_lines.or(block.latest) else { return false };
        let Some(blank_lines) = gap.known().filter(|blank_lines| *blank_lines != usual) else { return false };
        let is_damage = if blank_lines < usual {
            // Bytes are lost: then the count took a line end, of which the CR may be lost. If the part ends otherwise, no byte
            // of it is lost, and this is another layout: needed by
            // `splits_of_messages::blank_lines_before_any_of_the_headers_are_accepted`.
            part.ends_with(b"\n")
        } else {
            // Bytes are added: then the part ended with the line end that is now behind its count. A text whose lines end
            // with CR LF has a CR elsewhere too. If there is none, this is another layout, unless the layout is known for
            // certain. No firmware has more than one blank line: needed by
            // `resync_rules::more_than_one_blank_line_is_damage_unless_all_headers_have_as_many`.
            blank_lines > 1 || shown.times >= CERTAIN_AFTER || memchr::memchr(b'\r', part).is_some()
        };
        // The same again: this is the layout.
        is_damage && shown.refused.replace(blank_lines) != Some(blank_lines)
    }
}
