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
    /// Empty lines that end a data entry nobody knows of, and what follows them.
    Raw,
}
