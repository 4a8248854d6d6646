use std::time::Duration;

use crate::at::ClientIndex;
use crate::commands::{
    ClientId, Credentials, KeepAlive, OperationTimeout, ProtocolVersion, ServerAddress, TlsSettings, Will,
};

/// Everything that a connection is made from, checked beforehand.
#[derive(Clone, Debug)]
pub struct ConnectPlan {
    pub server: ServerAddress,
    /// `None`: the module's IMEI and the client index.
    pub client_id: Option<ClientId>,
    /// `None`: the first that is free.
    pub client: Option<ClientIndex>,
    pub credentials: Option<Credentials>,
    pub keep_alive: KeepAlive,
    pub clean_session: bool,
    pub will: Option<Will>,
    /// Given exactly if the server address asks for it.
    pub tls: Option<TlsSettings>,
    pub version: ProtocolVersion,
    pub check_utf8: bool,
    pub operation_timeout: OperationTimeout,
    pub timeout: Duration,
}
