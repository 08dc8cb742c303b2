//! The queue before a vault that does what the test says, when it says so.

#![allow(clippy::unwrap_used)]
use super::*;
use crate::providers::samples::key;

/// Says which call began, and answers it with what the test sends: `None` is a panic.
struct Scripted {
    began: tokio::sync::mpsc::UnboundedSender<String>,
    answers: Receiver<Option<Outcome<()>>>,
}

impl Scripted {
    fn play(&mut self, call: String) -> Outcome<()> {
        self.began.send(call).unwrap();
        let answer = self.answers.recv().unwrap();
        answer.expect("the library's own panic")
    }
}

impl Vault for Scripted {
    fn load(&mut self, name: &IdentityName) -> Outcome<StoredKey> {
        self.play(format!("load {name}")).map(|()| key("s"))
    }
    fn save(&mut self, name: &IdentityName, _: &StoredKey) -> Outcome<()> {
        self.play(format!("save {name}"))
    }
    fn remove(&mut self, name: &IdentityName) -> Outcome<()> {
        self.play(format!("remove {name}"))
    }
    fn disconnect(&mut self) {
        self.began.send("disconnect".to_owned()).unwrap();
    }
    fn renewed(&self) -> Option<Self> {
        // It answers nothing: whoever asks it is told that it broke off.
        let (_, answers) = mpsc::channel();
        let began = self.began.clone();
        Some(Self { began, answers })
    }
}

struct Stage {
    queue: Queue<Scripted>,
    began: tokio::sync::mpsc::UnboundedReceiver<String>,
    answers: mpsc::Sender<Option<Outcome<()>>>,
}

impl Stage {
    fn new() -> Self {
        let (began, calls) = tokio::sync::mpsc::unbounded_channel();
        let (answers, script) = mpsc::channel();
        Self {
            queue: Queue::new(Scripted {
                began,
                answers: script,
            }),
            began: calls,
            answers,
        }
    }

    fn answer(&self, outcome: Outcome<()>) {
        self.answers.send(Some(outcome)).unwrap();
    }
}

fn name(text: &str) -> IdentityName {
    IdentityName::parse(text).unwrap()
}

/// Runs a future until it waits for something.
async fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    tokio::select! {
        biased;
        output = future => Some(output),
        () = std::future::ready(()) => None,
    }
}

