//! Each AT command as a value: its bytes, its limits, what its answer means.
//!
//! A value that exists is legal: what the module would not take is an [`Invalid`] before a byte is written. What it
//! answers is not trusted: lines that do not say what was asked are an [`UnexpectedAnswer`].

pub mod cell;
pub mod certificate;
pub mod client;
pub mod client_configuration;
mod client_report;
pub mod connection;
mod data_entry;
mod filter;
pub mod identity;
mod information;
mod invalid;
pub mod limits;
pub mod network;
mod numbers;
pub mod publishing;
mod raw;
mod server_address;
pub mod service;
pub mod ssl_context;
pub mod subscribing;
mod text;
mod tls;
pub mod will;

#[cfg(test)]
mod any_answer;

pub use cell::Cell;
pub use certificate::{CertificateBody, CertificateName};
pub use client_report::{ClientReport, default_client_id};
pub use data_entry::{Payload, PayloadLimit, Topic, WillMessage};
pub use filter::Filter;
pub use identity::{Identity, ModuleInfo};
pub use information::{Lines, UnexpectedAnswer};
pub use invalid::Invalid;
pub use network::{Registration, SignalQuality};
pub use numbers::{
    DisconnectTimeout, KeepAlive, OperationTimeout, ProtocolVersion, PublishTimeout, QoS, SslContextIndex,
    client_index, seconds,
};
pub use raw::{LONGEST_LINE, raw};
pub use server_address::ServerAddress;
pub use ssl_context::{SettingValue, SslSetting};
pub use text::{ClientId, Credentials};
pub use tls::{CertificateFile, TlsOptions, TlsSettings, Verify};
pub use will::Will;
