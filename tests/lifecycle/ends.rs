//! Opening and ending: rules 1 and 2.

use laneway::escalation::{
    Cause, Command, Counts, Does, End, GrantState, Outcome, Refusal, Reply, SignOffState,
};

use crate::support::{
    Case, Setting, anyone, approval, decide, denial, event, matrix, operator, variant,
};
use laneway::Verdict;

#[test]
fn rule_1_an_opening_has_a_sign_off_for_each_attached_lane() {
    let case = Case::open("both");
    let lanes = case.it.sign_offs.iter().map(|it| it.plan.lane.as_str());
    assert_eq!(lanes.collect::<Vec<_>>(), ["pay", "guard"]);
    assert_eq!(case.outcome(), None);
    assert!(case.it.due().is_some());
}

#[test]
fn rule_1_what_is_decided_on_is_pinned_with_its_digest() {
    let case = Case::open("pay");
    let again = decide(&matrix(), &event("pay"));
    assert_eq!(case.it.digest, again.action_digest);
    assert_eq!(case.it.pinned.digest, again.action_digest);
    assert_ne!(
        case.it.digest,
        decide(&matrix(), &variant("pay", 2)).action_digest
    );
}

#[test]
fn rule_1_what_is_not_escalated_demands_nobody() {
    let decision = decide(&matrix(), &event("plain"));
    assert_eq!(decision.verdict, Verdict::Allow);
    assert!(decision.lanes.is_empty());
}

#[test]
fn rule_2_every_sign_off_is_needed() {
    let mut case = Case::open("both");
    // Ben answers in both lanes at once; Ann completes the quorum of the first.
    case.at(1).approve("ben").unwrap();
    assert_eq!(case.it.sign_offs[0].state, SignOffState::Waiting);
    assert_eq!(case.it.sign_offs[1].state, SignOffState::Satisfied);
    assert_eq!(case.outcome(), None);
    case.at(2).approve("ann").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Approved));
    assert_eq!(case.records(), ["voted", "satisfied", "resolved"]);
}

#[test]
fn rule_2_the_first_denial_ends_it_and_the_others_are_moot() {
    let mut case = Case::open("both");
    case.at(1).deny("ann").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Denied));
    assert_eq!(case.it.sign_offs[0].state, SignOffState::Denied);
    assert_eq!(case.it.sign_offs[1].state, SignOffState::Moot);
    assert_eq!(case.it.grant, None);
}

#[test]
fn rule_2_a_denial_outweighs_an_approval_before_it() {
    let mut case = Case::open("pay");
    case.at(1).approve("ann").unwrap();
    case.at(2).deny("ben").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Denied));
}

#[test]
fn rule_2_a_deny_step_ends_it_timed_out() {
    let mut case = Case::open("pay");
    for minutes in [10, 20, 30] {
        case.at(minutes).tick().unwrap();
    }
    let resolution = case.it.resolution.clone().unwrap();
    assert_eq!(resolution.outcome, Outcome::TimedOut);
    assert_eq!(resolution.end, Some(End::Deny));
    assert_eq!(resolution.cause, Cause::Step("pay".to_owned()));
    assert_eq!(case.it.sign_offs[0].state, SignOffState::TimedOut);
}

#[test]
fn rule_2_an_expire_step_says_that_a_resubmission_is_welcome() {
    let mut case = Case::open("idle");
    for minutes in [10, 15, 20, 25, 30] {
        assert_eq!(case.outcome(), None);
        case.at(minutes).tick().unwrap();
    }
    let resolution = case.it.resolution.clone().unwrap();
    assert_eq!(resolution.outcome, Outcome::TimedOut);
    assert_eq!(resolution.end, Some(End::Expire));
}

