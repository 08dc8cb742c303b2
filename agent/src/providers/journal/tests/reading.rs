//! What `journal show`, `tail` and `export` read.

use super::super::chain::read_link;
use super::*;

fn read(journal: &FileJournal, last: Option<usize>) -> Vec<String> {
    block_on(async {
        let mut lines = journal.lines(last, false);
        let mut read = Vec::new();
        while let Some(line) = lines.recv().await {
            read.push(line);
        }
        read
    })
}

#[test]
fn the_last_lines_come_from_as_many_files_as_it_takes() {
    let place = Place::new();
    let journal = place.open(0);
    assert_eq!(read(&journal, None), Vec::<String>::new());
    for second in [0, 1, DAY, DAY + 1, 2 * DAY] {
        write(&journal, event(second)).unwrap();
    }
    let all = read(&journal, None);
    let files: String = place.names().iter().map(|name| place.text(name)).collect();
    assert_eq!(
        all.iter()
            .map(|line| format!("{line}\n"))
            .collect::<String>(),
        files
    );
    assert_eq!(all.len(), 7);
    for last in 0..9 {
        assert_eq!(
            read(&journal, Some(last)),
            all[7_usize.saturating_sub(last)..],
            "{last}"
        );
    }
}

/// What is not flushed is not shown.
#[test]
fn half_a_line_is_not_shown() {
    let place = Place::new();
    let journal = place.open(0);
    write(&journal, event(0)).unwrap();
    let path = place.file("audit-20261122-1.jsonl");
    let mut file = std::fs::File::options().append(true).open(path).unwrap();
    std::io::Write::write_all(&mut file, b"{\"half").unwrap();
    assert_eq!(read(&journal, None).len(), 1);
    assert_eq!(block_on(journal.report()).unwrap().damage, []);
}

/// Over a new day, and over files that go away behind it.
#[test]
fn followers_see_each_line_once_as_it_is_written() {
    let place = Place::new();
    let journal = place.open(0);
    let seen = block_on(async {
        let mut from_the_start = journal.lines(None, true);
        journal.record(event(0)).await.unwrap();
        journal.record(event(1)).await.unwrap();
        assert!(
            from_the_start
                .recv()
                .await
                .unwrap()
                .contains("T00:00:00.000Z")
        );
        let mut follower = journal.lines(Some(1), true);
        let mut seen = vec![follower.recv().await.unwrap()];
        for (seconds, lines) in [(2, 1), (DAY, 2), (DAY + 1, 1), (40 * DAY, 4), (40 * DAY, 1)] {
            journal.record(event(seconds)).await.unwrap();
            for _ in 0..lines {
                seen.push(follower.recv().await.unwrap());
            }
        }
        assert!(follower.try_recv().is_err());
        seen
    });
    let hash = |line: &String| read_link(line.as_bytes()).unwrap().hash;
    let prev = |line: &String| read_link(line.as_bytes()).unwrap().prev.unwrap();
    assert!(seen[0].contains("T00:00:01.000Z"));
    assert!(
        seen.windows(2).all(|two| hash(&two[0]) == prev(&two[1])),
        "each follows the other"
    );
}

#[test]
fn a_follower_ends_with_the_journal() {
    let place = Place::new();
    let journal = place.open(0);
    block_on(async {
        let mut follower = journal.lines(None, true);
        journal.record(event(0)).await.unwrap();
        assert!(follower.recv().await.is_some());
        drop(journal);
        assert_eq!(follower.recv().await, None);
    });
}

/// Whoever stops taking lines does not hold the writer, and ends the reading by going away.
#[test]
fn a_reader_who_goes_away_ends_the_reading() {
    let place = Place::new();
    let journal = place.open(0);
    block_on(async {
        for _ in 0..200 {
            journal.record(event(0)).await.unwrap();
        }
        for follow in [false, true] {
            let mut lines = journal.lines(None, follow);
            lines.recv().await.unwrap();
            journal.record(event(1)).await.unwrap();
        }
    });
}
