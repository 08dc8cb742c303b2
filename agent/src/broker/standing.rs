//! What the journal says of endpoints that are opened: by a process, or by configuration.

use super::endpoints::OpenEndpoint;
use super::{Broker, Failure};
use crate::domain::event::{Activity, Event};
use crate::domain::name::LeaseId;
use crate::domain::serve::{Serve, Speaks};

impl Broker {
    /// Records that a process opened an endpoint.
    ///
    /// # Errors
    /// The journal cannot be written; then the endpoint may not stay open.
    pub async fn record_opened(&self, endpoint: &OpenEndpoint) -> Result<(), Failure> {
        let mut event = Event::new(Activity::EndpointOpen, self.ports.clock.now());
        let role = &endpoint.profile().role;
        event.peer = Some(endpoint.owner.clone());
        event.lease = Some(endpoint.lease.clone());
        event.account = Some(role.account());
        event.facts.role_arn = Some(role.to_string());
        event.facts.profile = Some(endpoint.ask.profile.to_string());
        event.facts.interface = Some(endpoint.ask.interface);
        event.facts.rule = endpoint.rule();
        event.facts.reason.clone_from(&endpoint.ask.reason);
        event.facts.ticket.clone_from(&endpoint.ask.ticket);
        Ok(self.ports.journal.record(event).await?)
    }

    /// Records that a standing endpoint was opened for this lease, or why it was not.
    pub async fn record_standing(&self, serve: &Serve, outcome: Result<&LeaseId, String>) {
        let mut event = Event::new(Activity::EndpointOpen, self.ports.clock.now());
        let v1 = match serve.speaks {
            Speaks::Imds { v1: true } => ", IMDSv1 allowed",
            Speaks::Imds { v1: false } | Speaks::Container => "",
        };
        let port = serve.port.number();
        event.detail = Some(format!("serve.{}, port {port}{v1}", serve.name));
        let settings = self.settings();
        let profile = settings.profiles.get(&serve.profile);
        event.account = profile.map(|profile| profile.role.account());
        event.facts.role_arn = profile.map(|profile| profile.role.to_string());
        event.facts.profile = Some(serve.profile.to_string());
        event.facts.interface = Some(serve.ask().interface);
        match outcome {
            Ok(lease) => event.lease = Some(lease.clone()),
            Err(why) => event.failure = Some(why),
        }
        self.record_or_log(event).await;
    }
}