#[tokio::test]
async fn who_wants_the_same_key_joins_the_call() {
    let Stage {
        queue,
        mut began,
        answers,
    } = Stage::new();
    for outcome in [Ok(()), Err(StoreError::Declined)] {
        let (jump, other) = (name("jump"), name("other"));
        let mut first = Box::pin(queue.load(&jump));
        assert!(poll_once(first.as_mut()).await.is_none());
        assert_eq!(began.recv().await.unwrap(), "load jump");
        // The caller goes away while the prompt is on the screen; the next ones join it.
        drop(first);
        let mut rest = Box::pin(async {
            tokio::join!(queue.load(&jump), queue.load(&jump), queue.load(&other))
        });
        assert!(poll_once(rest.as_mut()).await.is_none());
        answers.send(Some(outcome.clone())).unwrap();
        answers.send(Some(Ok(()))).unwrap();
        let (second, third, another) = rest.await;
        assert_eq!(second, outcome.clone().map(|()| key("s")));
        assert_eq!(third, outcome.map(|()| key("s")));
        assert_eq!(another, Ok(key("s")));
        assert_eq!(began.recv().await.unwrap(), "load other");
        assert!(began.try_recv().is_err());
    }
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_does_not_begin() {
    let mut stage = Stage::new();
    let (jump, gone) = (name("jump"), name("gone"));
    let mut first = Box::pin(stage.queue.load(&jump));
    assert!(poll_once(first.as_mut()).await.is_none());
    assert_eq!(stage.began.recv().await.unwrap(), "load jump");
    {
        let given_up = key("s");
        let mut load = Box::pin(stage.queue.load(&gone));
        let mut save = Box::pin(stage.queue.save(&gone, &given_up));
        let mut remove = Box::pin(stage.queue.remove(&gone));
        assert!(poll_once(load.as_mut()).await.is_none());
        assert!(poll_once(save.as_mut()).await.is_none());
        assert!(poll_once(remove.as_mut()).await.is_none());
    }
    stage.answer(Ok(()));
    assert_eq!(first.await, Ok(key("s")));
    stage.answer(Ok(()));
    stage.answer(Ok(()));
    let key = key("s");
    assert_eq!(stage.queue.save(&jump, &key).await, Ok(()));
    assert_eq!(stage.queue.remove(&jump).await, Ok(()));
    assert_eq!(stage.began.recv().await.unwrap(), "save jump");
    assert_eq!(stage.began.recv().await.unwrap(), "remove jump");
    assert!(stage.began.try_recv().is_err());
}

/// The load that was left out is not one that a later load could join.
#[tokio::test]
async fn a_load_that_was_left_out_can_be_asked_for_again() {
    let mut stage = Stage::new();
    let (jump, gone) = (name("jump"), name("gone"));
    let mut first = Box::pin(stage.queue.load(&jump));
    assert!(poll_once(first.as_mut()).await.is_none());
    assert_eq!(stage.began.recv().await.unwrap(), "load jump");
    {
        let mut load = Box::pin(stage.queue.load(&gone));
        assert!(poll_once(load.as_mut()).await.is_none());
    }
    stage.answer(Ok(()));
    assert_eq!(first.await, Ok(key("s")));
    stage.answer(Ok(()));
    assert_eq!(stage.queue.load(&gone).await, Ok(key("s")));
}

#[tokio::test]
async fn a_panic_ends_one_call() {
    let mut stage = Stage::new();
    let jump = name("jump");
    stage.answers.send(None).unwrap();
    assert_eq!(stage.queue.load(&jump).await, Err(explain::broke_off()));
    assert_eq!(stage.began.recv().await.unwrap(), "load jump");
    assert_eq!(stage.began.recv().await.unwrap(), "disconnect");
    stage.answer(Ok(()));
    assert_eq!(stage.queue.load(&jump).await, Ok(key("s")));
}

#[tokio::test]
async fn no_more_than_so_many_wait() {
    let mut stage = Stage::new();
    let (jump, key) = (name("jump"), key("s"));
    let mut running = Box::pin(stage.queue.load(&jump));
    assert!(poll_once(running.as_mut()).await.is_none());
    assert_eq!(stage.began.recv().await.unwrap(), "load jump");
    let mut waiting = Vec::new();
    for _ in 0..MAX_WAITING {
        let mut save = Box::pin(stage.queue.save(&jump, &key));
        assert!(poll_once(save.as_mut()).await.is_none());
        waiting.push(save);
    }
    assert_eq!(stage.queue.save(&jump, &key).await, Err(explain::busy()));
    let other = name("other");
    assert_eq!(stage.queue.load(&other).await, Err(explain::busy()));
    for _ in 0..=MAX_WAITING {
        stage.answer(Ok(()));
    }
    for save in waiting {
        assert_eq!(save.await, Ok(()));
    }
}

#[test]
fn the_thread_starts_with_the_first_call_and_ends_with_the_queue() {
    let Stage { queue, answers, .. } = Stage::new();
    drop(queue);
    assert!(answers.send(Some(Ok(()))).is_err(), "nothing was started");
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.build().unwrap();
    let mut stage = Stage::new();
    stage.answer(Ok(()));
    runtime.block_on(stage.queue.load(&name("jump"))).unwrap();
    drop(stage.queue);
    assert_eq!(runtime.block_on(stage.began.recv()).unwrap(), "load jump");
    assert_eq!(
        runtime.block_on(stage.began.recv()),
        None,
        "the thread ended"
    );
}

/// A keyring that dies while it asks leaves its call hanging for good.
#[tokio::test]
async fn a_call_that_never_ends_is_given_up_and_the_next_has_a_thread_of_its_own() {
    let mut stage = Stage::new();
    let name = name("jump");
    let waiting = async {
        let gone = stage.queue.load(&name).await;
        assert_eq!(gone, Err(explain::broke_off()));
    };
    let giving_up = async {
        assert_eq!(stage.began.recv().await.unwrap(), "load jump");
        stage.queue.abandon();
    };
    tokio::join!(waiting, giving_up);
    let next = stage.queue.load(&name).await;
    assert_eq!(stage.began.recv().await.unwrap(), "load jump");
    assert!(next.is_err());
}