#[test]
fn rule_2_the_first_negative_end_makes_the_others_moot() {
    let mut case = Case::open("both");
    case.at(1).approve("ann").unwrap();
    case.folk.left.insert("cat");
    case.it.sign_offs[0].plan = {
        let mut plan = (*case.it.sign_offs[0].plan).clone();
        plan.steps.retain(|step| step.does == Does::Deny);
        plan.steps[0].at = crate::support::after(5 * 60);
        plan.into()
    };
    case.at(5).tick().unwrap();
    assert_eq!(case.outcome(), Some(Outcome::TimedOut));
    assert_eq!(case.it.sign_offs[1].state, SignOffState::Moot);
}

#[test]
fn rule_2_a_denial_needs_a_reason() {
    let mut case = Case::open("pay");
    let empty = case.at(1).act(&denial(" \n"), &anyone("ann"));
    assert_eq!(empty, Err(Refusal::NoReason));
    assert_eq!(case.outcome(), None);
}

const UNREADABLE: &str = r#"{"kind": "call", "id": "e-1", "what": "pay"}"#;

fn unreadable() -> Case {
    let mut setting = Setting::of("pay");
    setting.event = UNREADABLE.to_owned();
    setting.open()
}

#[test]
fn rule_2_what_cannot_be_read_is_never_approved_as_it_is() {
    let mut case = unreadable();
    assert_eq!(case.at(1).approve("eve"), Err(Refusal::Unreadable));
    assert_eq!(case.outcome(), None);
    case.deny("eve").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Denied));
    let mut case = unreadable();
    let cancel = Command::Cancel { reason: None };
    case.at(1).act(&cancel, &anyone("bot-1")).unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Cancelled));
}

#[test]
fn rule_2_what_cannot_be_read_is_amended_and_decided_as_new() {
    let mut case = unreadable();
    case.at(1).amend("eve", &event("pay")).unwrap();
    // Its own sign-off is satisfied, and the lane that attaches now demands another.
    assert_eq!(case.outcome(), None);
    let lanes: Vec<_> = case.it.sign_offs.iter().collect();
    assert_eq!(lanes[0].state, SignOffState::Satisfied);
    assert_eq!(lanes[1].plan.lane, "pay");
    assert_eq!(lanes[1].state, SignOffState::Waiting);
    case.at(2).approve("ann").unwrap();
    case.at(3).approve("ben").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Amended));
}

#[test]
fn rule_2_what_cannot_be_read_is_not_amended_into_what_cannot_be_read() {
    let mut case = unreadable();
    let still = r#"{"kind": "call", "id": "e-1", "what": "pay", "n": "many"}"#;
    assert_eq!(case.at(1).amend("eve", still), Err(Refusal::Unreadable));
    assert_eq!(case.it.round, 1);
}

#[test]
fn rule_2_what_cannot_be_read_ends_denied_by_time() {
    let mut case = unreadable();
    for minutes in [60, 240] {
        case.at(minutes).tick().unwrap();
    }
    assert_eq!(case.outcome(), Some(Outcome::TimedOut));
}

#[test]
fn rule_2_what_was_reported_and_denied_is_kept_until_an_operator_releases_it() {
    let mut setting = Setting::of("pay");
    setting.asks = false;
    let mut case = setting.open();
    let release = |case: &mut Case| case.act(&Command::Release, &operator("ops"));
    assert_eq!(release(case.at(1)), Err(Refusal::NothingKept));
    case.deny("ann").unwrap();
    let by_ann = case.act(&Command::Release, &anyone("ann"));
    assert!(matches!(by_ann, Err(Refusal::NotPermitted(_))));
    assert_eq!(release(&mut case), Ok(Reply::Done));
    assert_eq!(release(&mut case), Ok(Reply::Unchanged));
    assert_eq!(case.outcome(), Some(Outcome::Denied));
}

#[test]
fn rule_2_what_was_reported_and_approved_has_nothing_to_consume() {
    let mut setting = Setting::of("pay");
    setting.asks = false;
    let mut case = setting.open();
    case.at(1).approve("ann").unwrap();
    case.approve("ben").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Approved));
    assert_eq!(case.it.grant, None);
    let release = case.act(&Command::Release, &operator("ops"));
    assert_eq!(release, Err(Refusal::NothingKept));
}

