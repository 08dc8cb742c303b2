//! Each step by a table, and the laws of all histories: a rotation that is cut off anywhere, again and again.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use jumpgate_api::Secret;
use proptest::prelude::*;

use super::*;

const GRACE: Duration = Duration::from_secs(60);

fn id(name: &str) -> AccessKeyId {
    AccessKeyId::parse(&format!("AKIA{name:_<16}")).unwrap()
}

fn key(name: &str) -> LongTermKey {
    LongTermKey {
        access_key_id: id(name),
        secret_access_key: Secret::new(format!("secret of {name}")),
    }
}

fn dated(name: &str) -> DatedKey {
    DatedKey {
        key: key(name),
        since: None,
    }
}

fn at(second: u64) -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000).plus(Duration::from_secs(second))
}

fn stored(current: &str, phase: Option<Phase>) -> StoredKey {
    StoredKey {
        current: dated(current),
        totp_seed: None,
        rotation: phase.map(|phase| Rotation {
            phase,
            grace: GRACE,
        }),
    }
}

fn seed() -> TotpSeed {
    TotpSeed::parse("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap()
}

fn creating() -> Phase {
    let known = vec![id("old")];
    Phase::Creating { known, at: at(0) }
}

fn retiring(delete_at: Timestamp) -> Phase {
    let former = dated("old");
    Phase::Retiring { former, delete_at }
}

fn withdrawing(name: &str) -> Phase {
    Phase::Withdrawing { doomed: id(name) }
}

fn listed(name: &str) -> ListedKey {
    ListedKey {
        id: id(name),
        active: true,
        created_at: Some(at(0)),
        last_used: LastUse::Never,
    }
}

#[test]
fn the_first_step_goes_by_what_is_stored() {
    let created = || Phase::Created { next: dated("new") };
    let switched = || Phase::Switched {
        former: dated("old"),
    };
    let back =
        |current: &str, doomed: &str| Step::Store(stored(current, Some(withdrawing(doomed))));
    for (before, aim, expected) in [
        (stored("old", None), Aim::Begin, Ok(Step::Survey)),
        (stored("old", None), Aim::Resume, Err(Refusal::NotUnderWay)),
        (stored("old", None), Aim::Abort, Err(Refusal::NotUnderWay)),
        (
            stored("old", Some(creating())),
            Aim::Begin,
            Err(Refusal::UnderWay("creating")),
        ),
        (
            stored("old", Some(creating())),
            Aim::Resume,
            Ok(Step::Survey),
        ),
        (
            stored("old", Some(creating())),
            Aim::Abort,
            Ok(Step::Survey),
        ),
        (
            stored("old", Some(created())),
            Aim::Resume,
            Ok(Step::Prove(key("new"))),
        ),
        (
            stored("old", Some(created())),
            Aim::Abort,
            Ok(back("old", "new")),
        ),
        (
            stored("new", Some(switched())),
            Aim::Resume,
            Ok(Step::Deactivate(id("old"))),
        ),
        (
            stored("new", Some(switched())),
            Aim::Abort,
            Ok(Step::Activate(id("old"))),
        ),
        (
            stored("new", Some(retiring(at(1)))),
            Aim::Begin,
            Err(Refusal::UnderWay("retiring")),
        ),
        (
            stored("new", Some(retiring(at(1)))),
            Aim::Resume,
            Ok(Step::Rest),
        ),
        (
            stored("new", Some(retiring(at(0)))),
            Aim::Resume,
            Ok(Step::Delete(id("old"))),
        ),
        (
            stored("new", Some(retiring(at(0)))),
            Aim::Begin,
            Ok(Step::Delete(id("old"))),
        ),
        (
            stored("new", Some(retiring(at(0)))),
            Aim::Abort,
            Ok(Step::Activate(id("old"))),
        ),
        (
            stored("old", Some(withdrawing("new"))),
            Aim::Resume,
            Ok(Step::Delete(id("new"))),
        ),
        (
            stored("old", Some(withdrawing("new"))),
            Aim::Abort,
            Ok(Step::Delete(id("new"))),
        ),
    ] {
        let context = format!("{before:?} {aim:?}");
        let first = Run::begin(before, aim, None, at(0)).map(|(_, step)| step);
        assert_eq!(first, expected, "{context}");
    }
}

#[test]
fn a_grace_can_be_shortened_and_not_made_longer() {
    let before = stored("new", Some(retiring(at(60))));
    let begun = |grace| {
        Run::begin(
            before.clone(),
            Aim::Resume,
            Some(Duration::from_secs(grace)),
            at(0),
        )
        .unwrap()
        .1
    };
    assert_eq!(begun(0), Step::Delete(id("old")));
    assert_eq!(
        begun(30),
        Step::Store(stored("new", Some(retiring(at(30)))))
    );
    assert_eq!(begun(90), Step::Rest);
}

#[test]
fn only_the_one_known_key_is_replaced() {
    let survey = |keys: &[ListedKey]| {
        let (mut run, step) =
            Run::begin(stored("old", None), Aim::Begin, Some(GRACE), at(0)).unwrap();
        run.after(step, Event::Surveyed(keys.to_vec()), at(0))
    };
    let only = survey(&[listed("old")]);
    assert_eq!(only, Ok(Step::Store(stored("old", Some(creating())))));
    let two = vec![listed("old"), listed("other")];
    assert_eq!(survey(&two), Err(Refusal::NoRoom(two.clone())));
    assert_eq!(
        survey(&[listed("other")]),
        Err(Refusal::Unlisted(id("old")))
    );
    assert_eq!(survey(&[]), Err(Refusal::Unlisted(id("old"))));
}

#[test]
fn a_lost_key_is_deleted_only_if_it_can_be_nobody_elses() {
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let look = |other: ListedKey| {
        let mut intent = stored("old", Some(creating()));
        if let Some(Rotation {
            phase: Phase::Creating { at: intended, .. },
            ..
        }) = &mut intent.rotation
        {
            *intended = at(0).plus(minutes(10));
        }
        let (mut run, step) = Run::begin(intent, Aim::Resume, None, at(0)).unwrap();
        run.after(step, Event::Surveyed(vec![listed("old"), other]), at(0))
    };
    let foreign = |other: ListedKey| Err(Refusal::Foreign(vec![other]));
    let mut other = listed("other");
    other.created_at = Some(at(0).plus(minutes(5)));
    assert_eq!(look(other.clone()), Ok(Step::Delete(id("other"))));
    other.created_at = Some(at(0).plus(minutes(4)));
    assert_eq!(
        look(other.clone()),
        foreign(other.clone()),
        "it was there before"
    );
    other.created_at = None;
    assert_eq!(
        look(other.clone()),
        foreign(other.clone()),
        "nobody knows since when"
    );
    other.created_at = Some(at(0).plus(minutes(11)));
    for used in [LastUse::At(at(700)), LastUse::Unknown] {
        other.last_used = used;
        assert_eq!(look(other.clone()), foreign(other.clone()), "{used:?}");
    }
}

#[test]
fn what_nobody_asked_for_is_no_event_of_a_step() {
    let (mut run, step) = Run::begin(stored("old", None), Aim::Begin, None, at(0)).unwrap();
    assert_eq!(run.after(step, Event::Gone, at(0)), Err(Refusal::Confused));
}

#[test]
fn refusals_name_both_keys_with_their_last_use() {
    let mut other = listed("other");
    (other.active, other.last_used) = (false, LastUse::At(at(0)));
    let text = Refusal::NoRoom(vec![listed("old"), other]).to_string();
    assert_eq!(
        text,
        "the user has two access keys, the most that AWS allows: AKIAold_____________ (active, never used), \
         AKIAother___________ (inactive, last used 2027-01-15T08:00:00Z)"
    );
}

/// AWS and the store, as two places that no step changes at once.
struct Model {
    /// Key id to whether it is active.
    aws: BTreeMap<String, bool>,
    made: usize,
    stored: StoredKey,
    now: u64,
}

/// How a step is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Not,
    /// Before anything changed.
    Before,
    /// After it changed, before we learned of it.
    After,
}

