//! What comes over the wire in the forms that real clients use: kept connections, GET and presigned
//! calls, aws-chunked bodies, `Expect: 100-continue`; and what no client sends.

use crate::client::{
    Draft, Keys, Reply, encoded, form, hex, hmac, receive, send, sha256_hex, wire,
};
use crate::lab::{Bench, Lab, VERSION};
use jumpgate_tests::sts::basic;
use std::io::{Read, Write};
use std::net::TcpStream;

fn bench() -> Bench {
    Lab { without: None }.plain()
}

fn exchange(stream: &mut TcpStream, bytes: &[u8]) -> Option<Reply> {
    stream.write_all(bytes).unwrap();
    receive(stream)
}

#[test]
fn one_connection_carries_many_calls_of_both_services() {
    let bench = bench();
    let address = bench.double.address();
    let session = bench.session(&[]);
    let mut stream = TcpStream::connect(address).unwrap();
    for _ in 0..3 {
        let who = wire(
            &bench.draft("GetCallerIdentity", &[]),
            Some(&session),
            address,
        );
        assert_eq!(exchange(&mut stream, &who).unwrap().outcome(), "200");
        let list = Draft::new("GET", "/demo?list-type=2&prefix=", "s3");
        let reply = exchange(&mut stream, &wire(&list, Some(&session), address)).unwrap();
        assert_eq!(reply.field("Key").as_deref(), Some("hello.txt"));
    }
}

#[test]
fn a_call_may_come_by_get() {
    let bench = bench();
    let query = form(&[("Action", "GetCallerIdentity"), ("Version", VERSION)]);
    let draft = Draft::new("GET", &format!("/?{query}"), "sts");
    let reply = bench.send(&draft, Some(&bench.alice()));
    assert_eq!(
        reply.field("Arn").as_deref(),
        Some("arn:aws:iam::111111111111:user/alice")
    );
    let unsigned = bench.send(&draft, None);
    assert_eq!(unsigned.outcome(), "403 MissingAuthenticationToken");
}

/// A presigned URL: everything that signs is in the query, and the signature covers it.
fn presigned(bench: &Bench, keys: &Keys, path: &str, service: &str, own: &str, age: i64) -> Reply {
    let payload = if service == "s3" {
        "UNSIGNED-PAYLOAD".to_owned()
    } else {
        sha256_hex(b"")
    };
    let time = bench.double.now() - age;
    let scope = format!("{}/eu-west-1/{service}/aws4_request", &basic(time)[..8]);
    let mut pairs: Vec<String> = own
        .split('&')
        .filter(|p| !p.is_empty())
        .map(Into::into)
        .collect();
    pairs.push("X-Amz-Algorithm=AWS4-HMAC-SHA256".into());
    pairs.push(format!(
        "X-Amz-Credential={}",
        encoded(&format!("{}/{scope}", keys.id))
    ));
    pairs.push(format!("X-Amz-Date={}", basic(time)));
    pairs.push("X-Amz-Expires=60".into());
    pairs.push("X-Amz-SignedHeaders=host".into());
    if let Some(token) = &keys.token {
        pairs.push(format!("X-Amz-Security-Token={}", encoded(token)));
    }
    pairs.sort();
    let query = pairs.join("&");
    let host = bench.double.address();
    let canonical = format!("GET\n{path}\n{query}\nhost:{host}\n\nhost\n{payload}");
    let hash = sha256_hex(canonical.as_bytes());
    let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{hash}", basic(time));
    let draft = Draft {
        time,
        ..Draft::new("GET", path, service)
    };
    let signature = hex(&hmac(&draft.signing_key(&keys.secret), text.as_bytes()));
    let target = format!("{path}?{query}&X-Amz-Signature={signature}");
    let draft = Draft {
        target,
        send_hash: false,
        ..draft
    };
    send(&draft, None, host).unwrap()
}

