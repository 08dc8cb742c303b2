//! The strict STS double as a program of its own.
//!
//! `sts-double [--listen 127.0.0.1:0] [--world FILE.json|FILE.toml] [--record] [--print-world]`:
//! prints `READY http://127.0.0.1:PORT` and serves until its standard input ends or it is killed.
//! With `--record` each call follows as a line of JSON.

use jumpgate_tests::sts::{StsDouble, World};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

const USAGE: &str = "usage: sts-double [--listen ADDRESS:PORT] [--world FILE.json|FILE.toml] [--record] [--print-world]";

struct Options {
    listen: SocketAddr,
    world: World,
    record: bool,
    print_world: bool,
}

fn main() -> ExitCode {
    match options(std::env::args().skip(1)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            let _ = writeln!(io::stderr(), "sts-double: {what}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut options = Options {
        listen,
        world: World::demo(),
        record: false,
        print_world: false,
    };
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| USAGE.to_owned());
        match arg.as_str() {
            "--listen" => options.listen = value()?.parse().map_err(|_| USAGE.to_owned())?,
            "--world" => options.world = world(&value()?)?,
            "--record" => options.record = true,
            "--print-world" => options.print_world = true,
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(options)
}

fn world(path: &str) -> Result<World, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    match path.ends_with(".toml") {
        true => toml::from_str(&text).map_err(|error| format!("{path}: {error}")),
        false => serde_json::from_str(&text).map_err(|error| format!("{path}: {error}")),
    }
}

fn run(options: Options) -> Result<(), String> {
    if options.print_world {
        let text = serde_json::to_string_pretty(&options.world);
        return line(&text.map_err(|error| error.to_string())?);
    }
    let double = StsDouble::listen(options.listen, options.world).map_err(|e| e.to_string())?;
    line(&format!("READY {}", double.url()))?;
    std::thread::scope(|scope| {
        if options.record {
            scope.spawn(|| record(&double));
        }
        let _ = io::copy(&mut io::stdin().lock().take(u64::MAX), &mut io::sink());
        double.stop();
    });
    Ok(())
}

/// Each event as a line, until the double stops or nobody reads any more.
fn record(double: &StsDouble) {
    let mut seen = 0;
    loop {
        let events = double.next_events(seen);
        if events.is_empty() {
            return;
        }
        seen += events.len();
        let texts = events
            .iter()
            .filter_map(|event| serde_json::to_string(event).ok());
        if texts
            .map(|text| line(&text))
            .any(|written| written.is_err())
        {
            return;
        }
    }
}

fn line(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(|error| error.to_string())
}
