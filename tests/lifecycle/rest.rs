//! Amending, the grant, what is pinned, interim actions: rules 7, 8, 9, 11 to 16.

use laneway::escalation::{
    About, Command, GrantState, Outcome, Recipient, RecordKind, Refusal, Reply, SignOffState,
};

use crate::support::{
    Case, Setting, after, anyone, approval, consumption, denied, engine, event, one_more, operator,
    variant, who,
};

fn approved() -> Case {
    let mut case = Case::open("pay");
    case.at(1).approve("ann").unwrap();
    case.approve("ben").unwrap();
    case
}

#[test]
fn rule_7_an_amendment_starts_a_round_and_is_its_first_vote() {
    let mut case = Case::open("pay");
    case.at(1).approve("ann").unwrap();
    case.at(2).amend("ben", &variant("pay", 2)).unwrap();
    assert_eq!(case.it.round, 2);
    assert_eq!(case.it.approvals().count(), 1);
    assert_eq!(case.outcome(), None);
    case.approve("ann").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Amended));
    assert_eq!(case.it.grant.clone().unwrap().digest, case.it.digest);
    assert_ne!(case.it.digest, case.it.pinned.digest);
}

#[test]
fn rule_7_a_vote_for_the_input_before_is_refused() {
    let mut case = Case::open("pay");
    let old = case.it.digest.clone();
    case.at(1).amend("ben", &variant("pay", 2)).unwrap();
    let answer = case.act(&approval(&old), &anyone("ann"));
    assert!(matches!(answer, Err(Refusal::Changed { .. })));
    assert_eq!(case.outcome(), None);
}

#[test]
fn rule_7_sign_offs_that_were_given_wait_again() {
    let mut case = Case::open("both");
    case.at(1).approve("cat").unwrap();
    assert_eq!(case.it.sign_offs[1].state, SignOffState::Satisfied);
    case.amend("ann", &variant("both", 2)).unwrap();
    assert_eq!(case.it.sign_offs[1].state, SignOffState::Waiting);
}

#[test]
fn rule_7_a_sign_off_that_silence_gave_cannot_be_given_again() {
    let mut case = Case::open("both");
    for minutes in [10, 15, 20, 25] {
        case.at(minutes).tick().unwrap();
    }
    let answer = case.at(26).amend("ann", &variant("both", 2));
    assert_eq!(answer, Err(Refusal::TooLateToAmend("guard".to_owned())));
    assert_eq!(case.it.round, 1);
}

#[test]
fn rule_7_a_stricter_decision_refuses_it() {
    let mut case = Case::open("pay");
    let answer = case.at(1).amend("ann", &variant("both", 2));
    assert!(matches!(answer, Err(Refusal::Stricter(_))));
    assert_eq!((case.it.round, case.it.votes.len()), (1, 0));
}

#[test]
fn rule_7_the_same_action_is_no_amendment() {
    let mut case = Case::open("pay");
    let answer = case.at(1).amend("ann", &event("pay"));
    assert_eq!(answer, Err(Refusal::SameAction));
    case.amend("ann", &variant("pay", 2)).unwrap();
    let back = case.amend("ben", &event("pay"));
    assert_eq!(back, Err(Refusal::SameAction));
}

#[test]
fn rule_7_who_is_not_asked_does_not_amend() {
    let mut case = Case::open("pay");
    let answer = case.at(1).amend("cat", &variant("pay", 2));
    assert_eq!(answer, Err(Refusal::NotEligible(who("cat"))));
}

#[test]
fn rule_7_an_amendment_at_the_final_instant_is_late() {
    let mut case = Case::open("close");
    case.at_seconds(1_799).tick().unwrap();
    let answer = case.at(30).amend("ben", &variant("close", 2));
    assert_eq!(answer, Err(Refusal::Late(after(1_800))));
}