#[test]
fn presigned_urls_are_checked_like_headers() {
    let bench = bench();
    let keys = bench.session(&[]);
    let call = format!("Action=GetCallerIdentity&Version={VERSION}");
    assert_eq!(
        presigned(&bench, &keys, "/", "sts", &call, 0).outcome(),
        "200"
    );
    assert_eq!(
        presigned(&bench, &keys, "/demo/hello.txt", "s3", "", 30).body,
        b"hello"
    );
    let late = presigned(&bench, &keys, "/demo/hello.txt", "s3", "", 90);
    assert_eq!(late.outcome(), "403 RequestTimeTooSkewed");
    let wrong = Keys {
        secret: "wrong".into(),
        ..keys
    };
    let wrong = presigned(&bench, &wrong, "/demo/hello.txt", "s3", "", 0);
    assert_eq!(wrong.outcome(), "403 SignatureDoesNotMatch");
}

/// A body in aws-chunked form with unsigned chunks and a checksum behind them.
fn unsigned_chunks(checksum: &str) -> Draft {
    let body = format!("5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n");
    let draft = Draft::new("PUT", "/demo/chunked", "s3")
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", "11")
        .header("x-amz-trailer", "x-amz-checksum-crc32")
        .body(body.as_bytes());
    Draft {
        payload: Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER".into()),
        ..draft
    }
}

#[test]
fn unsigned_chunks_are_taken_apart_and_their_checksum_compared() {
    let bench = bench();
    let keys = bench.session(&[]);
    // CRC-32 of "hello world" is 0x0d4a1185.
    let reply = bench.send(&unsigned_chunks("DUoRhQ=="), Some(&keys));
    assert_eq!(reply.outcome(), "200");
    assert_eq!(
        bench.double.object("demo", "chunked").unwrap(),
        b"hello world"
    );
    let reply = bench.send(&unsigned_chunks("DUoRhA=="), Some(&keys));
    assert_eq!(reply.outcome(), "400 BadDigest");
    let mut short = unsigned_chunks("DUoRhQ==");
    short
        .headers
        .retain(|(name, _)| name != "x-amz-decoded-content-length");
    let short = short.header("x-amz-decoded-content-length", "12");
    assert_eq!(
        bench.send(&short, Some(&keys)).outcome(),
        "400 IncompleteBody"
    );
}

/// A body in aws-chunked form, each chunk and the trailer signed.
fn signed_chunks(bench: &Bench, keys: &Keys, last: &[u8]) -> Draft {
    let draft = Draft::new("PUT", "/demo/signed", "s3")
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", "11")
        .header("x-amz-trailer", "x-amz-checksum-crc32");
    let payload = Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER".to_owned());
    let draft = Draft { payload, ..draft };
    let host = bench.double.address().to_string();
    let seed = draft.clone().header("host", &host).signature(keys);
    let scope = format!("{}/eu-west-1/s3/aws4_request", &basic(draft.time)[..8]);
    let mut previous = seed.signature;
    let mut sign = |kind: &str, content: String| {
        let date = basic(draft.time);
        let text = format!("AWS4-HMAC-SHA256-{kind}\n{date}\n{scope}\n{previous}\n{content}");
        previous = hex(&hmac(&seed.key, text.as_bytes()));
        previous.clone()
    };
    let mut body = Vec::new();
    for (sent, signed) in [
        (&b"hello"[..], &b"hello"[..]),
        (last, b" world"),
        (b"", b""),
    ] {
        let content = format!("{}\n{}", sha256_hex(b""), sha256_hex(signed));
        let signature = sign("PAYLOAD", content);
        body.extend(format!("{:x};chunk-signature={signature}\r\n", sent.len()).bytes());
        body.extend_from_slice(sent);
        body.extend_from_slice(if sent.is_empty() { b"" } else { b"\r\n" });
    }
    let trailer = "x-amz-checksum-crc32:DUoRhQ==";
    let signature = sign("TRAILER", sha256_hex(format!("{trailer}\n").as_bytes()));
    body.extend(format!("{trailer}\r\nx-amz-trailer-signature:{signature}\r\n\r\n").bytes());
    draft.body(&body)
}

