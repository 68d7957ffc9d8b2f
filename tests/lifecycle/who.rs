//! Who may answer: rules 3 and 10.

use laneway::escalation::{
    Cause, Command, GrantState, Outcome, Refusal, Reply, SignOffState, VoteKind,
};

use crate::support::{Case, Setting, anyone, approval, engine, operator, who};

fn cancel() -> Command {
    Command::Cancel { reason: None }
}

fn with_two_backups() -> Case {
    let mut setting = Setting::of("pay");
    setting.folk.spare.insert("fay");
    setting.open()
}

#[test]
fn rule_3_the_requester_may_not_approve() {
    let mut setting = Setting::of("pay");
    setting.requester = "ann";
    setting.folk.desk.extend(["fay", "gus"]);
    let mut case = setting.open();
    let ann = case.at(1).approve("ann");
    assert_eq!(ann, Err(Refusal::Involved(who("ann"))));
    assert!(case.it.votes.is_empty());
    let seats = case.it.sign_offs[0].seats.iter();
    assert!(!seats.map(|seat| &seat.person).any(|it| *it == who("ann")));
}

#[test]
fn rule_3_the_agent_and_its_owner_may_not_approve() {
    let mut setting = Setting::of("pay");
    setting.folk.desk.extend(["bot-2"]);
    setting.requester = "svc";
    let mut case = setting.open();
    for name in ["bot-2", "dan", "svc"] {
        let answer = case.at(1).approve(name);
        assert_eq!(answer, Err(Refusal::Involved(who(name))));
    }
    assert!(case.it.votes.is_empty());
}

#[test]
fn rule_3_the_owner_of_a_requesting_agent_may_not_approve_deny_or_amend() {
    let mut case = Case::open("pay");
    assert_eq!(
        case.at(1).approve("dan"),
        Err(Refusal::Involved(who("dan")))
    );
    assert_eq!(case.deny("dan"), Err(Refusal::Involved(who("dan"))));
    let amended = case.amend("dan", &crate::support::variant("pay", 2));
    assert_eq!(amended, Err(Refusal::Involved(who("dan"))));
}

#[test]
fn rule_3_the_requester_may_cancel_and_others_may_not() {
    let mut case = Case::open("pay");
    let ann = case.at(1).act(&cancel(), &anyone("ann"));
    assert_eq!(ann, Err(Refusal::NotPermitted(who("ann"))));
    assert_eq!(case.act(&cancel(), &anyone("bot-1")), Ok(Reply::Done));
    let resolution = case.it.resolution.clone().unwrap();
    assert_eq!(resolution.outcome, Outcome::Cancelled);
    assert_eq!(resolution.cause, Cause::Cancelled(who("bot-1")));
    assert_eq!(case.act(&cancel(), &anyone("bot-1")), Ok(Reply::Unchanged));
}

#[test]
fn rule_3_an_approval_is_not_cancelled() {
    let mut case = Case::open("pay");
    case.at(1).approve("ann").unwrap();
    case.approve("ben").unwrap();
    let answer = case.act(&cancel(), &anyone("bot-1"));
    assert!(matches!(answer, Err(Refusal::Ended(_))));
    assert_eq!(case.outcome(), Some(Outcome::Approved));
}

#[test]
fn rule_3_who_is_not_asked_has_no_vote() {
    let mut case = Case::open("pay");
    for name in ["cat", "eve", "ops"] {
        assert_eq!(
            case.at(1).approve(name),
            Err(Refusal::NotEligible(who(name)))
        );
        assert_eq!(case.deny(name), Err(Refusal::NotEligible(who(name))));
    }
    let digest = case.it.digest.clone();
    let by_ops = case.act(&approval(&digest), &operator("ops"));
    assert_eq!(by_ops, Err(Refusal::NotEligible(who("ops"))));
}

