//! Asks every STS endpoint of the configuration for an answer, all at once.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::Pending;
use crate::config::environment::Environment;
use crate::doctor::facts::{Configured, Reached};
use crate::domain::identity::Endpoint;
use crate::ports::Clock;
use crate::providers::sts::{Options, ProxySettings, SdkTokenService, url_of};
use crate::providers::system::SystemClock;

/// Each endpoint once, in the order of the configuration.
pub(super) fn reach(environment: &Environment, configured: &Configured) -> Pending<Vec<Reached>> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    let identities = configured.valid().into_iter();
    for identity in identities.flat_map(|config| config.settings.identities.values()) {
        if !endpoints.contains(&identity.endpoint) {
            endpoints.push(identity.endpoint.clone());
        }
    }
    let proxy = proxy(environment);
    Pending::begin(move || match proxy {
        Err(why) => endpoints
            .iter()
            .map(|endpoint| Reached {
                url: url_of(endpoint),
                answer: Err(why.clone()),
            })
            .collect(),
        Ok(proxy) => ask_all(endpoints, proxy),
    })
}

fn proxy(environment: &Environment) -> Result<ProxySettings, String> {
    let variables = &environment.proxy;
    let https = variables.https.as_ref().map(|text| text.expose().as_str());
    let all = variables.all.as_ref().map(|text| text.expose().as_str());
    let settings = ProxySettings::from_values(https, all, variables.no.as_deref());
    settings.map_err(|error| format!("{error}; correct HTTPS_PROXY or unset it"))
}

fn ask_all(endpoints: Vec<Endpoint>, proxy: ProxySettings) -> Vec<Reached> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return Vec::new();
    };
    let service = Arc::new(SdkTokenService::new(Options {
        proxy,
        ..Options::default()
    }));
    let mut reached = runtime.block_on(async {
        let mut asked = JoinSet::new();
        for (place, endpoint) in endpoints.into_iter().enumerate() {
            let service = Arc::clone(&service);
            asked.spawn(async move { (place, ask(&service, &endpoint).await) });
        }
        asked.join_all().await
    });
    runtime.shutdown_background();
    reached.sort_by_key(|(place, _)| *place);
    reached.into_iter().map(|(_, reached)| reached).collect()
}

async fn ask(service: &SdkTokenService, endpoint: &Endpoint) -> Reached {
    let answer = service.probe(endpoint).await;
    let now = SystemClock.now().unix_seconds();
    Reached {
        url: url_of(endpoint),
        answer: match answer {
            Ok(date) => Ok(date.map(|date| now - date.unix_seconds())),
            Err(error) => Err(error.message),
        },
    }
}
