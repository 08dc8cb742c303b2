//! [`TokenService`] by the AWS SDK, on the connector of this agent.
//!
//! Nothing but what is handed in decides whom we talk to and who signs: the SDK's own search for credentials,
//! regions and settings is not even linked. Building the service touches neither network nor files;
//! certificates are read on the first call that needs them.

mod access_keys;
mod answers;
mod connector;
mod errors;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;
mod probe;
mod proxy;
mod query;
mod requests;
mod skew;
mod trust;

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_sts::Client;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::timeout::TimeoutConfig;
use aws_sdk_sts::config::{
    AppName, BehaviorVersion, Config, IdentityCache, Region, StalledStreamProtectionConfig,
};
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::RequestId;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::SharedTimeSource;
use jumpgate_iam::{CallerArn, MfaSessionDuration};

use self::connector::Connector;
use self::errors::Hidden;
use self::query::Query;
use self::requests::{filled, seconds};
use self::skew::TheirClock;
use self::trust::TrustStore;
use crate::domain::assume_role::{AssumeRoleRequest, ScopeDown};
use crate::domain::identity::{BaseCredentials, Endpoint};
use crate::domain::session::AssumedRole;
use crate::ports::{Answer, MfaProof, TokenError, TokenErrorKind, TokenService};

pub use self::connector::{MAX_BODY_BYTES, MAX_HEAD_BYTES};
pub use self::proxy::{MAX_EXCEPTIONS_BYTES, MAX_PROXY_BYTES, ProxyError, ProxySettings};
pub use self::trust::MAX_CA_BUNDLE_BYTES;

/// The time for DNS, TCP, proxy and TLS together.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The time for one attempt, connecting included.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// The time for one operation with all its attempts.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(12);

/// The longest wait before the second attempt; the third waits at most twice as long.
pub const INITIAL_BACKOFF: Duration = Duration::from_millis(250);

/// The longest wait between attempts, whatever the answer asks for.
pub const MAX_BACKOFF: Duration = Duration::from_secs(1);

/// How often a call is made before its failure counts, when the failure may pass.
pub const MAX_ATTEMPTS: u32 = 3;

/// STS's only version (STS API reference, "Making Query requests").
const API_VERSION: &str = "2011-06-15";

/// A call with an MFA code is made once: AWS refuses a code that it has seen, whatever became of the call.
const ATTEMPTS_WITH_CODE: u32 = 1;

/// What the service is built from.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How endpoints are reached.
    pub proxy: ProxySettings,
    /// How long is waited for them.
    pub patience: Patience,
}

/// How long is waited for STS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For one attempt.
    pub attempt: Duration,
    /// For all attempts.
    pub operation: Duration,
    /// Before the second attempt, at most.
    pub backoff: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: CONNECT_TIMEOUT,
            attempt: ATTEMPT_TIMEOUT,
            operation: OPERATION_TIMEOUT,
            backoff: INITIAL_BACKOFF,
        }
    }
}

/// STS as the AWS SDK for Rust speaks to it.
#[derive(Debug)]
pub struct SdkTokenService {
    options: Options,
    trust: Arc<TrustStore>,
    clock: TheirClock,
    calls: AtomicU64,
    failures: AtomicU64,
}