#[test]
fn rule_3_a_person_votes_once() {
    let mut case = Case::open("pay");
    assert_eq!(case.at(1).approve("ann"), Ok(Reply::Done));
    assert_eq!(case.at(2).approve("ann"), Ok(Reply::Unchanged));
    assert_eq!(case.at(3).approve("ANN "), Ok(Reply::Unchanged));
    assert_eq!(case.it.votes.len(), 1);
    assert_eq!(case.outcome(), None);
}

#[test]
fn rule_3_afterwards_one_may_only_withdraw_and_deny() {
    let mut case = with_two_backups();
    case.at(10).tick().unwrap();
    case.at(11).approve("ann").unwrap();
    assert_eq!(case.withdraw("ann"), Ok(Reply::Done));
    assert_eq!(case.withdraw("ann"), Ok(Reply::Unchanged));
    assert_eq!(case.approve("ann"), Err(Refusal::Voted(who("ann"))));
    assert_eq!(case.it.approvals().count(), 0);
    assert_eq!(case.deny("ann"), Ok(Reply::Done));
    assert_eq!(case.deny("ann"), Ok(Reply::Unchanged));
    assert_eq!(case.outcome(), Some(Outcome::Denied));
}

#[test]
fn rule_3_who_withdrew_does_not_count() {
    let mut case = Case::open("pay");
    case.at(10).tick().unwrap();
    case.at(11).approve("ann").unwrap();
    case.withdraw("ann").unwrap();
    case.approve("ben").unwrap();
    assert_eq!(case.outcome(), None);
    case.approve("cat").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Approved));
}

#[test]
fn rule_3_without_an_approval_there_is_nothing_to_withdraw() {
    let mut case = Case::open("pay");
    let answer = case.at(1).withdraw("ann");
    assert_eq!(answer, Err(Refusal::NoVote(who("ann"))));
}

#[test]
fn rule_3_an_approval_that_satisfied_is_not_withdrawn() {
    let mut case = Case::open("both");
    case.at(1).approve("ben").unwrap();
    let answer = case.withdraw("ben");
    assert_eq!(answer, Err(Refusal::Satisfied("guard".to_owned())));
    case.deny("ben").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Denied));
}

#[test]
fn rule_3_a_backup_may_vote_from_the_step_that_tells_it() {
    let mut case = Case::open("pay");
    case.at_seconds(599);
    assert_eq!(case.approve("cat"), Err(Refusal::NotEligible(who("cat"))));
    assert_eq!(case.at(10).approve("cat"), Ok(Reply::Done));
    assert_eq!(case.it.approvals().count(), 1);
}

#[test]
fn rule_3_eligibility_is_checked_against_the_directory_at_voting() {
    let mut case = with_two_backups();
    case.at(10).tick().unwrap();
    case.folk.desk.remove("ben");
    assert_eq!(case.approve("ben"), Err(Refusal::NotEligible(who("ben"))));
    case.folk.left.insert("ann");
    assert_eq!(case.approve("ann"), Err(Refusal::HasLeft(who("ann"))));
}

#[test]
fn rule_3_who_joins_the_group_later_is_not_asked() {
    let mut case = Case::open("pay");
    case.folk.desk.insert("fay");
    let answer = case.at(1).approve("fay");
    assert_eq!(answer, Err(Refusal::NotEligible(who("fay"))));
}

#[test]
fn rule_3_a_person_who_left_loses_undecided_votes() {
    let mut case = Case::open("pay");
    case.at(10).approve("ann").unwrap();
    case.folk.left.insert("ann");
    case.at(11).approve("ben").unwrap();
    assert_eq!(case.outcome(), None);
    let voided = case.it.votes.iter().filter(|it| it.kind == VoteKind::Void);
    assert_eq!(voided.count(), 1);
    case.approve("cat").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Approved));
}

#[test]
fn rule_3_who_comes_back_has_voted() {
    let mut case = Case::open("pay");
    case.at(10).approve("ann").unwrap();
    case.folk.left.insert("ann");
    case.tick().unwrap();
    case.folk.left.clear();
    assert_eq!(case.approve("ann"), Err(Refusal::Voted(who("ann"))));
}

