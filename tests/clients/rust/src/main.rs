//! `aws-config` as an application uses it: one client for its whole life, credentials from the default chain.
//!
//! `whoami [--hold N]`: one GetCallerIdentity, or N, each when a line comes on standard input. Prints one JSON
//! line for each call. The first failure ends it: the SDK's whole chain of errors on standard error, status 1.

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::config::SharedHttpClient;
use aws_sdk_sts::error::DisplayErrorContext;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Builder, Connector};

/// The default chain, and what it gave last.
#[derive(Debug, Clone)]
struct Watched {
    chain: SharedCredentialsProvider,
    last: Arc<Mutex<Option<Credentials>>>,
}

impl Watched {
    async fn load(&self) -> provider::Result {
        let credentials = self.chain.provide_credentials().await?;
        *self.last.lock().expect("nobody panics with it") = Some(credentials.clone());
        Ok(credentials)
    }

    fn last(&self) -> Option<Credentials> {
        self.last.lock().expect("nobody panics with it").clone()
    }
}

impl ProvideCredentials for Watched {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.load())
    }
}

/// The SDK's own default without its TLS: it takes its proxies from the environment, as that does.
fn plain_http() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = Connector::builder();
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build_http()
    })
}

async fn client() -> Option<(aws_sdk_sts::Client, Watched)> {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(plain_http())
        .load()
        .await;
    let watched = Watched {
        chain: config.credentials_provider()?,
        last: Arc::default(),
    };
    let sts = aws_sdk_sts::config::Builder::from(&config)
        .credentials_provider(watched.clone())
        .build();
    Some((aws_sdk_sts::Client::from_conf(sts), watched))
}

async fn call(sts: &aws_sdk_sts::Client, watched: &Watched) -> Result<(), String> {
    let answer = sts.get_caller_identity().send().await;
    let answer = answer.map_err(|error| DisplayErrorContext(error).to_string())?;
    let credentials = watched.last();
    let line = serde_json::json!({
        "client": "rust",
        "version": "1.13.0",
        "arn": answer.arn(),
        "access_key_id": credentials.as_ref().map(Credentials::access_key_id),
        "expiration": credentials.and_then(|c| c.expiry()).map(|time| {
            aws_sdk_sts::primitives::DateTime::from(time).to_string()
        }),
    });
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| error.to_string())
}

fn calls() -> Option<usize> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Some(0),
        ["--hold", count] => count.parse().ok(),
        _ => None,
    }
}

/// Waits for whoever drives us; its end is ours. Connections are looked after meanwhile, as in any application: one that
/// was closed must not be taken for the next request.
async fn told_to_go_on() -> bool {
    let read = || std::io::stdin().lock().read_line(&mut String::new());
    let read = tokio::task::spawn_blocking(read).await;
    matches!(read, Ok(Ok(bytes)) if bytes > 0)
}

async fn run(held: usize) -> Result<(), String> {
    let (sts, watched) = client().await.ok_or("there is no credential chain")?;
    if held == 0 {
        return call(&sts, &watched).await;
    }
    for _ in 0..held {
        if !told_to_go_on().await {
            break;
        }
        call(&sts, &watched).await?;
    }
    Ok(())
}

/// Says it. Where nobody can be told, the status still tells.
fn failed(text: &str, status: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::from(status)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(held) = calls() else {
        return failed("usage: whoami [--hold N]", 64);
    };
    match run(held).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error, 1),
    }
}
