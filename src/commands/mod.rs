//! Each AT command as a value: its bytes, its limits, the type of its answer.
//!
//! A value that exists is legal: a value that the module would not take is an [`Invalid`] before a byte is written.
//! Answers are not trusted: lines without the answer are an [`UnexpectedAnswer`].

pub mod client;
mod clock;
pub mod connection;
mod identity;
mod legal_values;
pub mod messages;
mod packet_data;
mod position;
mod query;
mod radio;
mod raw;
mod registration;
mod server_address;
pub mod service;
mod sim;
pub mod ssl_context;
mod tls;

pub use client::{ClientId, ClientReport};
pub use clock::{Clock, ClockTime, TimeServer};
pub use connection::{Credentials, Will};
pub use identity::{BaudRate, Identity, IdentityValue, ModuleInfo, restart};
pub use legal_values::{
    DisconnectTimeout, Invalid, KeepAlive, OperationTimeout, ProtocolVersion, PublishTimeout, QoS,
    SslContextIndex, client_index, seconds,
};
pub use messages::{Filter, LongestPayload, Payload, PayloadLimit, Topic, WillMessage};
pub use packet_data::{
    AccessPoint, AccessPointOptions, ContextNumber, PdpAddresses, PdpContext, PdpContextDefinition,
    PdpContextDefinitions, PdpContextStates, is_data_context_active,
};
pub use position::{CurrentPosition, GnssPower, Position, switch_gnss};
pub use query::{Lines, Query, UnexpectedAnswer};
pub use radio::{Cell, ReceivedSignal, ServingCell, SignalQuality};
pub use raw::{LONGEST_LINE, raw};
pub use registration::{
    Domain, DomainRegistration, Operator, Registration, RegistrationIn, RegistrationState, SelectedOperator,
};
pub use server_address::ServerAddress;
pub use sim::{Iccid, Imsi, Pin, Sim, SimState, SimStateQuery};
pub use ssl_context::{CertificateBody, CertificateName};
pub use ssl_context::{SettingValue, SslSetting};
pub use tls::{CertificateFile, TlsOptions, TlsSettings, Verify};
