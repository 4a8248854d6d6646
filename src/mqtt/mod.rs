//! The module's MQTT service and its two clients: what is known of them, and the procedures that change it.
//!
//! A procedure (connect, reconnect, disconnect, …) is an `async fn` of [`Session`] that reads from top to bottom. All of
//! them run on the I/O thread, inside [`MqttService`], which takes bytes and time and gives bytes and outputs. Nothing
//! here blocks, ticks or has a thread.

mod back_off;
mod client_state;
mod connect;
mod connect_plan;
mod deferred;
mod disconnect;
mod error;
mod executor;
mod expected_line;
mod expected_lines;
mod hint;
mod module_state;
mod network;
mod offline_queue;
mod one_shot;
mod output;
mod publish;
mod reconnect;
mod reconnecting_client;
mod retry_decision;
mod service;
mod service_start;
mod session;
mod settings;
mod stale_clients;
mod subscriptions;
mod turn;
mod turns;
mod unknown_settings;

pub use back_off::ReconnectPolicy;
pub use client_state::ClientState;
pub use connect_plan::ConnectPlan;
pub use deferred::Deferred;
pub use error::{Error, cause_in_words};
pub use executor::{Task, TaskId};
pub use module_state::{ClientSnapshot, ModuleState};
pub use output::Output;
pub use publish::Message;
pub use service::{MqttService, Procedure};
pub use session::Session;
pub use settings::Settings;
