//! A desktop that does as the test says: a D-Bus daemon of the test's own, and on it a stand-in for systemd's logind, the
//! screen savers and the notification service.

use std::collections::VecDeque;
use std::io::{PipeReader, Read};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use dbus::arg::Variant;
use dbus::channel::{Channel, default_reply};
use dbus::{Message, MessageType};
use tempfile::TempDir;

/// Longer than anything here takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

const LOGIND: &str = "org.freedesktop.login1";
const NOTIFICATIONS: &str = "org.freedesktop.Notifications";

/// GNOME's.
pub const GNOME_SAVER: &str = "org.gnome.ScreenSaver";

/// KDE's and others'.
pub const SAVER: &str = "org.freedesktop.ScreenSaver";

/// Without service files the bus starts nothing by itself: what answers is what was started here.
const CONFIGURATION: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=@PLACE@/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
"#;

/// A bus. Dropping it ends it.
#[derive(Debug)]
pub struct Bus {
    daemon: Option<Child>,
    place: TempDir,
}

impl Bus {
    /// A new bus; `None` where there is no dbus-daemon.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        if !Path::new("/usr/bin/dbus-daemon").exists() {
            return None;
        }
        let place = tempfile::Builder::new().prefix("bus").tempdir();
        let mut bus = Self {
            daemon: None,
            place: place.expect("a directory"),
        };
        bus.run();
        Some(bus)
    }

    /// Starts the daemon, at the same address each time.
    ///
    /// # Panics
    /// It does not start.
    pub fn run(&mut self) {
        let place = self.place.path();
        let file = place.join("bus.xml");
        let text = CONFIGURATION.replace("@PLACE@", &place.display().to_string());
        std::fs::write(&file, text).expect("our own directory");
        let mut daemon = Command::new("/usr/bin/dbus-daemon")
            .arg("--nofork")
            .arg("--print-address=1")
            .arg(format!("--config-file={}", file.display()))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon");
        // It prints its address once it listens.
        let mut byte = [0];
        let mut output = daemon.stdout.take().expect("a pipe");
        output.read_exact(&mut byte).expect("an address");
        self.daemon = Some(daemon);
    }

    /// Ends the daemon at once.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _gone = daemon.kill();
            let _gone = daemon.wait();
        }
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix:path={}/bus", self.place.path().display())
    }

    /// A connection.
    ///
    /// # Panics
    /// The bus is not there.
    #[must_use]
    pub fn connect(&self) -> Channel {
        let mut channel = Channel::open_private(&self.address()).expect("a bus");
        channel.register().expect("a place on the bus");
        channel
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A notification as the service got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The summary.
    pub title: String,
    /// The body, with markup.
    pub body: String,
}

/// What somebody asked the stand-in for.
#[derive(Debug)]
enum Asked {
    /// A delay inhibitor; the other end tells when it is released.
    Inhibited(PipeReader),
    Notified(Shown),
}

/// The services. Dropping them takes them off the bus.
#[derive(Debug)]
pub struct Services {
    orders: Sender<Message>,
    sent: Receiver<Instant>,
    asked: Receiver<Asked>,
    kept: VecDeque<Asked>,
}

impl Services {
    /// All of them on one connection, as on some desktops. Their sessions are those of the user `uid`.
    ///
    /// # Panics
    /// The names are taken.
    #[must_use]
    pub fn on(bus: &Bus, uid: u32) -> Self {
        let channel = bus.connect();
        for name in [LOGIND, GNOME_SAVER, SAVER, NOTIFICATIONS] {
            let me = "org.freedesktop.DBus";
            let call = Message::call_with_args(me, "/org/freedesktop/DBus", me, "RequestName", ());
            let call = call.append2(name, 4_u32);
            let taken = channel.send_with_reply_and_block(call, PATIENCE);
            assert_eq!(taken.expect("an answer").get1::<u32>(), Some(1), "{name}");
        }
        let (orders, received) = mpsc::channel();
        let (told, sent) = mpsc::channel();
        let (tell, asked) = mpsc::channel();
        std::thread::spawn(move || serve(&channel, uid, &received, &told, &tell));
        Self {
            orders,
            sent,
            asked,
            kept: VecDeque::new(),
        }
    }

    /// Sends a signal; returns when it was sent.
    ///
    /// # Panics
    /// The bus is gone.
    pub fn signal(&self, signal: Message) -> Instant {
        self.orders.send(signal).expect("the services run");
        self.sent.recv_timeout(PATIENCE).expect("a signal is sent")
    }

    /// logind: the machine is about to sleep, or has woken.
    pub fn sleep(&self, begins: bool) -> Instant {
        self.signal(sleeping(begins))
    }

    /// logind: this session was locked, or unlocked. Sessions whose name begins with `other` are another user's.
    pub fn session(&self, session: &str, member: &str) -> Instant {
        let path = format!("/org/freedesktop/login1/session/{session}");
        self.signal(message(&path, &format!("{LOGIND}.Session"), member))
    }

    /// A screen saver: its state has changed.
    pub fn saver(&self, name: &str, active: bool) -> Instant {
        self.signal(saver(name, active))
    }

