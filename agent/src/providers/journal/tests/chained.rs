//! Any sequence of events verifies.

use proptest::prelude::*;

use super::*;

fn any_event() -> impl Strategy<Value = Event> {
    let text = || proptest::option::of(any::<String>());
    let tags = proptest::collection::vec((".{0,128}", ".{0,256}"), 0..50);
    let activity = prop_oneof![
        Just(Activity::LeaseIssue),
        Just(Activity::Deny),
        Just(Activity::IdentityLock)
    ];
    (activity, -2..40 * DAY, text(), text(), text(), tags).prop_map(
        |(activity, seconds, failure, detail, reason, tags)| {
            let mut event = Event::new(activity, at(seconds));
            event.failure = failure;
            event.detail = detail;
            event.facts.reason = reason;
            event.facts.tags = tags;
            event
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// With whatever texts, on whatever days, with the clock going either way, over several starts.
    #[test]
    fn any_sequence_of_events_is_intact(
        starts in proptest::collection::vec(proptest::collection::vec(any_event(), 0..6), 1..4)
    ) {
        let place = Place::new();
        let mut written = 0;
        for events in starts {
            written += events.len();
            place.record(events);
        }
        prop_assert_eq!(place.damage(), Vec::<String>::new());
        let own = |activity: &&String| activity.starts_with("log.");
        let activities = place.activities();
        let pruned = activities.iter().filter(|activity| *activity == "log.prune").count();
        let kept = activities.len() - activities.iter().filter(own).count();
        prop_assert!(kept <= written && (pruned > 0 || kept == written));
    }
}