#[test]
fn signed_chunks_are_verified_one_by_one() {
    let bench = bench();
    let keys = bench.session(&[]);
    let good = signed_chunks(&bench, &keys, b" world");
    assert_eq!(bench.send(&good, Some(&keys)).outcome(), "200");
    assert_eq!(
        bench.double.object("demo", "signed").unwrap(),
        b"hello world"
    );
    let changed = signed_chunks(&bench, &keys, b" w0rld");
    assert_eq!(
        bench.send(&changed, Some(&keys)).outcome(),
        "403 SignatureDoesNotMatch"
    );
}

#[test]
fn a_client_that_expects_100_continue_is_told_to_go_on() {
    let bench = bench();
    let address = bench.double.address();
    let keys = bench.session(&[]);
    let draft = Draft::new("PUT", "/demo/big", "s3")
        .header("expect", "100-continue")
        .body(b"big");
    let bytes = wire(&draft, Some(&keys), address);
    let (head, body) = bytes.split_at(bytes.len() - 3);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(head).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(exchange(&mut stream, body).unwrap().outcome(), "200");
}

#[test]
fn objects_come_and_go() {
    let bench = bench();
    let keys = bench.session(&[]);
    assert_eq!(
        bench
            .s3(&keys, "PUT", "/demo/a%20b/%C3%BC%2B.txt", b"text")
            .outcome(),
        "200"
    );
    assert_eq!(bench.double.object("demo", "a b/ü+.txt").unwrap(), b"text");
    let list = bench.s3(&keys, "GET", "/demo?delimiter=%2F&list-type=2&prefix=", b"");
    assert_eq!(list.field("Prefix").as_deref(), Some("a b/"));
    assert_eq!(list.field("KeyCount").as_deref(), Some("2"));
    let head = bench.s3(&keys, "GET", "/demo/a%20b/%C3%BC%2B.txt", b"");
    assert_eq!(head.body, b"text");
    assert_eq!(
        bench
            .s3(&keys, "DELETE", "/demo/a%20b/%C3%BC%2B.txt", b"")
            .status,
        204
    );
    let gone = bench.s3(&keys, "GET", "/demo/a%20b/%C3%BC%2B.txt", b"");
    assert_eq!(gone.outcome(), "404 NoSuchKey");
    assert_eq!(
        bench.s3(&keys, "GET", "/nowhere/x", b"").outcome(),
        "404 NoSuchBucket"
    );
    assert_eq!(
        bench.s3(&keys, "POST", "/demo/x", b"").outcome(),
        "501 NotImplemented"
    );
}

#[test]
fn calls_that_are_no_calls_are_refused() {
    let bench = bench();
    let table = [
        ("Version=2011-06-15", "400 MissingAction"),
        ("Action=DropAll&Version=2011-06-15", "400 InvalidAction"),
        ("Action=AssumeRoot&Version=2011-06-15", "400 InvalidAction"),
        ("Action=GetCallerIdentity", "400 InvalidAction"),
        (
            "Action=AssumeRole&Version=2011-06-15",
            "400 ValidationError",
        ),
    ];
    for (body, outcome) in table {
        let mut draft = bench.draft("", &[]);
        draft.body = body.as_bytes().to_vec();
        assert_eq!(
            bench.send(&draft, Some(&bench.alice())).outcome(),
            outcome,
            "{body}"
        );
    }
    let twice = [("Policy", "{}"), ("Policy", "{}")];
    assert_eq!(bench.opens(&twice), "400 InvalidQueryParameter");
}

#[test]
fn garbage_is_answered_with_400_and_the_end_of_the_connection() {
    let bench = bench();
    let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(70_000));
    let huge = "POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n".to_owned();
    for garbage in ["\0\0\0\r\n\r\n".to_owned(), long, huge] {
        let mut stream = TcpStream::connect(bench.double.address()).unwrap();
        let _ = stream.write_all(garbage.as_bytes());
        if let Some(reply) = receive(&mut stream) {
            assert_eq!(reply.status, 400);
        }
        assert_eq!(receive(&mut stream), None, "closed");
    }
    assert_eq!(
        bench.identity(&bench.alice()),
        "200",
        "and the double lives"
    );
}