impl Model {
    fn new() -> Self {
        Self {
            aws: BTreeMap::from([(id("old").as_str().to_owned(), true)]),
            made: 0,
            stored: StoredKey {
                totp_seed: Some(seed()),
                ..stored("old", None)
            },
            now: 0,
        }
    }

    fn carry_out(&mut self, step: &Step) -> Event {
        let set = |aws: &mut BTreeMap<String, bool>, id: &AccessKeyId, to| match aws
            .get_mut(id.as_str())
        {
            Some(active) => {
                *active = to;
                Event::Done
            }
            None => Event::Gone,
        };
        match step {
            Step::Survey => Event::Surveyed(self.listed()),
            Step::Create => {
                assert!(self.aws.len() < 2, "a third key was asked for");
                self.made += 1;
                let key = key(&format!("new{}", self.made));
                self.aws.insert(key.access_key_id.as_str().to_owned(), true);
                Event::Made(key)
            }
            Step::Prove(key) => {
                assert_eq!(self.aws.get(key.access_key_id.as_str()), Some(&true));
                Event::Done
            }
            Step::Activate(id) => set(&mut self.aws, id, true),
            Step::Deactivate(id) => set(&mut self.aws, id, false),
            Step::Delete(id) => match self.aws.remove(id.as_str()) {
                Some(_) => Event::Done,
                None => Event::Gone,
            },
            Step::Store(stored) => {
                self.stored = stored.clone();
                Event::Done
            }
            Step::Rest => Event::Done,
        }
    }