#[test]
fn rule_3_a_vote_that_decided_stays_when_its_person_leaves() {
    let mut case = Case::open("both");
    case.at(1).approve("cat").unwrap();
    assert_eq!(case.it.sign_offs[1].state, SignOffState::Satisfied);
    case.folk.left.insert("cat");
    case.at(2).tick().unwrap();
    assert_eq!(case.it.sign_offs[1].state, SignOffState::Satisfied);
    assert_eq!(case.it.votes.len(), 1);
}

#[test]
fn rule_3_too_few_at_opening_goes_to_the_next_step() {
    let mut setting = Setting::of("pay");
    setting.folk.desk.remove("ben");
    let mut case = setting.open();
    assert_eq!(case.records(), ["opened", "hurried"]);
    case.at(1).approve("cat").unwrap();
    case.approve("ann").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Approved));
}

#[test]
fn rule_3_too_few_for_ever_ends_denied_loudly() {
    let mut setting = Setting::of("pay");
    setting.folk.desk.remove("ben");
    setting.folk.spare.clear();
    let case = setting.open();
    let resolution = case.it.resolution.clone().unwrap();
    assert_eq!(resolution.outcome, Outcome::Denied);
    let cause = Cause::UnsatisfiableQuorum("pay".to_owned());
    assert_eq!(resolution.cause, cause);
    assert!(case.records().contains(&"resolved"));
}

#[test]
fn rule_3_too_few_later_goes_to_the_next_step_and_then_ends_denied() {
    let mut case = Case::open("pay");
    case.at(1).approve("ann").unwrap();
    case.folk.left.insert("ben");
    case.at(2).tick().unwrap();
    assert_eq!(case.records(), ["hurried"]);
    assert_eq!(case.outcome(), None);
    case.folk.left.insert("cat");
    case.at(3).tick().unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Denied));
}

#[test]
fn rule_3_a_withdrawal_that_leaves_too_few_brings_the_next_step_forward() {
    let mut case = Case::open("pay");
    case.at(1).approve("ann").unwrap();
    case.withdraw("ann").unwrap();
    assert!(case.records().contains(&"hurried"));
    assert_eq!(case.outcome(), None);
    case.approve("cat").unwrap();
    case.approve("ben").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Approved));
}

#[test]
fn rule_10_reassigning_replaces_the_voters_and_never_shrinks_the_quorum() {
    let mut case = Case::open("pay");
    let deadline = case.it.sign_offs[0].deadline(case.it.pinned.cap);
    case.at(1).reassign(&operator("ops"), "second").unwrap();
    let it = &case.it.sign_offs[0];
    assert_eq!((it.team.as_str(), it.quorum), ("second", 2));
    assert_eq!(it.deadline(case.it.pinned.cap), deadline);
    assert_eq!(case.approve("ann"), Err(Refusal::NotEligible(who("ann"))));
    case.approve("cat").unwrap();
    assert_eq!(case.outcome(), None);
    case.approve("eve").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Approved));
}

#[test]
fn rule_10_a_larger_quorum_of_the_new_team_holds() {
    let mut case = Case::open("idle");
    case.at(1).reassign(&anyone("ben"), "pair").unwrap();
    assert_eq!(case.it.sign_offs[0].quorum, 2);
}

#[test]
fn rule_10_nobody_else_reassigns() {
    let mut case = Case::open("pay");
    for name in ["cat", "eve", "bot-1", "dan"] {
        let answer = case.at(1).reassign(&anyone(name), "second");
        assert_eq!(answer, Err(Refusal::NotPermitted(who(name))));
    }
}

#[test]
fn rule_10_a_team_that_is_too_small_is_not_asked() {
    let mut case = Case::open("pay");
    case.folk.left.insert("eve");
    let answer = case.at(1).reassign(&operator("ops"), "second");
    let refusal = Refusal::TooFew {
        team: "second".to_owned(),
        eligible: 1,
        quorum: 2,
    };
    assert_eq!(answer, Err(refusal));
    case.approve("ann").unwrap();
}

