//! Corners in which the machine was once wrong.

use laneway::escalation::{Cause, Command, Outcome, Refusal, SignOffState};

use crate::support::{
    Case, Setting, after, anyone, consumption, decide, demands_of, engine, event, operator, who,
};

const UNREADABLE: &str = r#"{"kind": "call", "id": "e-1", "what": "pay"}"#;

#[test]
fn rule_4_only_a_confirmed_reading_advances_the_stored_time() {
    let mut case = Case::open("pay");
    case.is_confirmed = false;
    let comment = Command::Comment {
        text: "what time is it?".to_owned(),
    };
    case.at(100_000).act(&comment, &anyone("ann")).unwrap();
    case.is_confirmed = true;
    // The clock is right again: one minute has passed, and nothing is due.
    case.at(1).tick().unwrap();
    assert_eq!(case.it.last, after(0));
    assert_eq!(case.it.sign_offs[0].next, 0);
}

#[test]
fn rule_8_what_was_unreadable_and_amended_can_be_used() {
    let mut setting = Setting::of("pay");
    setting.event = UNREADABLE.to_owned();
    let mut case = setting.open();
    case.at(1).amend("eve", &event("pay")).unwrap();
    case.approve("ann").unwrap();
    case.approve("ben").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Amended));
    let demands = demands_of(&decide(&case.matrix, &event("pay")), &case.matrix);
    let command = consumption(&case.it.digest.clone(), "k", demands);
    case.act(&command, &anyone("bot-1")).unwrap();
}

#[test]
fn rule_10_delegator_and_delegate_count_once_also_where_the_delegate_has_a_seat_of_its_own() {
    let mut case = Case::open("pay");
    case.at(1).delegate("ann", "cat").unwrap();
    // Cat gets a seat as backup, by a group that it is in no more.
    case.folk.spare.clear();
    case.at(10).approve("cat").unwrap();
    case.approve("ann").unwrap();
    assert_eq!(case.outcome(), None);
}

#[test]
fn rule_2_a_quorum_that_a_delegation_completes_satisfies_at_once() {
    let mut case = Case::open("both");
    case.at(1).approve("cat").unwrap();
    case.approve("ann").unwrap();
    case.delegate("ben", "cat").unwrap();
    assert_eq!(case.it.counted(&case.it.sign_offs[0]).len(), 2);
    assert_eq!(case.it.sign_offs[0].state, SignOffState::Satisfied);
}

#[test]
fn rule_3_a_requester_who_is_an_operator_may_only_cancel() {
    let mut setting = Setting::of("pay");
    setting.requester = "ops";
    let mut case = setting.open();
    let answer = case.at(1).reassign(&operator("ops"), "second");
    assert_eq!(answer, Err(Refusal::NotPermitted(who("ops"))));
}

#[test]
fn rule_2_the_cause_of_an_end_is_no_approval_that_was_withdrawn() {
    let mut case = Case::open("both");
    case.at(1).approve("cat").unwrap();
    // The first lane is one whose silence allows.
    let mut plan = (*case.it.sign_offs[0].plan).clone();
    let last = plan.steps.len() - 1;
    plan.steps[last].does = laneway::escalation::Does::Allow("as a test".to_owned());
    case.it.sign_offs[0].plan = plan.into();
    case.at(2).approve("ann").unwrap();
    case.at(3).withdraw("ann").unwrap();
    for minutes in [10, 20, 30] {
        case.at(minutes).tick().unwrap();
    }
    assert_eq!(case.outcome(), Some(Outcome::Approved));
    let cause = case.it.resolution.clone().unwrap().cause;
    assert_ne!(cause, Cause::Vote(who("ann")));
}

#[test]
fn rule_3_too_few_after_a_step_that_was_brought_forward_ends_denied() {
    let mut case = Case::open("soft");
    case.at(10).tick().unwrap();
    case.folk.left.extend(["cat", "eve"]);
    let failed = Command::Undelivered {
        lane: "soft".to_owned(),
    };
    case.at(11).act(&failed, &engine()).unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Denied));
}

#[test]
fn rule_3_a_vote_counts_only_where_its_person_may_vote() {
    let mut case = Case::open("both");
    case.at(1).approve("ann").unwrap();
    // Ben is still named for the second lane, and in the group of the first no more.
    case.folk.desk.remove("ben");
    case.approve("ben").unwrap();
    assert_eq!(case.it.sign_offs[1].state, SignOffState::Satisfied);
    assert_eq!(case.it.sign_offs[0].state, SignOffState::Waiting);
    assert_eq!(case.outcome(), None);
}

#[test]
fn rule_3_one_person_with_two_seats_is_one_of_too_few() {
    let mut case = Case::open("pay");
    case.at(1).delegate("ann", "cat").unwrap();
    case.approve("ann").unwrap();
    case.folk.desk.remove("ben");
    case.withdraw("ann").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Denied));
}

#[test]
fn rule_10_a_delegation_outlives_a_seat_of_the_delegate_by_which_it_may_not_vote() {
    let mut case = Case::open("pay");
    case.at(1).delegate("ann", "cat").unwrap();
    // Cat is asked as backup too, and then falls out of that group.
    case.at(10).tick().unwrap();
    case.folk.spare.clear();
    case.approve("cat").unwrap();
    let counted = case.it.counted(&case.it.sign_offs[0]);
    assert_eq!(counted, [&who("ann")]);
    assert_eq!(
        case.it.sign_offs[0]
            .seated()
            .filter(|it| it.person == who("cat"))
            .count(),
        1
    );
}

#[test]
fn rule_3_a_vote_for_one_who_left_counts_no_more() {
    let mut case = Case::open("pay");
    case.at(1).delegate("ann", "cat").unwrap();
    case.approve("cat").unwrap();
    assert_eq!(case.it.counted(&case.it.sign_offs[0]), [&who("ann")]);
    case.folk.left.insert("ann");
    case.at(2).tick().unwrap();
    // Too few are left, so the backup is asked: that is cat, whose vote is now her own.
    assert_eq!(case.it.counted(&case.it.sign_offs[0]), [&who("cat")]);
    assert_eq!(case.it.resolution, None);
}

#[test]
fn rule_4_what_lateness_moves_behind_the_cap_is_never_allowed() {
    let mut setting = Setting::of("soft");
    setting.policy = crate::support::policy(40);
    let mut case = setting.open();
    // The first step comes 21 minutes late, and the end would come 11 minutes behind the cap.
    case.at(31).tick().unwrap();
    for minutes in [40, 41, 42] {
        case.at(minutes).tick().unwrap();
    }
    assert_eq!(case.outcome(), Some(Outcome::TimedOut));
}