#[test]
fn rule_7_the_rounds_are_bounded() {
    let mut case = Case::open("pay");
    case.it.round = laneway::limits::ROUNDS;
    let answer = case.at(1).amend("ann", &variant("pay", 2));
    assert_eq!(answer, Err(Refusal::Rounds(laneway::limits::ROUNDS)));
}

#[test]
fn rule_8_the_grant_is_used_once() {
    let mut case = approved();
    let once = Ok(Reply::Consumed { replayed: false });
    assert_eq!(case.consume("bot-1", "k-1"), once);
    assert_eq!(case.consume("bot-1", "k-2"), Err(Refusal::Consumed));
}

#[test]
fn rule_8_the_same_key_gets_the_same_answer() {
    let mut case = approved();
    case.consume("bot-1", "k-1").unwrap();
    let again = Ok(Reply::Consumed { replayed: true });
    assert_eq!(case.at(2).consume("bot-1", "k-1"), again);
    assert_eq!(case.at(100).consume("bot-1", "k-1"), again);
}

#[test]
fn rule_8_another_digest_is_refused_and_leaves_the_grant_alive() {
    let mut case = approved();
    let demands = case.it.pinned.demands.clone();
    let other = consumption("other", "k-1", demands);
    let answer = case.act(&other, &anyone("bot-1"));
    assert!(matches!(answer, Err(Refusal::OtherAction { .. })));
    assert_eq!(case.it.grant.clone().unwrap().state, GrantState::Live);
    case.consume("bot-1", "k-1").unwrap();
    let answer = case.act(&other, &anyone("bot-1"));
    assert!(matches!(answer, Err(Refusal::OtherAction { .. })));
}

#[test]
fn rule_8_only_who_asked_uses_it() {
    let mut case = approved();
    for name in ["bot-2", "ann", "dan"] {
        let answer = case.consume(name, "k-1");
        assert_eq!(answer, Err(Refusal::NotPermitted(who(name))));
    }
    assert_eq!(case.it.grant.clone().unwrap().state, GrantState::Live);
}

#[test]
fn rule_8_an_unused_grant_lapses() {
    let mut case = approved();
    let mut other = case.clone();
    case.at_seconds(959).consume("bot-1", "k-1").unwrap();
    let late = other.at_seconds(960).consume("bot-1", "k-1");
    assert_eq!(late, Err(Refusal::Lapsed(after(960))));
    assert_eq!(other.it.grant.clone().unwrap().state, GrantState::Lapsed);
    assert_eq!(other.it.due(), None);
}

#[test]
fn rule_8_stricter_at_consumption_revokes() {
    for stricter in [denied(), one_more(&approved().it.pinned.demands)] {
        let mut case = approved();
        let command = consumption(&case.it.digest.clone(), "k-1", stricter);
        let answer = case.act(&command, &anyone("bot-1"));
        assert!(matches!(answer, Err(Refusal::Revoked(Some(_)))));
        assert_eq!(case.it.grant.clone().unwrap().state, GrantState::Revoked);
        assert_eq!(case.consume("bot-1", "k-1"), Err(Refusal::Revoked(None)));
    }
}

#[test]
fn rule_8_without_an_approval_there_is_nothing_to_use() {
    let mut case = Case::open("pay");
    let pending = case.at(1).consume("bot-1", "k-1");
    assert!(matches!(pending, Err(Refusal::NoGrant(_))));
    case.deny("ann").unwrap();
    let denied = case.consume("bot-1", "k-1");
    assert!(matches!(denied, Err(Refusal::NoGrant(_))));
}

#[test]
fn rule_9_a_pending_escalation_keeps_its_people_and_quorum() {
    let mut case = Case::open("pay");
    let pinned = case.it.sign_offs[0].plan.clone();
    // Others are in the group now; the backup of the opening is still who is told.
    case.folk.spare.insert("fay");
    case.folk.desk.insert("gus");
    case.at(10).tick().unwrap();
    assert_eq!(case.it.sign_offs[0].plan, pinned);
    assert_eq!(case.approve("fay"), Err(Refusal::NotEligible(who("fay"))));
    case.approve("cat").unwrap();
}

