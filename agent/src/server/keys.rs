//! The control server's part about identities and their keys.

use std::sync::Arc;

use hyper::Response;
use jumpgate_api::{
    IdentityAddRequest, IdentityList, IdentityRemoved, Problem, RotateReply, RotateRequest,
};

use super::body::{Body, ok};
use super::control::Control;
use super::problem::problem;
use super::{answers, asks};
use crate::domain::peer::Peer;

impl Control {
    pub(super) fn identities(&self) -> IdentityList {
        let settings = self.broker.settings();
        let summary =
            |identity: &Arc<_>| answers::identity_summary(identity, self.broker.standing(identity));
        IdentityList {
            identities: settings.identities.values().map(summary).collect(),
        }
    }

    pub(super) async fn add_identity(
        &self,
        peer: &Peer,
        name: &str,
        request: IdentityAddRequest,
    ) -> Result<Response<Body>, Problem> {
        let name = asks::identity_name(name)?;
        let settings = self.broker.settings();
        let (key, given) = asks::key(request, settings.identities.get(&name))?;
        let added = self.broker.add_identity(peer, &name, &key, &given).await;
        let (identity, caller) = added.map_err(|failure| problem(&failure))?;
        Ok(ok(&answers::identity(&identity, &caller)))
    }

    pub(super) async fn remove_identity(
        &self,
        peer: &Peer,
        name: &str,
    ) -> Result<Response<Body>, Problem> {
        let name = asks::identity_name(name)?;
        let removed = self.broker.remove_identity(peer, &name).await;
        removed.map_err(|failure| problem(&failure))?;
        Ok(ok(&IdentityRemoved {
            name: name.to_string(),
        }))
    }

    pub(super) async fn check_identity(&self, name: &str) -> Result<Response<Body>, Problem> {
        let checked = self
            .broker
            .check_identity(&asks::identity_name(name)?)
            .await;
        let (identity, caller) = checked.map_err(|failure| problem(&failure))?;
        Ok(ok(&answers::identity(&identity, &caller)))
    }

    pub(super) async fn rotate_identity(
        &self,
        peer: &Peer,
        name: &str,
        request: RotateRequest,
    ) -> Result<Response<Body>, Problem> {
        let name = asks::identity_name(name)?;
        let (wish, given) = asks::rotation(request)?;
        let rotated = self
            .broker
            .rotate_identity(peer, &name, wish, &given)
            .await
            .map_err(|failure| problem(&failure))?;
        Ok(ok(&RotateReply {
            name: name.to_string(),
            key: answers::key(&rotated),
        }))
    }
}