#[test]
fn rule_10_of_several_sign_offs_one_is_named() {
    let mut case = Case::open("both");
    let answer = case.at(1).reassign(&operator("ops"), "second");
    let lanes = vec!["pay".to_owned(), "guard".to_owned()];
    assert_eq!(answer, Err(Refusal::WhichLane(lanes)));
    let command = case.reassignment(Some("guard"), "second");
    case.act(&command, &operator("ops")).unwrap();
    assert_eq!(case.it.sign_offs[1].team, "second");
    assert_eq!(case.it.sign_offs[0].team, "payers");
}

#[test]
fn rule_10_delegator_and_delegate_count_once() {
    let mut case = Case::open("pay");
    case.at(1).delegate("ann", "eve").unwrap();
    case.approve("eve").unwrap();
    case.approve("ann").unwrap();
    assert_eq!(case.it.approvals().count(), 2);
    assert_eq!(case.outcome(), None);
    case.approve("ben").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Approved));
}

#[test]
fn rule_10_a_delegate_votes_by_the_right_of_who_delegated() {
    let mut case = with_two_backups();
    case.at(1).delegate("ann", "eve").unwrap();
    case.at(10).tick().unwrap();
    case.folk.desk.remove("ann");
    assert_eq!(case.approve("eve"), Err(Refusal::NotEligible(who("eve"))));
}

#[test]
fn rule_10_nobody_delegates_to_who_asked_or_left_or_is_asked_already() {
    let mut case = Case::open("pay");
    case.folk.left.insert("fay");
    for name in ["dan", "bot-1", "bot-2", "ann", "ben", "fay"] {
        let answer = case.at(1).delegate("ann", name);
        assert_eq!(answer, Err(Refusal::NotADelegate(who(name))), "{name}");
    }
}

#[test]
fn rule_10_what_was_delegated_is_not_delegated_on() {
    let mut case = Case::open("pay");
    case.at(1).delegate("ann", "eve").unwrap();
    let answer = case.delegate("eve", "fay");
    assert_eq!(answer, Err(Refusal::NotADelegate(who("fay"))));
    case.approve("ann").unwrap();
    assert_eq!(case.delegate("ann", "gus"), Err(Refusal::Voted(who("ann"))));
}

#[test]
fn rule_10_live_grants_only_are_revoked() {
    let revoke = Command::Revoke { reason: None };
    let mut case = Case::open("pay");
    let pending = case.at(1).act(&revoke, &operator("ops"));
    assert!(matches!(pending, Err(Refusal::NoGrant(_))));
    case.approve("ann").unwrap();
    case.approve("ben").unwrap();
    let by_bot = case.act(&revoke, &anyone("bot-1"));
    assert_eq!(by_bot, Err(Refusal::NotPermitted(who("bot-1"))));
    let mut other = case.clone();
    assert_eq!(case.act(&revoke, &anyone("ann")), Ok(Reply::Done));
    assert_eq!(case.act(&revoke, &operator("ops")), Ok(Reply::Unchanged));
    assert_eq!(case.it.grant.clone().unwrap().state, GrantState::Revoked);
    assert_eq!(case.consume("bot-1", "k"), Err(Refusal::Revoked(None)));
    other.consume("bot-1", "k").unwrap();
    assert_eq!(other.act(&revoke, &operator("ops")), Err(Refusal::Consumed));
}

#[test]
fn rule_12_when_nobody_was_told_the_next_step_runs_now() {
    let mut case = Case::open("pay");
    let failed = Command::Undelivered {
        lane: "pay".to_owned(),
    };
    let by_ann = case.at(1).act(&failed, &anyone("ann"));
    assert_eq!(by_ann, Err(Refusal::NotPermitted(who("ann"))));
    case.act(&failed, &engine()).unwrap();
    assert_eq!(case.it.undelivered, 1);
    case.approve("cat").unwrap();
    case.approve("ann").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Approved));
}
