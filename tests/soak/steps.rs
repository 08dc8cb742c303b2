//! What callers do, one step after another: decided by the seed alone.

use jumpgate_tests::draw::Draw;

/// What a caller wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Want {
    /// The whole role.
    Plain,
    /// A profile with a policy: lists and does not read.
    Listing,
    /// A profile without a policy, narrowed to reading, for so many seconds.
    Reading(u64),
    /// A session of so many seconds, by GetScopedCredentials.
    Short(u64),
    /// A role through another.
    Chained,
    /// A profile whose rule leaves the client's executable to list.
    Ruled,
}

/// How `exec` points its command at the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    Container,
    Imds,
    Env,
}

/// Where a caller asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Process,
    Export,
    /// The control socket, without the client.
    Control,
    Exec(Via),
    /// So many requests on one connection, that was kept from before or not.
    Container {
        kept: bool,
        times: u64,
    },
    Imds {
        kept: bool,
        times: u64,
    },
}

/// A request that nobody should make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bad {
    ContainerToken,
    ContainerHost,
    ContainerPath,
    ContainerGarbage,
    ContainerHead,
    ImdsNoToken,
    ImdsLife,
    ControlJson,
    ControlMember,
    ControlPath,
    ControlVersion,
    ControlProfile,
    ControlHidden,
    ControlDuration,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Call(Want, Door),
    /// A client that is killed so many milliseconds after its start.
    Killed(Want, Door, u64),
    Status,
    Leases,
    EndLease,
    Journal,
    Verify,
    Profiles,
    Bad(Bad),
    /// A connection that says nothing or half a head, and stays so many seconds.
    HalfOpen {
        control: bool,
        seconds: u64,
    },
}

const BADS: [Bad; 14] = [
    Bad::ContainerToken,
    Bad::ContainerHost,
    Bad::ContainerPath,
    Bad::ContainerGarbage,
    Bad::ContainerHead,
    Bad::ImdsNoToken,
    Bad::ImdsLife,
    Bad::ControlJson,
    Bad::ControlMember,
    Bad::ControlPath,
    Bad::ControlVersion,
    Bad::ControlProfile,
    Bad::ControlHidden,
    Bad::ControlDuration,
];

impl Step {
    pub(crate) fn next(dice: &mut Draw) -> Self {
        let draw: fn(&mut Draw) -> Self = dice.weighted(&[
            (68, call as fn(&mut Draw) -> Self),
            (5, killed),
            (5, |_| Self::Status),
            (2, |_| Self::Leases),
            (2, |_| Self::EndLease),
            (2, |_| Self::Journal),
            (1, |_| Self::Verify),
            (2, |_| Self::Profiles),
            (9, |dice| Self::Bad(dice.one_of(&BADS))),
            (4, half_open),
        ]);
        draw(dice)
    }

    /// Whether the step may wait for a person, for AWS or for a child, so that others should not wait behind it.
    pub(crate) const fn is_patient(self) -> bool {
        let (Self::Call(_, door) | Self::Killed(_, door, _)) = self else {
            return false;
        };
        !matches!(door, Door::Container { .. } | Door::Imds { .. })
    }
}

fn call(dice: &mut Draw) -> Step {
    let door: fn(&mut Draw) -> Door = dice.weighted(&[
        (20, (|_| Door::Process) as fn(&mut Draw) -> Door),
        (6, |_| Door::Export),
        (16, |_| Door::Control),
        (6, exec),
        (30, container),
        (22, imds),
    ]);
    let door = door(dice);
    Step::Call(want(dice, door), door)
}

fn killed(dice: &mut Draw) -> Step {
    let exec = exec(dice);
    let door = dice.one_of(&[Door::Process, Door::Export, exec]);
    Step::Killed(want(dice, door), door, dice.within(0..40))
}

fn half_open(dice: &mut Draw) -> Step {
    Step::HalfOpen {
        control: dice.once_in(2),
        seconds: dice.within(1..9),
    }
}

fn exec(dice: &mut Draw) -> Door {
    Door::Exec(dice.one_of(&[Via::Container, Via::Imds, Via::Env]))
}

fn container(dice: &mut Draw) -> Door {
    let (kept, times) = requests(dice);
    Door::Container { kept, times }
}

fn imds(dice: &mut Draw) -> Door {
    let (kept, times) = requests(dice);
    Door::Imds { kept, times }
}

fn requests(dice: &mut Draw) -> (bool, u64) {
    let kept = !dice.once_in(3);
    (kept, if kept { dice.within(1..7) } else { 1 })
}

fn want(dice: &mut Draw, door: Door) -> Want {
    // So many questions that not all are in the cache, and no more than it can hold.
    let reading = Want::Reading(900 + dice.within(0..40));
    let short = Want::Short(dice.within(15..40));
    match door {
        Door::Process => dice.one_of(&[Want::Plain, Want::Listing, Want::Chained, Want::Ruled]),
        Door::Export | Door::Exec(_) => dice.one_of(&[
            Want::Plain,
            Want::Listing,
            Want::Chained,
            Want::Ruled,
            reading,
            short,
        ]),
        Door::Control => dice.one_of(&[Want::Plain, Want::Listing, Want::Chained, reading, short]),
        Door::Container { .. } => dice.one_of(&ENDPOINTS),
        Door::Imds { .. } => dice.one_of(&ENDPOINTS[..2]),
    }
}

/// Questions for which an endpoint stands, the first two by both kinds.
pub(crate) const ENDPOINTS: [Want; 4] =
    [Want::Plain, Want::Listing, Want::Chained, Want::Short(20)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_schedule() {
        let steps = |seed| {
            let mut dice = Draw::of(seed);
            let steps: Vec<Step> = (0..1_000).map(|_| Step::next(&mut dice)).collect();
            steps
        };
        assert_eq!(steps(7), steps(7));
        assert_ne!(steps(7), steps(8));
        let patient = steps(7).iter().filter(|step| step.is_patient()).count();
        assert!((200..600).contains(&patient), "{patient}");
    }
}
