//! Carries the SDK's requests: DNS, TCP, the proxy, TLS and HTTP/1.1, by the same hyper and rustls that the
//! rest of the agent is built on.
//!
//! Each request has a connection of its own. STS is asked a few times an hour, so a kept connection would save
//! a round trip now and then, and would be found dead after every suspend, which costs an MFA code. Nothing is
//! spawned: dropping the future closes the connection.

use std::error::Error;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::http::{
    HttpConnector as SdkConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{DATE, HOST, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower_service::Service;
use zeroize::Zeroizing;

use super::proxy::{ProxySettings, Route};
use super::skew::TheirClock;

/// The largest body of an answer, in bytes. STS's largest has less than 10 kB.
pub const MAX_BODY_BYTES: usize = 64 * 1_024;

/// The largest head of an answer, in bytes.
pub const MAX_HEAD_BYTES: usize = 16 * 1_024;

type BoxError = Box<dyn Error + Send + Sync>;
type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// No connection in time.
    #[error("no connection to {0} in time")]
    ConnectTimedOut(String),
    /// DNS, TCP, TLS or the proxy said no.
    #[error("cannot connect to {0}")]
    Connect(String, #[source] BoxError),
    /// The connection broke before the answer was complete.
    #[error("the connection broke")]
    Broken(#[source] hyper::Error),
    /// What came is not HTTP.
    #[error("the answer is not HTTP")]
    NotHttp(#[source] BoxError),
    /// More than anybody needs.
    #[error("the answer is larger than {MAX_BODY_BYTES} bytes")]
    TooLarge,
    /// The request cannot be sent as it is.
    #[error("the request cannot be sent")]
    Request(#[source] BoxError),
}

impl Fault {
    /// Whether what came cannot be understood, as opposed to nothing or half of it having come.
    pub(super) const fn is_unreadable(&self) -> bool {
        matches!(self, Self::TooLarge | Self::NotHttp(_))
    }
}

impl From<Fault> for ConnectorError {
    /// The SDK repeats what timed out and what broke, and nothing else.
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::ConnectTimedOut(_) => Self::timeout(fault.into()).never_connected(),
            Fault::Connect(..) => Self::io(fault.into()).never_connected(),
            Fault::Broken(_) => Self::io(fault.into()),
            Fault::NotHttp(_) | Fault::TooLarge => Self::other(fault.into(), None),
            Fault::Request(_) => Self::user(fault.into()),
        }
    }
}

/// Carries requests to the hosts that its TLS settings trust.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    /// TLS for `https` endpoints; an `http` endpoint needs none.
    pub(super) tls: Option<Arc<ClientConfig>>,
    /// Which hosts are reached through which proxy.
    pub(super) proxy: ProxySettings,
    /// The time for DNS, TCP, proxy and TLS together.
    pub(super) connect_timeout: Duration,
    /// What the answers' dates say.
    pub(super) clock: TheirClock,
}

impl SdkConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move { Ok(this.exchange(request).await?) })
    }
}