    /// Waits for the next delay inhibitor that somebody takes.
    ///
    /// # Panics
    /// Nobody takes one.
    pub fn inhibitor(&mut self) -> PipeReader {
        let asked = self.wait(|asked| matches!(asked, Asked::Inhibited(_)));
        match asked {
            Asked::Inhibited(pipe) => pipe,
            Asked::Notified(_) => unreachable!("asked for the other"),
        }
    }

    /// Waits for the next notification.
    ///
    /// # Panics
    /// None comes.
    pub fn notification(&mut self) -> Shown {
        let asked = self.wait(|asked| matches!(asked, Asked::Notified(_)));
        match asked {
            Asked::Notified(shown) => shown,
            Asked::Inhibited(_) => unreachable!("asked for the other"),
        }
    }

    /// What was shown so far and not waited for.
    pub fn notifications(&mut self) -> Vec<Shown> {
        self.kept.extend(self.asked.try_iter());
        let shown = self.kept.iter().filter_map(|asked| match asked {
            Asked::Notified(shown) => Some(shown.clone()),
            Asked::Inhibited(_) => None,
        });
        shown.collect()
    }

    fn wait(&mut self, wanted: impl Fn(&Asked) -> bool) -> Asked {
        loop {
            if let Some(at) = self.kept.iter().position(&wanted) {
                return self.kept.remove(at).expect("it was there");
            }
            let next = self.asked.recv_timeout(PATIENCE);
            self.kept.push_back(next.expect("somebody asks"));
        }
    }
}

/// Blocks until a delay inhibitor is released.
///
/// # Panics
/// Its holder wrote to it.
pub fn await_release(mut inhibitor: PipeReader) {
    let read = inhibitor.read(&mut [0]).expect("our own pipe");
    assert_eq!(read, 0, "nothing is written to an inhibitor");
}

/// A signal without arguments.
#[must_use]
pub fn message(path: &str, interface: &str, member: &str) -> Message {
    Message::new_signal(path, interface, member).expect("legal names")
}

/// `PrepareForSleep`.
#[must_use]
pub fn sleeping(begins: bool) -> Message {
    let interface = format!("{LOGIND}.Manager");
    message("/org/freedesktop/login1", &interface, "PrepareForSleep").append1(begins)
}

/// `ActiveChanged`.
#[must_use]
pub fn saver(name: &str, active: bool) -> Message {
    let path = format!("/{}", name.replace('.', "/"));
    message(&path, name, "ActiveChanged").append1(active)
}

fn serve(
    channel: &Channel,
    uid: u32,
    orders: &Receiver<Message>,
    sent: &Sender<Instant>,
    tell: &Sender<Asked>,
) {
    loop {
        match orders.try_recv() {
            Ok(signal) => {
                let at = Instant::now();
                if channel.send(signal).is_err() || sent.send(at).is_err() {
                    return;
                }
                channel.flush();
                continue;
            }
            Err(mpsc::TryRecvError::Disconnected) => return,
            Err(mpsc::TryRecvError::Empty) => {}
        }
        match channel.blocking_pop_message(Duration::from_millis(2)) {
            Ok(None) => {}
            Ok(Some(call)) => answer(channel, uid, &call, tell),
            Err(_) => return,
        }
    }
}

fn answer(channel: &Channel, uid: u32, call: &Message, tell: &Sender<Asked>) {
    if call.msg_type() != MessageType::MethodCall {
        return;
    }
    let member = call.member().map(|member| member.to_string());
    let reply = match member.as_deref() {
        Some("Inhibit") => inhibited(call, tell),
        Some("Get") => Some(whose(call, uid)),
        Some("Notify") => notified(call, tell),
        _ => default_reply(call),
    };
    if let Some(reply) = reply {
        let _left = channel.send(reply);
        channel.flush();
    }
}

fn inhibited(call: &Message, tell: &Sender<Asked>) -> Option<Message> {
    let (what, _, _, mode) = call.get4::<&str, &str, &str, &str>();
    assert_eq!((what, mode), (Some("sleep"), Some("delay")));
    let (reader, writer) = std::io::pipe().ok()?;
    let reply = call.method_return().append1(OwnedFd::from(writer));
    tell.send(Asked::Inhibited(reader)).ok()?;
    Some(reply)
}

/// The property `User` of a session: uid and path.
fn whose(call: &Message, uid: u32) -> Message {
    let path = call.path().map(|path| path.to_string());
    let others = path.is_some_and(|path| path.contains("/other"));
    let uid = if others { uid + 1 } else { uid };
    let user = dbus::Path::from(format!("/org/freedesktop/login1/user/_{uid}"));
    call.method_return().append1(Variant((uid, user)))
}

fn notified(call: &Message, tell: &Sender<Asked>) -> Option<Message> {
    let mut items = call.iter_init();
    let _program: &str = items.read().ok()?;
    let _replaces: u32 = items.read().ok()?;
    let _icon: &str = items.read().ok()?;
    let (title, body): (String, String) = (items.read().ok()?, items.read().ok()?);
    tell.send(Asked::Notified(Shown { title, body })).ok()?;
    (!call.get_no_reply()).then(|| call.method_return().append1(1_u32))
}