    fn listed(&self) -> Vec<ListedKey> {
        let key = |(id, active): (&String, &bool)| ListedKey {
            id: AccessKeyId::parse(id).unwrap(),
            active: *active,
            created_at: Some(at(self.now)),
            last_used: LastUse::Never,
        };
        self.aws.iter().map(key).collect()
    }

    fn check(&self) {
        assert_eq!(self.stored.totp_seed, Some(seed()), "the seed is lost");
        assert!(self.aws.len() <= 2, "{:?}", self.aws);
        let current = self.stored.current.id().as_str();
        let usable = self.aws.get(current) == Some(&true);
        assert!(usable, "{current} is stored and {:?} are at AWS", self.aws);
    }

    /// One run, cut off as told; whether it came to its end.
    fn run(&mut self, aim: Aim, cuts: &mut impl Iterator<Item = Cut>) -> bool {
        let begun = Run::begin(self.stored.clone(), aim, Some(GRACE), at(self.now));
        let Ok((mut run, mut step)) = begun else {
            return true;
        };
        while step != Step::Rest {
            let cut = cuts.next().unwrap_or(Cut::Not);
            if cut == Cut::Before {
                return false;
            }
            let event = self.carry_out(&step);
            self.check();
            if cut == Cut::After {
                return false;
            }
            step = match run.after(step, event, at(self.now)) {
                Ok(step) => step,
                // It was deleted before the last cut: the way ahead is the only one left.
                Err(Refusal::FormerIsGone(_)) if aim == Aim::Abort => return true,
                Err(refusal) => panic!("{refusal}"),
            };
        }
        true
    }

    /// Without cuts everything ends with the one key that is stored.
    fn settle(&mut self, aim: Aim) {
        assert!(self.run(aim, &mut std::iter::empty()));
        self.now += GRACE.as_secs();
        assert!(self.run(Aim::Resume, &mut std::iter::empty()));
        assert_eq!(self.stored.rotation, None);
        let only: Vec<&str> = self.aws.keys().map(String::as_str).collect();
        assert_eq!(only, [self.stored.current.id().as_str()]);
    }
}

fn cut() -> impl Strategy<Value = Cut> {
    prop_oneof![6 => Just(Cut::Not), 1 => Just(Cut::Before), 1 => Just(Cut::After)]
}

fn aim() -> impl Strategy<Value = Aim> {
    prop_oneof![2 => Just(Aim::Begin), 3 => Just(Aim::Resume), 2 => Just(Aim::Abort)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_a_rotation_is_cut_off_in_a_key_that_works_is_stored_and_no_third_is_made(
        runs in prop::collection::vec((aim(), prop::collection::vec(cut(), 0..12), 0_u64..90), 1..8),
        last in prop_oneof![Just(Aim::Resume), Just(Aim::Abort)],
    ) {
        let mut model = Model::new();
        for (aim, cuts, pause) in runs {
            model.run(aim, &mut cuts.into_iter());
            model.now += pause;
        }
        model.settle(last);
    }
}

#[test]
fn an_undisturbed_rotation_replaces_the_key_and_an_aborted_one_does_not() {
    let mut model = Model::new();
    model.settle(Aim::Begin);
    assert_eq!(model.stored.current.id(), &id("new1"));
    assert!(model.run(Aim::Begin, &mut std::iter::empty()));
    assert_eq!(model.aws.len(), 2, "the former key is there for its grace");
    model.settle(Aim::Abort);
    assert_eq!(model.stored.current.id(), &id("new1"));
}
