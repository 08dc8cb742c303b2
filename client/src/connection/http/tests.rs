//! Replies as they come over the socket, whole and broken.

#![allow(clippy::unwrap_used)]

use super::*;

/// Gives its bytes in pieces of a fixed size, as a network may.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let size = self.1.min(self.0.len()).min(target.len());
        target[..size].copy_from_slice(&self.0[..size]);
        self.0 = &self.0[size..];
        Ok(size)
    }
}

fn answer(bytes: &[u8], piece: usize) -> Result<(u16, Vec<u8>), AnswerError> {
    let (head, mut body) = read_head(Trickle(bytes, piece))?;
    Ok((head.status, body.read_all(1000)?.to_vec()))
}

#[test]
fn a_request_is_these_bytes() {
    assert_eq!(
        request_bytes("GET", "/v1/status", None).as_slice(),
        b"GET /v1/status HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    );
    let bytes = request_bytes("POST", "/v1/lock", Some(b"{}"));
    assert_eq!(
        bytes.as_slice(),
        b"POST /v1/lock HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
          content-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    );
    assert_eq!(
        bytes.capacity(),
        bytes.len(),
        "it grew and left bytes behind"
    );
}

#[test]
fn an_answer_is_read_however_it_is_cut() {
    let by_length = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".as_slice();
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n";
    let empty = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".as_slice();
    for piece in [1, 2, 3, 7, 1000] {
        assert_eq!(answer(by_length, piece).unwrap(), (200, b"hello".to_vec()));
        assert_eq!(answer(chunked, piece).unwrap(), (200, b"hello".to_vec()));
        assert_eq!(answer(empty, piece).unwrap(), (200, Vec::new()));
    }
}

#[test]
fn the_head_says_the_agents_version() {
    let bytes =
        b"HTTP/1.1 423 Locked\r\nJumpgate-Agent-Version: 0.1.0\r\ncontent-length: 0\r\n\r\n";
    let (head, _) = read_head(bytes.as_slice())
        .map_err(|error| error.to_string())
        .unwrap();
    assert_eq!(
        (head.status, head.agent_version.as_deref()),
        (423, Some("0.1.0"))
    );
}

#[test]
fn an_answer_that_ends_early_is_an_error_wherever_it_is_cut() {
    let by_length = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".as_slice();
    let chunked =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
            .as_slice();
    for whole in [by_length, chunked] {
        let none = answer(b"", 4).unwrap_err();
        assert!(matches!(none, AnswerError::Unanswered), "{none}");
        for size in 1..whole.len() {
            let error = answer(&whole[..size], 4).unwrap_err();
            assert!(matches!(error, AnswerError::Truncated), "{size}: {error}");
        }
    }
}

#[test]
fn what_no_agent_of_ours_sends_is_refused() {
    let cases = [
        "garbage\r\n\r\n",
        "\u{16}\u{3}\u{1}",
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1 200 OK\r\n\r\nno length",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\ncontent-length: 1, 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\nx",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\nx",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\nx",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nx",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nz\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10000000000000000\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nxx\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\ntrailer: x\r\n\r\n",
    ];
    for text in cases {
        let error = answer(text.as_bytes(), 1000).unwrap_err();
        assert!(
            matches!(error, AnswerError::Malformed(_)),
            "{text:?}: {error}"
        );
    }
}

#[test]
fn everything_has_a_maximum() {
    let too_large = |bytes: &[u8]| matches!(answer(bytes, 1000), Err(AnswerError::TooLarge(_)));
    assert!(too_large(
        format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(MAX_HEAD_BYTES)).as_bytes()
    ));
    assert!(too_large(
        b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n"
    ));
    let chunk = format!("1f4\r\n{}\r\n", "x".repeat(500));
    let chunked = |count| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        format!("{head}{}0\r\n\r\n", chunk.repeat(count))
    };
    assert_eq!(answer(chunked(2).as_bytes(), 9).unwrap().1.len(), 1000);
    assert!(too_large(chunked(3).as_bytes()));

    let headers = "x: y\r\n".repeat(MAX_HEADERS + 1);
    let many = format!("HTTP/1.1 200 OK\r\n{headers}\r\n");
    assert!(matches!(
        answer(many.as_bytes(), 1000),
        Err(AnswerError::Malformed(_))
    ));
    let long = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;{}",
        "x".repeat(MAX_CHUNK_LINE_BYTES)
    );
    assert!(matches!(
        answer(long.as_bytes(), 1000),
        Err(AnswerError::Malformed(_))
    ));
}

#[test]
fn a_body_larger_than_the_window_arrives_whole() {
    let text: Vec<u8> = (0..100_000_u32)
        .map(|n| b'a' + u8::try_from(n % 26).unwrap())
        .collect();
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", text.len()).into_bytes();
    bytes.extend_from_slice(&text);
    let (_, mut body) = read_head(Trickle(&bytes, 9999))
        .map_err(|error| error.to_string())
        .unwrap();
    assert!(body.read_all(100_000).unwrap().as_slice() == text);
}

#[test]
fn a_head_grows_the_window_to_its_maximum() {
    let padded = |size: usize| {
        let frame = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx: \r\n\r\n".len();
        let padding = "x".repeat(size - frame);
        format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx: {padding}\r\n\r\nhi")
    };
    for size in [
        FIRST_WINDOW_BYTES - 1,
        FIRST_WINDOW_BYTES,
        FIRST_WINDOW_BYTES + 1,
        MAX_HEAD_BYTES,
    ] {
        for piece in [1000, 5000, usize::MAX] {
            let (status, body) = answer(padded(size).as_bytes(), piece).unwrap();
            assert_eq!(
                (status, body.as_slice()),
                (200, b"hi".as_slice()),
                "{size} {piece}"
            );
        }
    }
    let too_large = answer(padded(MAX_HEAD_BYTES + 1).as_bytes(), 1000);
    assert!(matches!(too_large, Err(AnswerError::TooLarge(_))));
}
