//! What must outlive a command: the open module, what is known of it, who hears of what.

mod bounded_queue;
mod capture;
mod connecting;
mod driver;
mod error;
mod facts;
mod hub;
mod late;
mod leaving;
mod mailbox;
mod modem;
mod network;
mod notice;
mod patience;
mod publish_gate;
mod record;
mod report;
mod ticket;
mod transcript;
mod waiting;

pub use bounded_queue::BoundedQueue;
pub use capture::{Inbox, QueueLimits};
pub use connecting::ConnectPlan;
pub use error::Error;
pub use facts::{ClientFacts, Facts};
pub use hub::Hub;
pub use late::LateResult;
pub use modem::{Configuration, Modem};
pub use notice::Notice;
pub use patience::{Endless, Interrupted, Patience};
pub use record::{Level, Logger, Record};
pub use report::Report;
pub use waiting::Nothing;
