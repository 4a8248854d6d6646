//! Plays all rows of a table, and names those that failed.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub fn at_each_row<R: Copy + Debug>(rows: impl IntoIterator<Item = R>, check: impl Fn(R)) {
    let fails = |row: &R| catch_unwind(AssertUnwindSafe(|| check(*row))).is_err();
    let failed: Vec<_> = rows.into_iter().filter(fails).map(|row| format!("{row:?}")).collect();
    assert!(failed.is_empty(), "{} rows failed:\n{}", failed.len(), failed.join("\n"));
}
