//! The daemon after its starter: nothing of it is held, nothing of it is needed.

use std::io::Read;
use std::process::Stdio;

use crate::built::lab;

#[test]
fn a_pipe_of_the_starter_ends_with_the_starter() {
    let lab = lab("");
    let client = lab.client(&["agent", "start"]);
    let mut shell = lab.program("/bin/sh".as_ref(), &["-c", "\"$0\" \"$@\" 3>&1 >/dev/null"]);
    shell.arg(client.get_program()).args(client.get_args());
    let mut starter = shell.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = starter.stdout.take().unwrap();
    assert!(starter.wait().unwrap().success());
    let (end, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || end.send(output.read_to_end(&mut Vec::new())));
    let read = ended.recv_timeout(crate::surroundings::PATIENCE);
    assert_eq!(read.expect("nobody holds the pipe open").unwrap(), 0);
    lab.status();
}

#[test]
fn a_configuration_named_from_where_the_starter_stands_is_found() {
    let mut lab = lab("");
    let path = lab.configuration();
    lab.set("JUMPGATE_CONFIG", "here.toml");
    std::fs::write(lab.path("here.toml"), path).unwrap();
    let mut start = lab.client(&["agent", "start"]);
    let started = start.current_dir(lab.home()).output().unwrap();
    assert!(
        started.status.success(),
        "{}",
        String::from_utf8_lossy(&started.stderr)
    );
    let shown = lab.status()["config_path"].as_str().unwrap().to_owned();
    assert_eq!(std::path::Path::new(&shown), lab.path("here.toml"));
    lab.run(&["reload"]).good();
}
