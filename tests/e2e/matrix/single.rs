//! Rows of the conformance table that concern one client or a few: which token is read, when it is asked for again, what a
//! launcher takes out of the environment. The names begin with the row.

use std::time::Duration;

use jumpgate_tests::lab::finish;
use jumpgate_tests::matrix::{Client, Interface};

use super::row::Row;

const ONLY_THE_FILE: &str = "unset AWS_CONTAINER_AUTHORIZATION_TOKEN";

/// AWS CLI 2.9 does not know the file; it has the variable.
#[test]
fn c2_the_token_file_alone() {
    for client in [Client::Boto3, Client::Js, Client::Rust] {
        if let Some(row) = Row::ready(client, Interface::Container) {
            row.begin_anew();
            row.changed_by(ONLY_THE_FILE).good();
        }
    }
}

/// A lease that is ended takes its token along; the next one is in the same file, at the same address.
#[test]
fn c4_a_new_token_in_the_file_is_used_at_the_next_fetch() {
    let Some(row) = Row::ready(Client::Boto3, Interface::Container) else {
        return;
    };
    if row.clock.is_none() {
        return;
    }
    row.begin_anew();
    let mut held = row.held_changed_by(4, ONLY_THE_FILE);
    held.call();
    let endpoint = ["endpoint", "dev", "--format", "json"];
    let before = row.lab.run(&endpoint).good().json();
    let lease = before["lease"].as_str().unwrap();
    row.lab.run(&["lease", "end", lease]).good();
    let after = row.lab.run(&endpoint).good().json();
    assert_eq!(after["token_file"], before["token_file"]);
    assert_ne!(after["token"], before["token"]);
    row.advance(Duration::from_mins(2));
    row.forget();
    held.call();
    assert_eq!(row.fetches(), 1, "it asked once, and was not refused");
}

/// What else points an SDK somewhere is taken out, and a proxy sees nothing of ours.
#[test]
fn c5_i19_exec_takes_out_what_would_win_and_goes_past_the_proxy() {
    for interface in [Interface::Container, Interface::Imds] {
        let Some(row) = Row::ready(Client::Boto3, interface) else {
            return;
        };
        let mut command = row.exec();
        for name in ["HTTP_PROXY", "http_proxy"] {
            command.env(name, "http://127.0.0.1:1");
        }
        command.env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/elsewhere");
        command.env("AWS_PROFILE", "elsewhere");
        finish(command, "").good();
    }
}

/// With 16 minutes left Python asks once for 50 calls; with 14 at each, and AWS hears of none of them.
#[test]
fn c15_python_asks_at_each_call_when_less_than_a_quarter_of_an_hour_is_left() {
    let Some(row) = Row::ready(Client::Boto3, Interface::Container) else {
        return;
    };
    if row.clock.is_none() {
        return;
    }
    row.begin_anew();
    let mut held = row.held(100);
    let first = held.call();
    row.forget();
    for (moved, fetches) in [(0, 0), (2, 49)] {
        row.advance(Duration::from_mins(moved));
        for _ in 0..49 {
            assert_eq!(held.call()["access_key_id"], first["access_key_id"]);
        }
        assert_eq!(row.fetches(), fetches);
    }
    assert_eq!(row.lab.double.count("AssumeRole"), 1);
}

/// With 6 minutes left JavaScript asks for nothing. That it does with 4 is in the matrix.
#[test]
fn c16_javascript_keeps_what_is_good_for_six_minutes() {
    let Some(row) = Row::ready(Client::Js, Interface::Container) else {
        return;
    };
    if row.clock.is_none() {
        return;
    }
    row.begin_anew();
    let mut held = row.held(5);
    let first = held.call();
    row.forget();
    row.advance(Duration::from_mins(10) - Duration::from_secs(60));
    assert_eq!(held.call()["access_key_id"], first["access_key_id"]);
    assert_eq!(row.fetches(), 0);
}

/// botocore shows itself another end when less than 25 minutes are left: it is handed more than that.
#[test]
fn i17_python_sees_the_true_end_by_imds() {
    let Some(row) = Row::ready(Client::Boto3, Interface::Imds) else {
        return;
    };
    row.begin_anew();
    let told = finish(row.command("dev", ""), "").good().json();
    let document = row.lab.run(&["credential-process", "dev"]).good().json();
    assert_eq!(told["expiration"], document["Expiration"]);
}