#[test]
fn rule_11_interim_actions_go_to_the_caller_with_stable_ids() {
    let asked = |case: &Case| {
        let notices = case.last.notices.iter();
        let its = notices.filter(|it| it.to == Recipient::Caller(who("bot-1")));
        its.map(|it| (it.id.clone(), it.about.as_str()))
            .collect::<Vec<_>>()
    };
    let case = Case::open("pay");
    let also = [("x-1/also/save_draft".to_owned(), "action.requested")];
    assert_eq!(asked(&case), also);
    assert_eq!(case.last.notices, Case::open("pay").last.notices);
}

#[test]
fn rule_11_each_end_is_told_to_the_caller_once() {
    let ends: [fn(&mut Case); 3] = [
        |case| drop(case.deny("ann")),
        |case| drop(case.act(&Command::Cancel { reason: None }, &operator("ops"))),
        |case| {
            case.it.last = after(10_000);
            for _ in 0..3 {
                case.tick().unwrap();
                case.at(10_000);
            }
        },
    ];
    for end in ends {
        let mut case = Case::open("pay");
        end(case.at(1));
        assert!(!case.it.is_pending());
        let told = |case: &Case| {
            let notices = case.last.notices.iter();
            let ends = notices.filter(|it| matches!(it.about, About::Resolved(_)));
            ends.map(|it| it.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(told(&case), ["x-1/resolved"]);
        case.at(10_001).tick().unwrap();
        assert_eq!(told(&case), [""; 0]);
    }
}

#[test]
fn rule_13_approving_one_approves_no_other() {
    let mut one = Case::open("pay");
    let other = Case::open("pay");
    one.at(1).approve("ann").unwrap();
    one.approve("ben").unwrap();
    assert_eq!(other.outcome(), None);
    // What joined is counted, and the grant is not for it.
    let mut case = Case::open("pay");
    let join = Command::Join {
        digest: "another".to_owned(),
        event: None,
        key: "k-2".to_owned(),
        requester: who("bot-1"),
    };
    case.at(1).act(&join, &engine()).unwrap();
    assert_eq!(case.it.joined, 1);
    case.approve("ann").unwrap();
    case.approve("ben").unwrap();
    let demands = case.it.pinned.demands.clone();
    let used = case.act(&consumption("another", "k", demands), &anyone("bot-1"));
    assert!(matches!(used, Err(Refusal::OtherAction { .. })));
}

#[test]
fn rule_14_all_that_a_command_does_comes_in_one_answer() {
    let mut case = Case::open("pay");
    case.at(10).approve("ann").unwrap();
    case.approve("cat").unwrap();
    assert_eq!(case.records(), ["voted", "satisfied", "resolved"]);
    assert!(case.last.changes());
    assert!(case.it.grant.is_some());
    assert_eq!(case.last.notices.len(), 1);
}

#[test]
fn rule_15_what_changes_has_a_record() {
    let mut case = Case::open("pay");
    assert_eq!(case.records(), ["opened"]);
    let directory_change = |case: &mut Case| case.folk.left.insert("ann");
    case.at(10).approve("ann").unwrap();
    directory_change(&mut case);
    let before = case.it.clone();
    case.at(11).tick().unwrap();
    assert_ne!(case.it, before);
    assert_eq!(case.last.records[0].kind, RecordKind::Voided);
}

#[test]
fn rule_16_nothing_demanded_is_no_approval() {
    let matrix = crate::support::matrix();
    let mut decision = crate::support::decide(&matrix, &event("pay"));
    decision.lanes.clear();
    let case = crate::support::open_decision(Setting::of("pay"), &matrix, decision);
    assert_eq!(case.outcome(), Some(Outcome::Denied));
    assert_eq!(case.it.grant, None);
}
