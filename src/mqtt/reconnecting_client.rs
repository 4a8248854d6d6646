use super::back_off::ReconnectPolicy;
use super::connect_plan::ConnectPlan;
use super::executor::TaskId;
use super::one_shot::OneShot;
use crate::channel::LostBy;
use crate::commands::{ClientId, QoS, Topic};

/// A client that reconnects: all that is needed to bring it back.
#[derive(Debug)]
pub(super) struct ReconnectingClient {
    pub(super) plan: ConnectPlan,
    pub(super) client_id: ClientId,
    pub(super) policy: ReconnectPolicy,
    pub(super) subscriptions: Vec<(Topic, QoS)>,
    /// The connection that stands, or that an attempt may have left behind, lacks some of the subscriptions.
    pub(super) lacks_subscriptions: bool,
    /// The loss that the last attempt began to repair: the client's state does not tell it while it connects.
    pub(super) loss: Option<LostBy>,
    pub(super) task: TaskId,
    /// Something may be wrong with the connection, and was not looked at yet.
    pub(super) has_trouble: bool,
    pub(super) waiting: Option<OneShot<()>>,
}
