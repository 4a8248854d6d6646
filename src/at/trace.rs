//! The elements that a trace is made of.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    ToModule,
    FromModule,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceKind {
    Line,
    Prompt,
    Data,
    /// Padding that completes a data entry.
    Raw,
}