impl SdkTokenService {
    /// A service that has not done anything yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            trust: Arc::default(),
            clock: TheirClock::default(),
            calls: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    /// A client for one call: the credentials that sign it live as long as it does.
    async fn client(
        &self,
        endpoint: &Endpoint,
        credentials: &BaseCredentials,
        attempts: u32,
    ) -> Result<Client, TokenError> {
        let connector = self.connector(endpoint).await?;
        let patience = self.options.patience;
        let retries = RetryConfig::standard()
            .with_max_attempts(attempts)
            .with_initial_backoff(patience.backoff)
            .with_max_backoff(MAX_BACKOFF);
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(patience.attempt)
            .operation_timeout(patience.operation)
            .build();
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .app_name(AppName::new("jumpgate").expect("letters are legal in the name of an app"))
            .region(Region::new(endpoint.region.as_str().to_owned()))
            .credentials_provider(signer(credentials))
            .identity_cache(IdentityCache::no_cache())
            .http_client(connector.into_client())
            .retry_config(retries)
            .timeout_config(timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            // Ours is corrected by what `skew` measured, and expiries with it.
            .disable_clock_skew_correction(true)
            .sleep_impl(TokioSleep::new())
            .time_source(SharedTimeSource::new(self.clock.clone()));
        config.set_endpoint_url(endpoint.url.as_ref().map(|url| url.as_str().to_owned()));
        Ok(Client::from_conf(config.build()))
    }

    async fn connector(&self, endpoint: &Endpoint) -> Result<Connector, TokenError> {
        let is_plain = endpoint
            .url
            .as_ref()
            .is_some_and(|url| url.as_str().starts_with("http://"));
        let tls = if is_plain {
            None
        } else {
            let trust = Arc::clone(&self.trust);
            let bundle = endpoint.ca_bundle.clone();
            let loading = tokio::task::spawn_blocking(move || trust.load(bundle.as_deref()));
            let loaded = loading.await.map_err(|error| errors::unavailable(&error))?;
            Some(loaded.map_err(|error| errors::unavailable(&error))?)
        };
        Ok(Connector {
            tls,
            proxy: self.options.proxy.clone(),
            connect_timeout: self.options.patience.connect,
            clock: self.clock.clone(),
        })
    }

    /// One call, counted. A refusal because of our clock is dated: then it is made again, by their time. AWS looks at the
    /// signature first, so a code in it is not used up.
    async fn asked<'a, T>(
        &self,
        call: impl Fn() -> Answer<'a, Result<T, TokenError>>,
    ) -> Result<T, TokenError> {
        let signed_by = self.clock.applied();
        let mut outcome = call().await;
        let skewed = |error: &TokenError| error.kind == TokenErrorKind::ClockSkewed;
        if outcome.as_ref().is_err_and(skewed) && self.clock.applied() != signed_by {
            outcome = call().await;
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        if outcome.is_err() {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    async fn ask_caller_identity(
        &self,
        endpoint: &Endpoint,
        credentials: &BaseCredentials,
    ) -> Result<CallerArn, TokenError> {
        let client = self.client(endpoint, credentials, MAX_ATTEMPTS).await?;
        let sent = client.get_caller_identity().send().await;
        answers::caller(sent.map_err(translated(credentials, None))?)
    }

    async fn ask_session_token(
        &self,
        endpoint: &Endpoint,
        key: &BaseCredentials,
        mfa: MfaProof<'_>,
        duration: MfaSessionDuration,
    ) -> Result<BaseCredentials, TokenError> {
        let client = self.client(endpoint, key, ATTEMPTS_WITH_CODE).await?;
        let call = client
            .get_session_token()
            .duration_seconds(seconds(duration.seconds()))
            .serial_number(mfa.serial.as_str())
            .token_code(mfa.code.expose());
        let answer = call.send().await.map_err(translated(key, Some(mfa)))?;
        let mut base = answers::base_credentials(answer)?;
        base.expires_at = base.expires_at.map(|end| self.clock.on_ours(end));
        Ok(base)
    }

    async fn ask_assume_role(
        &self,
        endpoint: &Endpoint,
        credentials: &BaseCredentials,
        request: &AssumeRoleRequest,
        mfa: Option<MfaProof<'_>>,
    ) -> Result<AssumedRole, TokenError> {
        let attempts = mfa.map_or(MAX_ATTEMPTS, |_| ATTEMPTS_WITH_CODE);
        let client = self.client(endpoint, credentials, attempts).await?;
        let call = filled(client.assume_role(), request)
            .set_serial_number(mfa.map(|mfa| mfa.serial.as_str().to_owned()))
            .set_token_code(mfa.map(|mfa| mfa.code.expose().clone()));
        let answer = call.send().await.map_err(translated(credentials, mfa))?;
        answers::assumed_role(answer).map(|assumed| self.on_our_clock(assumed))
    }

    /// The SDK has no such operation yet.
    async fn ask_scoped_credentials(
        &self,
        endpoint: &Endpoint,
        credentials: &BaseCredentials,
        taken: &ScopeDown,
    ) -> Result<AssumedRole, TokenError> {
        let mut form = vec![
            ("Action", "GetScopedCredentials".to_owned()),
            ("Version", API_VERSION.to_owned()),
        ];
        let policy = taken.policy.as_ref();
        form.extend(policy.map(|policy| ("Policy", policy.minified().to_owned())));
        let duration = taken
            .duration
            .map(|duration| duration.seconds().to_string());
        form.extend(duration.map(|seconds| ("DurationSeconds", seconds)));
        let query = Query {
            url: url_of(endpoint),
            service: "sts",
            region: endpoint.region.as_str(),
            form,
        };
        let connector = self.connector(endpoint).await?;
        let (signer, hidden) = (signer(credentials), hidden(credentials, None));
        let manner = (self.options.patience, MAX_ATTEMPTS);
        let answer = query.send(&connector, &signer, &hidden, manner).await?;
        answers::scoped_credentials(answer).map(|scoped| self.on_our_clock(scoped))
    }

    fn on_our_clock(&self, answer: AssumedRole) -> AssumedRole {
        AssumedRole {
            expires_at: self.clock.on_ours(answer.expires_at),
            ..answer
        }
    }
}

/// The regional endpoint: the global one does not have GetScopedCredentials.
pub(crate) fn url_of(endpoint: &Endpoint) -> String {
    let region = &endpoint.region;
    endpoint.url.as_ref().map_or_else(
        || {
            format!(
                "https://sts.{region}.{}",
                region.partition().sts_dns_suffix()
            )
        },
        |url| url.as_str().to_owned(),
    )
}

impl TokenService for SdkTokenService {
    fn caller_identity<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        credentials: &'a BaseCredentials,
    ) -> Answer<'a, Result<CallerArn, TokenError>> {
        Box::pin(self.asked(move || Box::pin(self.ask_caller_identity(endpoint, credentials))))
    }

    fn session_token<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        key: &'a BaseCredentials,
        mfa: MfaProof<'a>,
        duration: MfaSessionDuration,
    ) -> Answer<'a, Result<BaseCredentials, TokenError>> {
        Box::pin(self.asked(move || Box::pin(self.ask_session_token(endpoint, key, mfa, duration))))
    }

    fn assume_role<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        credentials: &'a BaseCredentials,
        request: &'a AssumeRoleRequest,
        mfa: Option<MfaProof<'a>>,
    ) -> Answer<'a, Result<AssumedRole, TokenError>> {
        Box::pin(
            self.asked(move || Box::pin(self.ask_assume_role(endpoint, credentials, request, mfa))),
        )
    }

    fn scoped_credentials<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        credentials: &'a BaseCredentials,
        taken: &'a ScopeDown,
    ) -> Answer<'a, Result<AssumedRole, TokenError>> {
        Box::pin(
            self.asked(move || Box::pin(self.ask_scoped_credentials(endpoint, credentials, taken))),
        )
    }

    fn counts(&self) -> (u64, u64) {
        let failures = self.failures.load(Ordering::Relaxed);
        (self.calls.load(Ordering::Relaxed), failures)
    }

    fn skew(&self) -> Option<i64> {
        self.clock.measured()
    }

    fn forget_skew(&self) {
        self.clock.forget();
    }
}

