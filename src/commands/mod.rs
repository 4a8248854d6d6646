//! Each AT command as a value: its bytes, its limits, the type of its answer.
//!
//! A value that exists is legal: a value that the module would not take is an [`Invalid`] before a byte is written.
//! Answers are not trusted: lines without the answer are an [`UnexpectedAnswer`].

pub mod cell;
pub mod certificate;
pub mod client;
pub mod client_configuration;
mod client_report;
mod clock;
pub mod connection;
mod data_entry;
mod filter;
mod identity;
mod invalid;
mod numbers;
mod packet_data;
mod position;
pub mod publishing;
mod query;
mod raw;
mod registration;
mod server_address;
pub mod service;
mod signal;
mod sim;
pub mod ssl_context;
pub mod subscribing;
mod text;
mod tls;
pub mod will;

#[cfg(test)]
mod any_answer;

pub use cell::{Cell, ServingCell};
pub use certificate::{CertificateBody, CertificateName};
pub use client_report::ClientReport;
pub use clock::{Clock, ClockTime, TimeServer};
pub use data_entry::{LongestPayload, Payload, PayloadLimit, Topic, WillMessage};
pub use filter::Filter;
pub use identity::{Identity, IdentityValue, ModuleInfo};
pub use invalid::Invalid;
pub use numbers::{
    DisconnectTimeout, KeepAlive, OperationTimeout, ProtocolVersion, PublishTimeout, QoS, SslContextIndex,
    client_index, seconds,
};
pub use packet_data::{
    AccessPoint, AccessPointOptions, ContextNumber, PdpAddresses, PdpContext, PdpContextDefinition,
    PdpContextDefinitions, PdpContextStates, is_data_context_active,
};
pub use position::{CurrentPosition, GnssPower, Position, switch_gnss};
pub use query::{Lines, Query, UnexpectedAnswer};
pub use raw::{LONGEST_LINE, raw};
pub use registration::{
    Domain, DomainRegistration, Operator, Registration, RegistrationIn, RegistrationState, SelectedOperator,
};
pub use server_address::ServerAddress;
pub use signal::{ReceivedSignal, SignalQuality};
pub use sim::{Iccid, Imsi, Pin, Sim, SimState, SimStateQuery};
pub use ssl_context::{SettingValue, SslSetting};
pub use text::{ClientId, Credentials};
pub use tls::{CertificateFile, TlsOptions, TlsSettings, Verify};
pub use will::Will;
