//! What comes over the sockets, through hyper and our own services, before a broker with scripted ports. Law for all: whatever
//! is sent, the connection ends, in HTTP if anything is said at all, with no redirect and no CORS header. For endpoints: no
//! session leaves without the endpoint's token, or for a browser's request. For the control socket: no long-term secret
//! leaves, and no refusal repeats what a person typed.
#![allow(clippy::unwrap_used)]

mod sites;

use std::cell::OnceCell;
use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jumpgate_api::MAX_HEAD_BYTES;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

use self::sites::{CONTAINER_TOKEN, Endpoint, control_socket};
use crate::fuzzed::text;

/// What every session of the scripted STS has.
const SESSION: &str = "canary-session-secret";
/// What every key of the scripted keyring has.
const LONG_TERM: &str = "canary-long-term-secret";
/// What the corpus types.
const TYPED: &str = "canary-typed";

/// In virtual time: far more than all limits together.
const PATIENCE: Duration = Duration::from_secs(24 * 3_600);

/// How long a client waits for answers after it said all.
const LISTENS: Duration = Duration::from_secs(120);

thread_local! {
    static CONTAINER: OnceCell<(Runtime, Endpoint)> = const { OnceCell::new() };
    static IMDS: OnceCell<(Runtime, Endpoint)> = const { OnceCell::new() };
}

/// A runtime whose time runs ahead whenever nothing else does.
fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}

/// What a client sends to the container listener. The token is [`CONTAINER_TOKEN`].
pub(crate) fn container(data: &[u8]) -> Vec<u8> {
    CONTAINER.with(|site| {
        let (runtime, endpoint) = site.get_or_init(|| {
            let runtime = runtime();
            let endpoint = runtime.block_on(Endpoint::container());
            (runtime, endpoint)
        });
        let said = runtime.block_on(exchange(data, |request| endpoint.respond(request)));
        judge_endpoint(data, &said, contains(data, CONTAINER_TOKEN));
        said
    })
}

/// What a client sends to an IMDS listener. `$TOKEN` becomes a token that is valid now.
pub(crate) fn imds(data: &[u8]) -> Vec<u8> {
    IMDS.with(|site| {
        let (runtime, endpoint) = site.get_or_init(|| {
            let runtime = runtime();
            let endpoint = runtime.block_on(Endpoint::imds());
            (runtime, endpoint)
        });
        let sent = with_token(data, &endpoint.token());
        let said = runtime.block_on(exchange(&sent, |request| endpoint.respond(request)));
        judge_endpoint(&sent, &said, contains(data, "$TOKEN"));
        said
    })
}

/// What a client sends to the control socket.
pub(crate) fn control(data: &[u8]) -> Vec<u8> {
    let runtime = runtime();
    let said = runtime.block_on(async {
        let socket = control_socket().await;
        exchange(data, |request| socket.respond(request)).await
    });
    judge(&said);
    assert!(
        !contains(&said, LONG_TERM) && !contains(&said, TYPED),
        "{}",
        lossy(&said)
    );
    assert!(!contains(&said, SESSION) || contains(data, "/v1/credentials"));
    said
}

/// Sends it all, and reads until the other side has nothing more to say.
async fn exchange<F, B>(data: &[u8], respond: impl Fn(Request<Incoming>) -> F) -> Vec<u8>
where
    F: Future<Output = Response<B>>,
    B: Body + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    let (client, server) = tokio::io::duplex(MAX_HEAD_BYTES);
    let service = hyper::service::service_fn(|request| {
        let reply = respond(request);
        async { Ok::<_, Infallible>(reply.await) }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(server), service);
    let (mut hears, mut says) = tokio::io::split(client);
    let asking = async {
        let _may_be_closed = says.write_all(data).await;
        // hyper leaves an answer unsaid when its reader seems to have gone.
        tokio::time::sleep(LISTENS).await;
        let _may_be_closed = says.shutdown().await;
    };
    let hearing = async {
        let mut said = Vec::new();
        let _may_be_reset = hears.read_to_end(&mut said).await;
        said
    };
    let all = async { tokio::join!(serving, asking, hearing).2 };
    tokio::time::timeout(PATIENCE, all).await.expect("it ends")
}

fn judge(said: &[u8]) {
    assert!(
        said.is_empty() || said.starts_with(b"HTTP/1."),
        "{}",
        lossy(said)
    );
    let said = lossy(said).to_ascii_lowercase();
    for header in ["\r\nlocation:", "\r\naccess-control-", "\r\nset-cookie:"] {
        assert!(!said.contains(header), "{said}");
    }
}

fn judge_endpoint(sent: &[u8], said: &[u8], has_token: bool) {
    judge(said);
    assert!(!contains(said, LONG_TERM));
    if !contains(said, SESSION) {
        return;
    }
    assert!(has_token, "{}", lossy(sent));
    let sent = lossy(sent).to_ascii_lowercase();
    assert!(sent.contains("host:"), "{sent}");
    let answers = lossy(said).matches("HTTP/1.").count();
    let foreign = [
        "\norigin:",
        "\nreferer:",
        "\nvia:",
        "\nforwarded:",
        "\nsec-fetch-site:",
    ];
    // One answer, so it is the one to the first head.
    let head = sent.trim_start_matches(['\r', '\n']);
    let head = head.split("\n\r\n").next().unwrap_or_default();
    let head = head.split("\n\n").next().unwrap_or_default();
    assert!(
        answers > 1 || !foreign.iter().any(|name| head.contains(name)),
        "{sent}"
    );
}

fn with_token(data: &[u8], token: &str) -> Vec<u8> {
    match text(data) {
        Some(text) => text.replace("$TOKEN", token).into_bytes(),
        None => data.to_owned(),
    }
}

fn contains(bytes: &[u8], wanted: &str) -> bool {
    bytes
        .windows(wanted.len())
        .any(|window| window == wanted.as_bytes())
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A law about what leaves says nothing where nothing ever does.
    #[test]
    fn what_an_sdk_and_a_client_send_gets_a_session() {
        let credentials = include_bytes!("../../../tests/fuzz/corpus/control/credentials");
        for said in [
            container(include_bytes!("../../../tests/fuzz/corpus/container/boto3")),
            imds(include_bytes!("../../../tests/fuzz/corpus/imds/role")),
            control(credentials),
        ] {
            assert!(contains(&said, SESSION), "{}", lossy(&said));
        }
    }
}