/// Credentials as the SDK signs with them. Their end is AWS's to judge, so the SDK is not told.
fn signer(credentials: &BaseCredentials) -> Credentials {
    let token = credentials.session_token.as_ref();
    Credentials::new(
        credentials.access_key_id.as_str(),
        credentials.secret_access_key.expose().as_str(),
        token.map(|token| token.expose().clone()),
        None,
        "jumpgate",
    )
}

/// Makes the port's error of the SDK's, without what signed the call and the code that went with it.
fn translated<'a, E>(
    credentials: &'a BaseCredentials,
    mfa: Option<MfaProof<'a>>,
) -> impl Fn(SdkError<E>) -> TokenError + 'a
where
    E: ProvideErrorMetadata + Error + 'static,
    SdkError<E>: RequestId,
{
    move |error| errors::translate(&error, &hidden(credentials, mfa))
}

fn hidden<'a>(credentials: &'a BaseCredentials, mfa: Option<MfaProof<'a>>) -> Hidden<'a> {
    let token = credentials.session_token.as_ref();
    let mut hidden = vec![credentials.secret_access_key.expose().as_str()];
    hidden.extend(token.map(|token| token.expose().as_str()));
    hidden.extend(mfa.map(|mfa| mfa.code.expose().as_str()));
    Hidden(hidden)
}

#[cfg(test)]
mod tests;
