//! Tests of durations: every limit at its edge.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::{CHAINING_MAX, MfaSessionDuration, RoleDuration};

#[test]
fn ranges_end_where_sts_says() {
    for (seconds, role, mfa) in [
        (0, false, false),
        (899, false, false),
        (900, true, true),
        (43_200, true, true),
        (43_201, false, true),
        (129_600, false, true),
        (129_601, false, false),
        (u32::MAX, false, false),
    ] {
        assert_eq!(RoleDuration::new(seconds).is_ok(), role, "{seconds}");
        assert_eq!(RoleDuration::try_from(seconds).is_ok(), role, "{seconds}");
        assert_eq!(MfaSessionDuration::new(seconds).is_ok(), mfa, "{seconds}");
        assert_eq!(
            MfaSessionDuration::try_from(seconds).is_ok(),
            mfa,
            "{seconds}"
        );
    }
    assert_eq!(
        RoleDuration::new(899).unwrap_err().to_string(),
        "AssumeRole takes 900 to 43200 seconds, not 899"
    );
    assert_eq!(
        MfaSessionDuration::parse("37h").unwrap_err().to_string(),
        "GetSessionToken takes 900 to 129600 seconds, not 133200"
    );
}

#[test]
fn texts_need_digits_and_one_unit() {
    for (text, seconds) in [
        ("900s", 900),
        ("15m", 900),
        ("1h", 3_600),
        ("12h", 43_200),
        ("0901s", 901),
        ("90m", 5_400),
    ] {
        assert_eq!(
            RoleDuration::parse(text).unwrap().seconds(),
            seconds,
            "{text}"
        );
    }
    for text in [
        "",
        "h",
        "900",
        "1 h",
        "1H",
        "1.5h",
        "-1h",
        "+1h",
        "1h30m",
        "1d",
        "١h",
        "1é",
        "9999999999s",
        "999999999h",
    ] {
        assert!(RoleDuration::parse(text).is_err(), "{text}");
    }
    assert_eq!(
        RoleDuration::parse("1d\n").unwrap_err().to_string(),
        "a duration like 900s, 15m or 1h is expected, not \"1d\\n\""
    );
}

#[test]
fn chaining_caps_at_one_hour_and_no_lower() {
    for (seconds, capped) in [(900, 900), (3_600, 3_600), (3_601, 3_600), (43_200, 3_600)] {
        let duration = RoleDuration::new(seconds).unwrap();
        assert_eq!(duration.capped_for_chaining().seconds(), capped);
    }
    assert_eq!(
        RoleDuration::MAX.capped_for_chaining().seconds(),
        CHAINING_MAX
    );
}

#[test]
fn the_shorter_of_two() {
    let (short, long) = (RoleDuration::MIN, RoleDuration::DEFAULT);
    assert_eq!(RoleDuration::min(long, short), short);
    assert_eq!(short.min(long), short);
}

#[test]
fn serde_has_seconds() {
    assert_eq!(
        serde_json::to_string(&RoleDuration::DEFAULT).unwrap(),
        "3600"
    );
    assert_eq!(
        serde_json::from_str::<RoleDuration>("900").unwrap(),
        RoleDuration::MIN
    );
    for text in ["899", "43201", "-900", "4294968196", "\"1h\"", "900.0"] {
        assert!(
            serde_json::from_str::<RoleDuration>(text).is_err(),
            "{text}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_displayed_parses(seconds in 900_u32..=43_200) {
        let duration = RoleDuration::new(seconds).unwrap();
        prop_assert_eq!(duration.to_string().parse(), Ok(duration));
        prop_assert_eq!(std::time::Duration::from(duration).as_secs(), u64::from(seconds));
    }

    #[test]
    fn no_text_panics(text in any::<String>(), nearly in "[0-9]{0,12}[smhd]?") {
        let _ = RoleDuration::parse(&text);
        let _ = MfaSessionDuration::parse(&nearly);
    }
}
