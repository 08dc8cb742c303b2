//! STS refuses, throttles, is out of order: what AWS itself does to a call.

use jumpgate_tests::sts::{Fault as Twist, When};

use super::examine::{Fault, examine};

const THRICE: &str = "for three attempts, 12 s at most, and for one where a code is sent; an endpoint that gave up with \
                      503 `upstream_timed_out` before the third has the failure at the next request. It is remembered for 3 s";

/// Every call of STS meets this until it is taken away.
fn always(name: &'static str, how: &'static str, at_most: &'static str, twist: Twist) -> Fault {
    Fault {
        name,
        how,
        at_most,
        patient: true,
        prepare: Box::new(|_| ()),
        put: Box::new(move |lab| lab.double.inject(twist.clone(), When::always())),
        away: Box::new(|lab| lab.double.clear_faults()),
    }
}

#[test]
fn sts_refuses() {
    let refusal = Twist::Error {
        status: 403,
        code: "AccessDenied".to_owned(),
        message: "User: arn:aws:iam::111111111111:user/alice is not authorized".to_owned(),
    };
    examine(vec![always(
        "STS refuses",
        "Every call is answered with 403 `AccessDenied`.",
        "for one call; the refusal is remembered for 10 s",
        refusal,
    )]);
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
