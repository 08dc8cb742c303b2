//! Who may name whom: the table of docs/architecture.md, read off the paths in the source.

use super::lexer::{blank, paths, without_tests};
use super::source::{File, Tree};
use super::{Breach, breach};

/// What the code of one place may name.
struct Layer {
    /// A file without its `.rs`, or a folder.
    place: &'static str,
    /// Outside paths. `std` is open but for `never`.
    crates: &'static [&'static str],
    /// Modules of the same crate.
    siblings: &'static [&'static str],
    /// Paths that are closed, whatever the lists above open.
    never: &'static [&'static str],
}

/// The kernel, the clock and the outside, by std.
const WORLD: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::ToSocketAddrs",
    "std::net::UdpSocket",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// The same for the broker, and the requests on the wire: the server turns them into values of the domain.
const OUT_OF_THE_BROKER: &[&str] = &[
    "jumpgate_api::CredentialsRequest",
    "jumpgate_api::IdentityAddRequest",
    "jumpgate_api::Narrow",
    "jumpgate_api::Problem",
    "jumpgate_api::UnlockRequest",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// What judges policies without a running agent reads files and writes values; nothing else.
const JUDGES: &[&str] = &[
    "jumpgate_api",
    "jumpgate_iam",
    "serde",
    "serde_json",
    "thiserror",
];

/// What they never name.
const OUT_OF_JUDGES: &[&str] = &["std::env", "std::net", "std::process", "std::thread"];

/// What never names who moves something in from `~/.aws`, or writes there: `aws_files` has the files.
const OUT_OF_MOVERS: &[&str] = &[
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
];

/// The first that matches a file is its layer. What no layer matches is the composition root: free.
const LAYERS: &[Layer] = &[
    Layer {
        place: "proto/api/src",
        crates: &["serde", "thiserror", "zeroize"],
        siblings: &["crate"],
        never: WORLD,
    },
    Layer {
        place: "proto/iam/src",
        crates: &["serde", "thiserror"],
        siblings: &["crate"],
        never: WORLD,
    },
    Layer {
        place: "agent/src/domain",
        // HMAC of SHA-1 is arithmetic, as pure as the rest.
        crates: &[
            "hmac",
            "jumpgate_api",
            "jumpgate_iam",
            "sha1",
            "thiserror",
            "zeroize",
        ],
        siblings: &["crate::domain"],
        never: WORLD,
    },
    Layer {
        place: "agent/src/ports",
        // The type of a line stream is all that it needs of the runtime.
        crates: &[
            "jumpgate_api",
            "jumpgate_iam",
            "thiserror",
            "tokio::sync::mpsc",
        ],
        siblings: &["crate::domain", "crate::ports"],
        never: WORLD,
    },
    Layer {
        place: "agent/src/broker",
        crates: &[
            "jumpgate_api",
            "jumpgate_iam",
            "thiserror",
            "tokio::select",
            "tokio::spawn",
            "tokio::sync",
            "tokio::task",
            "tokio::time",
            "tracing",
        ],
        siblings: &["crate::broker", "crate::domain", "crate::ports"],
        never: OUT_OF_THE_BROKER,
    },
    Layer {
        place: "agent/src/server",
        crates: &[
            "hmac",
            "http_body_util",
            "hyper",
            "hyper_util",
            "jumpgate_api",
            "jumpgate_iam",
            "rustix",
            "serde",
            "serde_json",
            "sha2",
            "subtle",
            "thiserror",
            "tokio",
            "tracing",
            "zeroize",
        ],
        siblings: &[
            "crate::broker",
            "crate::domain",
            "crate::ports",
            "crate::server",
        ],
        never: &[
            "std::env",
            "std::net::TcpListener",
            "std::net::TcpStream",
            "std::net::ToSocketAddrs",
            "std::net::UdpSocket",
            "std::process",
            "std::time::Instant",
            "std::time::SystemTime",
        ],
    },
    Layer {
        place: "agent/src/config",
        crates: &[
            "jumpgate_api",
            "jumpgate_iam",
            "rustix",
            "strsim",
            "thiserror",
            "toml",
        ],
        siblings: &["crate::config", "crate::domain"],
        never: &[
            "std::process",
            "std::thread",
            "std::time::Instant",
            "std::time::SystemTime",
        ],
    },
    Layer {
        place: "agent/src/doctor/judge",
        crates: &["jumpgate_api", "serde_json"],
        siblings: &[
            "crate::doctor",
            "crate::domain",
            "crate::ports",
            "crate::providers::keyring::probe",
        ],
        never: WORLD,
    },
    Layer {
        place: "agent/src/lint",
        crates: JUDGES,
        siblings: &["crate::config", "crate::domain", "crate::lint"],
        never: OUT_OF_JUDGES,
    },
    Layer {
        place: "agent/src/explain",
        crates: JUDGES,
        siblings: &[
            "crate::config",
            "crate::domain",
            "crate::explain",
            "crate::lint",
        ],
        never: OUT_OF_JUDGES,
    },
    Layer {
        place: "agent/src/jump",
        crates: JUDGES,
        siblings: &[
            "crate::config",
            "crate::domain",
            "crate::jump",
            "crate::lint",
        ],
        never: OUT_OF_JUDGES,
    },
    Layer {
        place: "agent/src/aws_files",
        crates: &["jumpgate_api", "jumpgate_iam", "thiserror", "zeroize"],
        siblings: &["crate::aws_files"],
        never: &[
            "std::env",
            "std::net",
            "std::process::Command",
            "std::thread",
        ],
    },
    Layer {
        place: "agent/src/configure",
        crates: JUDGES,
        siblings: &["crate::aws_files", "crate::configure", "crate::domain"],
        never: OUT_OF_MOVERS,
    },
    Layer {
        place: "agent/src/import",
        crates: JUDGES,
        siblings: &["crate::aws_files", "crate::config", "crate::import"],
        never: OUT_OF_MOVERS,
    },
    Layer {
        place: "agent/src/leftover",
        crates: &["jumpgate_api", "jumpgate_iam", "thiserror", "zeroize"],
        siblings: &["crate::aws_files", "crate::leftover"],
        never: OUT_OF_MOVERS,
    },
    Layer {
        place: "client/src",
        crates: &[
            "httparse",
            "jumpgate_api",
            "jumpgate_iam",
            "rpassword",
            "rustix",
            "serde",
            "serde_json",
            "thiserror",
            "zeroize",
            "jumpgate::main",
        ],
        siblings: &["crate"],
        never: &["std::net"],
    },
];

/// Outside libraries and the places of the agent and client that may name them: each has one.
const OWNERS: &[(&str, &[&str])] = &[
    ("aws_credential_types", &["agent/src/providers/sts"]),
    ("aws_sdk_sts", &["agent/src/providers/sts"]),
    ("aws_sigv4", &["agent/src/providers/sts"]),
    ("aws_smithy_async", &["agent/src/providers/sts"]),
    ("aws_smithy_runtime_api", &["agent/src/providers/sts"]),
    ("aws_smithy_types", &["agent/src/providers/sts"]),
    ("chacha20poly1305", &["agent/src/providers/sealed_file"]),
    (
        "dbus",
        &["agent/src/providers/desktop", "agent/src/providers/keyring"],
    ),
    (
        "dbus_secret_service_keyring_store",
        &["agent/src/providers/keyring"],
    ),
    (
        "getrandom",
        &[
            "agent/src/providers/system",
            "agent/src/providers/sealed_file",
        ],
    ),
    ("hkdf", &["agent/src/providers/sealed_file"]),
    ("httparse", &["client/src/connection/http"]),
    ("hyper_rustls", &["agent/src/providers/sts"]),
    ("keyring_core", &["agent/src/providers/keyring"]),
    ("rpassword", &["client/src/person"]),
    ("rustls", &["agent/src/providers/sts"]),
    ("scrypt", &["agent/src/providers/sealed_file"]),
    ("sd_notify", &["agent/src/start"]),
    ("strsim", &["agent/src/config"]),
    ("toml", &["agent/src/config"]),
    ("tower_service", &["agent/src/providers/sts"]),
    ("tracing_subscriber", &["agent/src/telemetry"]),
    ("ulid", &["agent/src/providers/system"]),
    ("zeroizing_alloc", &["agent/src/harden"]),
];

/// Every path that a layer closes.
pub(crate) fn breaches(tree: &Tree) -> Vec<Breach> {
    let closed = full_paths(tree)
        .into_iter()
        .filter(|(file, path)| !may_name(file, path) || !owns(file, path));
    let mut found: Vec<Breach> = closed
        .map(|(file, path)| breach(file, format!("names {path}")))
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Every path that shipped code names, in full. The tests' package may name everything and is not read.
pub(crate) fn full_paths(tree: &Tree) -> Vec<(&File, String)> {
    let outside = outside(tree);
    let mut found = Vec::new();
    for file in tree
        .shipped()
        .filter(|file| !file.path.starts_with("tests/"))
    {
        let code = without_tests(&blank(&file.text)).text;
        let named = paths(&code).into_iter();
        found.extend(named.filter_map(|path| Some((file, resolved(file, &path, &outside)?))));
    }
    found
}

/// The path from the crate's root or from outside; `None` for a name that an earlier `use` or this module brought in.
fn resolved(file: &File, path: &[String], outside: &[String]) -> Option<String> {
    let first = path.first()?.as_str();
    let above = path
        .iter()
        .take_while(|segment| *segment == "super")
        .count();
    let module = module(&file.path);
    match first {
        "crate" => Some(path.join("::")),
        "self" => Some([&module, &path[1..]].concat().join("::")),
        "super" => {
            let stem = &module[..module.len().saturating_sub(above).max(1)];
            Some([stem, &path[above..]].concat().join("::"))
        }
        _ => outside
            .iter()
            .any(|name| name == first)
            .then(|| path.join("::")),
    }
}

/// `agent/src/broker/mod.rs` is `crate::broker`.
fn module(path: &str) -> Vec<String> {
    let inside = path.split_once("/src/").map_or(path, |(_, inside)| inside);
    let segments = inside.trim_end_matches(".rs").split('/');
    let named = segments.filter(|segment| !["lib", "main", "mod"].contains(segment));
    ["crate"]
        .into_iter()
        .chain(named)
        .map(str::to_owned)
        .collect()
}

fn may_name(file: &File, path: &str) -> bool {
    if let Some(provider) = file.path.strip_prefix("agent/src/providers/") {
        return provider_may_name(provider, path);
    }
    let Some(layer) = LAYERS.iter().find(|layer| file.is_in(layer.place)) else {
        return true;
    };
    let open = match path.split("::").next() {
        Some("crate") => any_begins(layer.siblings, path),
        Some("std" | "core" | "alloc") => true,
        _ => any_begins(layer.crates, path),
    };
    // A `use std::time;` would open what is below it: what is above a closed path is closed too.
    let closed = |never: &&str| begins(never, path) || path != "crate" && begins(path, never);
    open && !layer.never.iter().any(closed)
}

/// A provider may name domain, ports and itself. Which library, the owners say.
fn provider_may_name(provider: &str, path: &str) -> bool {
    if !begins("crate", path) {
        return true;
    }
    let own = provider.split(['/', '.']).next().unwrap_or_default();
    let own = format!("crate::providers::{own}");
    own == "crate::providers::mod" || any_begins(&["crate::domain", "crate::ports", &own], path)
}

fn owns(file: &File, path: &str) -> bool {
    let owners = OWNERS.iter().find(|(library, _)| begins(library, path));
    owners.is_none_or(|(_, places)| places.iter().any(|place| file.is_in(place)))
}

/// Whether `stem` is the path or leads to it.
fn begins(stem: &str, path: &str) -> bool {
    let rest = path.strip_prefix(stem);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn any_begins(stems: &[&str], path: &str) -> bool {
    stems.iter().any(|stem| begins(stem, path))
}

/// The names of what is not ours: the standard library and the workspace's dependencies.
fn outside(tree: &Tree) -> Vec<String> {
    let manifest = tree.find("Cargo.toml").map_or("", |file| &file.text);
    let manifest: toml::Table = toml::from_str(manifest).expect("Cargo.toml is TOML");
    let dependencies = manifest
        .get("workspace")
        .and_then(|table| table.get("dependencies"));
    let names = dependencies
        .and_then(toml::Value::as_table)
        .into_iter()
        .flat_map(toml::Table::keys);
    let ours = ["std", "core", "alloc"].map(str::to_owned);
    names
        .map(|name| name.replace('-', "_"))
        .chain(ours)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: (&str, &str) = (
        "Cargo.toml",
        "[workspace.dependencies]\ntokio = \"1\"\njumpgate-api = \"1\"\naws-sdk-sts = \"1\"\ntoml = \"1\"\nhyper = \"1\"\n",
    );

    fn of(path: &str, text: &str) -> Vec<String> {
        let found = breaches(&Tree::sample(&[MANIFEST, (path, text)]));
        found.into_iter().map(|breach| breach.what).collect()
    }

    #[test]
    fn every_owned_library_is_a_dependency() {
        let known = outside(&Tree::read());
        for (library, _) in OWNERS {
            assert!(known.iter().any(|name| name == library), "{library}");
        }
    }

    #[test]
    fn what_a_layer_closes_is_found() {
        for (path, text, what) in [
            (
                "agent/src/domain/x.rs",
                "use tokio::spawn;",
                "names tokio::spawn",
            ),
            (
                "agent/src/domain/x.rs",
                "fn f() { std::fs::read(x) }",
                "names std::fs::read",
            ),
            ("agent/src/domain/x.rs", "use std::time;", "names std::time"),
            (
                "agent/src/domain/x.rs",
                "use std::{fmt, time::{Duration, SystemTime as S}};",
                "names std::time::SystemTime",
            ),
            (
                "agent/src/domain/x.rs",
                "use super::super::ports::Clock;",
                "names crate::ports::Clock",
            ),
            (
                "agent/src/domain/mod.rs",
                "use super::broker::Broker;",
                "names crate::broker::Broker",
            ),
            (
                "agent/src/ports.rs",
                "use tokio::net::UnixStream;",
                "names tokio::net::UnixStream",
            ),
            (
                "agent/src/broker/mod.rs",
                "use hyper::Request;",
                "names hyper::Request",
            ),
            (
                "agent/src/broker/x.rs",
                "use jumpgate_api::UnlockRequest;",
                "names jumpgate_api::UnlockRequest",
            ),
            (
                "agent/src/broker/x.rs",
                "let c = crate::config::read();",
                "names crate::config::read",
            ),
            (
                "agent/src/providers/a/b.rs",
                "use crate::providers::c::D;",
                "names crate::providers::c::D",
            ),
            (
                "agent/src/providers/a.rs",
                "use super::c::D;",
                "names crate::providers::c::D",
            ),
            (
                "agent/src/providers/a.rs",
                "use crate::broker::Broker;",
                "names crate::broker::Broker",
            ),
            (
                "agent/src/providers/a.rs",
                "use aws_sdk_sts::Client;",
                "names aws_sdk_sts::Client",
            ),
            (
                "agent/src/server/a.rs",
                "use crate::providers::sts::Sts;",
                "names crate::providers::sts::Sts",
            ),
            ("agent/src/app.rs", "use toml::Table;", "names toml::Table"),
            (
                "client/src/x.rs",
                "use tokio::net::UnixStream;",
                "names tokio::net::UnixStream",
            ),
            (
                "proto/iam/src/x.rs",
                "use std::net::TcpStream;",
                "names std::net::TcpStream",
            ),
        ] {
            assert_eq!(of(path, text), [what], "{path}: {text}");
        }
    }

    #[test]
    fn what_a_layer_opens_is_not() {
        for (path, text) in [
            (
                "agent/src/domain/x.rs",
                "use std::time::Duration; use super::peer::Peer; // tokio::spawn",
            ),
            (
                "agent/src/domain/x.rs",
                "#[cfg(test)]\nmod tests { use std::fs::read; }",
            ),
            (
                "agent/src/ports.rs",
                "pub type Lines = tokio::sync::mpsc::Receiver<String>;",
            ),
            (
                "agent/src/providers/sts/x.rs",
                "use aws_sdk_sts::Client; use crate::ports::Clock; use super::super::sts::X;",
            ),
            (
                "agent/src/app.rs",
                "use crate::{broker, config}; use tokio::net::UnixListener;",
            ),
        ] {
            assert_eq!(of(path, text), Vec::<String>::new(), "{path}: {text}");
        }
    }

    #[test]
    fn a_test_module_in_another_file_is_a_test() {
        let files = [
            MANIFEST,
            (
                "agent/src/domain/mod.rs",
                "#[cfg(test)]\npub(crate) mod samples;",
            ),
            ("agent/src/domain/samples.rs", "use std::fs::read;"),
        ];
        assert_eq!(breaches(&Tree::sample(&files)), []);
    }
}
