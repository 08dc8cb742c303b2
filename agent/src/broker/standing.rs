//! What the journal says of endpoints that stand by configuration.

use super::Broker;
use crate::domain::event::{Activity, Event};
use crate::domain::name::LeaseId;
use crate::domain::serve::{Serve, Speaks};

impl Broker {
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
