//! Common parts of the life cycle tests: a simulated module, the faults that strike it, and the driver on a simulated clock.

mod bench;
mod fault;
mod module;
mod piece;
mod rows;
mod told;

pub use bench::{Bench, Strike, When, policy};
pub use fault::Fault;
pub use piece::{Stage, Step};
pub use rows::at_each_row;
pub use told::{Ending, Told};
