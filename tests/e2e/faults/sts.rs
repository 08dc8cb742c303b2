//! STS refuses, throttles, is out of order: what AWS itself does to a call.

use std::time::Duration;

use jumpgate_tests::sts::{Fault as Twist, When};

use super::examine::{Fault, examine};
use super::shape::Shape;

const THRICE: &str = "for three attempts, 12 s at most, and for one where a code is sent; an endpoint that gave up with \
                      503 `upstream_timed_out` before the third has the failure at the next request. It is remembered for 3 s";

/// Every call of STS meets this until it is taken away.
fn always(name: &'static str, how: &'static str, at_most: &'static str, twist: Twist) -> Fault {
    Fault::new(
        [name, how, at_most],
        move |lab| lab.double.inject(twist.clone(), When::always()),
        |lab| lab.double.clear_faults(),
    )
}

/// The same, where no attempt is answered at once.
fn slowly(name: &'static str, how: &'static str, at_most: &'static str, twist: Twist) -> Fault {
    Fault {
        patient: |_| false,
        ..always(name, how, at_most, twist)
    }
}

/// The same where more than one call makes a session.
fn and_shaped(names: [&'static str; 2], fault: impl Fn() -> Fault) -> Vec<Fault> {
    let shaped = |shape, name| Fault {
        shape,
        name,
        ..fault()
    };
    vec![
        fault(),
        shaped(Shape::Chained, names[0]),
        shaped(Shape::Scoped, names[1]),
    ]
}

#[test]
fn sts_refuses() {
    let refusal = Twist::Error {
        status: 403,
        code: "AccessDenied".to_owned(),
        message: "User: arn:aws:iam::111111111111:user/alice is not authorized".to_owned(),
    };
    let refuses = || {
        always(
            "STS refuses",
            "Every call is answered with 403 `AccessDenied`.",
            "for one call; the refusal is remembered for 10 s",
            refusal.clone(),
        )
    };
    let names = ["A chain: STS refuses", "Scoped down: STS refuses"];
    examine(and_shaped(names, refuses));
}

#[test]
fn sts_is_out_of_order() {
    examine(vec![
        always(
            "STS throttles",
            "Every call is answered with 400 `Throttling`.",
            THRICE,
            Twist::Throttling,
        ),
        always(
            "STS is unavailable",
            "Every call is answered with 503 `ServiceUnavailable`.",
            THRICE,
            Twist::ServiceUnavailable,
        ),
        always(
            "STS resets the connection",
            "Every call ends with a reset before an answer.",
            THRICE,
            Twist::Reset,
        ),
    ]);
}

#[test]
fn sts_is_slow() {
    const TO_THE_LIMITS: &str = "12 s for all attempts, and 5 s where a code is sent or a session still lives; at an endpoint 0.7 s. The failure is remembered for 3 s";
    let hangs = || {
        slowly(
            "STS hangs",
            "No call is ever answered; the connection stays open.",
            TO_THE_LIMITS,
            Twist::Hang,
        )
    };
    let mut faults = and_shaped(["A chain: STS hangs", "Scoped down: STS hangs"], hangs);
    faults.extend([
        slowly(
            "STS drips",
            "Every answer comes byte by byte, ten a second.",
            TO_THE_LIMITS,
            Twist::Drip(Duration::from_millis(100)),
        ),
        slowly(
            "STS is slow",
            "Every answer comes after 2 s.",
            "for the answer; at an endpoint 0.7 s: what came later is there for the next request",
            Twist::Delay(Duration::from_secs(2)),
        ),
    ]);
    examine(faults);
}

#[test]
fn sts_answers_with_something_else() {
    const ONCE: &str = "for one call; the failure is remembered for 3 s";
    let garbled = || {
        always(
            "STS's answer is garbled",
            "The first half of every answer is followed by what is no XML.",
            ONCE,
            Twist::MalformedXml,
        )
    };
    let names = [
        "A chain: STS's answer is garbled",
        "Scoped down: STS's answer is garbled",
    ];
    let mut faults = and_shaped(names, garbled);
    faults.extend([
        always(
            "STS's answer is cut off",
            "The connection ends in the middle of every answer.",
            THRICE,
            Twist::TruncatedBody,
        ),
        always(
            "STS's answer is too large",
            "Every answer is 128 KiB longer.",
            ONCE,
            Twist::Oversized(128 << 10),
        ),
        always(
            "STS's credentials have expired",
            "The credentials in every answer expired a minute ago.",
            ONCE,
            Twist::AlreadyExpired,
        ),
        always(
            "STS's session is another role's",
            "Every answer to AssumeRole is for a session of another role; GetSessionToken is answered well.",
            ONCE,
            Twist::OtherRole,
        ),
    ]);
    examine(faults);
}