#[test]
fn rule_2_what_was_asked_and_denied_is_never_released() {
    let mut case = Case::open("pay");
    case.at(1).deny("ann").unwrap();
    let release = case.act(&Command::Release, &operator("ops"));
    assert_eq!(release, Err(Refusal::NothingKept));
}

#[test]
fn rule_2_an_action_that_runs_meanwhile_gets_no_grant() {
    let mut case = Case::open("watch");
    case.at(1).approve("ben").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Approved));
    assert_eq!(case.it.grant, None);
}

#[test]
fn rule_2_an_approval_gives_a_live_grant_for_its_action() {
    let mut case = Case::open("pay");
    case.at(1).approve("ann").unwrap();
    case.approve("ben").unwrap();
    let grant = case.it.grant.clone().unwrap();
    assert_eq!(grant.state, GrantState::Live);
    assert_eq!(grant.digest, case.it.pinned.digest);
    assert_eq!(grant.lapses, crate::support::after(16 * 60));
    assert_eq!(case.it.due(), Some(grant.lapses));
}

#[test]
fn rule_2_an_end_is_never_left() {
    let digest = Case::open("pay").it.digest;
    let ends: [fn(&mut Case); 4] = [
        |case| {
            case.approve("ann").unwrap();
            case.approve("ben").unwrap();
        },
        |case| {
            case.deny("ann").unwrap();
        },
        |case| {
            for minutes in [10, 20, 30] {
                case.at(minutes).tick().unwrap();
            }
        },
        |case| {
            let cancel = Command::Cancel { reason: None };
            case.act(&cancel, &anyone("bot-1")).unwrap();
        },
    ];
    for end in ends {
        let mut case = Case::open("pay");
        end(case.at(1));
        let resolution = case.it.resolution.clone();
        assert!(resolution.is_some());
        for command in [
            approval(&digest),
            denial("no"),
            Command::Cancel { reason: None },
            case.reassignment(None, "second"),
            case.amendment(&variant("pay", 2)),
        ] {
            for name in ["eve", "cat", "bot-1"] {
                let _ = case.act(&command, &anyone(name));
            }
            let _ = case.act(&command, &operator("ops"));
        }
        case.at(1_000).tick().unwrap();
        assert_eq!(case.it.resolution, resolution);
    }
}

#[test]
fn rule_13_over_the_bound_it_is_stored_at_once_as_denied_by_the_engine() {
    let mut setting = Setting::of("pay");
    setting.counts = Counts {
        of_requester: u64::from(setting.policy.open_per_requester),
        of_flood: 0,
    };
    let case = setting.clone().open();
    let resolution = case.it.resolution.clone().unwrap();
    assert_eq!(resolution.outcome, Outcome::Denied);
    assert_eq!(resolution.cause, Cause::Flood);
    assert!(case.it.sign_offs[0].seats.is_empty());
    setting.counts.of_requester -= 1;
    assert_eq!(setting.open().outcome(), None);
}

#[test]
fn rule_13_in_a_flood_notices_merge_and_the_escalation_stays_its_own() {
    let mut setting = Setting::of("pay");
    let merged = |case: &Case| {
        let notices = case.last.notices.iter();
        notices.filter(|notice| notice.merge.is_some()).count()
    };
    setting.counts.of_flood = u64::from(setting.policy.open_per_group) - 1;
    assert_eq!(merged(&setting.clone().open()), 0);
    setting.counts.of_flood += 1;
    let case = setting.open();
    assert_eq!(merged(&case), 2);
    assert_eq!(case.it.sign_offs[0].state, SignOffState::Waiting);
    assert_eq!(
        case.it.sign_offs[0].deadline(case.it.pinned.cap),
        crate::support::after(1_800)
    );
}