impl Connector {
    /// The connector in the form that the SDK's configuration takes.
    pub(super) fn into_client(self) -> SharedHttpClient {
        let shared = SharedHttpConnector::new(self);
        http_client_fn(move |_, _| shared.clone())
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, Fault> {
        let answer = self.fetch(request).await?;
        // As a stream: the SDK writes bodies that are in memory into its TRACE log.
        HttpResponse::try_from(answer.map(|body| SdkBody::from_body_1_x(Full::new(body))))
            .map_err(|error| Fault::NotHttp(error.into()))
    }

    /// One request on a connection of its own, and the whole answer.
    pub(super) async fn fetch(&self, request: HttpRequest) -> Result<Response<Bytes>, Fault> {
        let (target, request) = origin_form(request).map_err(Fault::Request)?;
        let host = target
            .authority()
            .map(ToString::to_string)
            .unwrap_or_default();
        let way = match self.proxy.route(&target) {
            Route::Tunnel { proxy, .. } => format!("{host} by the proxy {proxy}"),
            Route::Direct => host.clone(),
        };
        let stream = tokio::time::timeout(self.connect_timeout, self.connect(target))
            .await
            .map_err(|_| Fault::ConnectTimedOut(way))?
            .map_err(|error| Fault::Connect(host, error))?;
        let sent = SystemTime::now();
        let answer = send(stream, request).await?;
        let date = answer.headers().get(DATE);
        if let Some(date) = date.and_then(|date| date.to_str().ok()) {
            self.clock.heard(sent, date);
        }
        Ok(answer)
    }

    async fn connect(&self, target: Uri) -> Result<Stream, BoxError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let Some(tls) = self
            .tls
            .clone()
            .filter(|_| target.scheme_str() == Some("https"))
        else {
            return Ok(MaybeHttpsStream::Http(ready_call(tcp, target).await?));
        };
        match self.proxy.route(&target) {
            Route::Direct => ready_call(HttpsConnector::from((tcp, tls)), target).await,
            Route::Tunnel {
                proxy,
                authorization,
            } => {
                let through = format!("the proxy {proxy} gives no tunnel");
                let mut tunnel = Tunnel::new(proxy, tcp);
                if let Some(value) = authorization {
                    tunnel = tunnel.with_auth(value);
                }
                let connecting = ready_call(HttpsConnector::from((tunnel, tls)), target);
                connecting.await.map_err(|error| name_proxy(through, error))
            }
        }
    }
}

/// A fault of the proxy, with its name; TLS faults behind it are the endpoint's.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct ProxyFault(String, #[source] BoxError);

fn name_proxy(what: String, error: BoxError) -> BoxError {
    if error.is::<std::io::Error>() {
        return error;
    }
    Box::new(ProxyFault(what, error))
}

async fn ready_call<S>(mut service: S, target: Uri) -> Result<S::Response, BoxError>
where
    S: Service<Uri>,
    S::Error: Into<BoxError>,
{
    poll_fn(|context| service.poll_ready(context))
        .await
        .map_err(Into::into)?;
    service.call(target).await.map_err(Into::into)
}

/// The request as it goes over the wire: only the path in its first line, and a `Host`.
fn origin_form(request: HttpRequest) -> Result<(Uri, Request<SdkBody>), BoxError> {
    let mut request = request.try_into_http1x()?;
    let target = request.uri().clone();
    let authority = target
        .authority()
        .ok_or("no host in the request's address")?;
    if !request.headers().contains_key(HOST) {
        let host = HeaderValue::from_str(authority.as_str())?;
        request.headers_mut().insert(HOST, host);
    }
    let path = target.path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse()?;
    Ok((target, request))
}

async fn send(stream: Stream, request: Request<SdkBody>) -> Result<Response<Bytes>, Fault> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD_BYTES)
        .handshake(stream)
        .await
        .map_err(Fault::Broken)?;
    let exchange = async {
        let (head, body) = sender
            .send_request(request)
            .await
            .map_err(fault_of)?
            .into_parts();
        Ok(Response::from_parts(head, read_body(body).await?))
    };
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        biased;
        answer = &mut exchange => answer,
        // The connection may end before all that it brought is read; how it ended, the exchange says.
        _ = connection => exchange.await,
    }
}

fn fault_of(error: hyper::Error) -> Fault {
    if error.is_parse() {
        Fault::NotHttp(error.into())
    } else {
        Fault::Broken(error)
    }
}

/// The whole body, in memory that is wiped when the SDK has read it.
async fn read_body(mut body: Incoming) -> Result<Bytes, Fault> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(initial_capacity(&body)));
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(fault_of)?.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > MAX_BODY_BYTES {
            return Err(Fault::TooLarge);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Bytes::from_owner(bytes))
}

/// Room for all of it at once where the length is known: growing would leave copies behind.
fn initial_capacity(body: &Incoming) -> usize {
    let announced = body
        .size_hint()
        .upper()
        .and_then(|size| usize::try_from(size).ok());
    announced.unwrap_or(MAX_BODY_BYTES).min(MAX_BODY_BYTES)
}
