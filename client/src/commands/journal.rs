//! `jumpgate journal`: the record of everything that was handed out.

use std::io::{BufWriter, Write};

use jumpgate_api::{ExitStatus, JournalReport};

use super::{Context, Outcome};
use crate::cli::{Journal, JournalVerb, Json};
use crate::connection::{ConnectionError, Request, Stream};
use crate::failure::Failure;
use crate::output::{listings, records};

/// How many records `tail` starts with.
const TAIL_RECORDS: u32 = 10;

/// The longest line of a journal that is taken for a record, in bytes: twice what the agent writes.
const MAX_LINE_BYTES: usize = 16 * 1024;

pub(super) fn run(context: &mut Context<'_>, arguments: &Journal) -> Outcome {
    let Json(json) = arguments.json;
    match arguments.verb {
        JournalVerb::Show { last: None } => show(context, "journal", json),
        JournalVerb::Show { last: Some(last) } => {
            show(context, &format!("journal?last={last}"), json)
        }
        JournalVerb::Tail => show(
            context,
            &format!("journal?last={TAIL_RECORDS}&follow=true"),
            json,
        ),
        JournalVerb::Export => show(context, "journal", true),
        JournalVerb::Verify => verify(context, arguments.json),
    }
}

fn show(context: &mut Context<'_>, path: &str, raw: bool) -> Outcome {
    let mut stream = context.agent.stream(&Request::new("GET", path))?;
    if raw {
        while let Some(piece) = next(&mut stream)? {
            context.out.write_all(piece)?;
            let size = piece.len();
            stream.advance(size);
        }
    } else {
        show_records(&mut stream, context.out)?;
    }
    Ok(ExitStatus::Success.into())
}

/// Line by line; what has arrived is shown before more is waited for.
fn show_records(stream: &mut Stream, out: &mut dyn Write) -> Result<(), Failure> {
    let mut line = Vec::new();
    while let Some(piece) = next(stream)? {
        let mut text = BufWriter::new(&mut *out);
        let size = piece.len();
        for part in piece.split_inclusive(|&byte| byte == b'\n') {
            let room = (MAX_LINE_BYTES + 1).saturating_sub(line.len());
            line.extend_from_slice(&part[..part.len().min(room)]);
            if part.ends_with(b"\n") {
                text.write_all(records::record(&line).as_bytes())?;
                line.clear();
            }
        }
        text.flush()?;
        drop(text);
        stream.advance(size);
    }
    if !line.is_empty() {
        out.write_all(records::record(&line).as_bytes())?;
    }
    Ok(())
}

fn next(stream: &mut Stream) -> Result<Option<&[u8]>, Failure> {
    let piece = stream.piece().map_err(ConnectionError::from)?;
    Ok(Some(piece).filter(|piece| !piece.is_empty()))
}

fn verify(context: &mut Context<'_>, json: Json) -> Outcome {
    let reply = context
        .agent
        .reply(&Request::new("GET", "journal/verify").patient())?;
    let report: JournalReport = reply.decode()?;
    context.show(json, &reply, listings::report)?;
    let intact = report.damage.is_empty();
    Ok(if intact {
        ExitStatus::Success
    } else {
        ExitStatus::Failed
    }
    .into())
}
