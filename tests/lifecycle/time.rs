//! Time and steps: rules 4, 5 and 6.

use laneway::escalation::{
    About, Cause, Does, GrantState, Outcome, Recipient, Refusal, Reply, SignOffState,
};

use crate::support::{Case, Setting, after, engine, policy, who};

/// The final instant of the first sign-off.
fn deadline(case: &Case) -> laneway::Timestamp {
    case.it.sign_offs[0].deadline(case.it.pinned.cap)
}

#[test]
fn rule_4_the_deadline_is_a_column_and_not_a_timer() {
    let case = Case::open("pay");
    assert_eq!(case.it.due(), Some(after(600)));
    assert_eq!(deadline(&case), after(1_800));
}

#[test]
fn rule_4_a_vote_before_the_final_instant_counts() {
    let mut case = Case::open("pay");
    case.at(10).tick().unwrap();
    case.at(20).tick().unwrap();
    case.at_seconds(1_799).approve("ann").unwrap();
    case.approve("ben").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Approved));
}

#[test]
fn rule_4_a_vote_at_the_final_instant_is_late() {
    let mut case = Case::open("pay");
    case.at(10).tick().unwrap();
    case.at(20).tick().unwrap();
    case.approve("ann").unwrap();
    assert!(matches!(case.at(30).approve("ben"), Err(Refusal::Ended(_))));
    assert_eq!(case.outcome(), Some(Outcome::TimedOut));
    // The same where a step before it took this command's turn.
    let mut case = Case::open("close");
    case.at_seconds(1_799).tick().unwrap();
    assert_eq!(case.at(30).approve("ben"), Err(Refusal::Late(after(1_800))));
    assert_eq!(case.outcome(), None);
}

#[test]
fn rule_4_a_vote_counts_only_where_its_time_is_not_over() {
    // No step is performed meanwhile: the clock jumped.
    let mut case = Case::open("both");
    case.is_confirmed = false;
    case.at(29).approve("ben").unwrap();
    assert_eq!(case.it.sign_offs[1].state, SignOffState::Waiting);
    assert_eq!(case.it.counted(&case.it.sign_offs[0]).len(), 1);
    assert_eq!(case.it.counted(&case.it.sign_offs[1]).len(), 0);
}

#[test]
fn rule_4_a_step_comes_at_its_instant_and_not_before() {
    let mut case = Case::open("pay");
    case.at_seconds(599);
    assert_eq!(case.tick(), Ok(Reply::Unchanged));
    case.at(10);
    assert_eq!(case.tick(), Ok(Reply::Done));
    assert_eq!(case.it.sign_offs[0].next, 1);
}

#[test]
fn rule_4_a_command_performs_at_most_one_step_of_each_sign_off() {
    let mut case = Case::open("both");
    case.at(300).tick().unwrap();
    assert_eq!(case.it.sign_offs[0].next, 1);
    assert_eq!(case.it.sign_offs[1].next, 1);
    assert_eq!(case.records(), ["stepped", "stepped"]);
}

#[test]
fn rule_4_the_steps_come_before_the_vote_is_judged() {
    let mut case = Case::open("pay");
    case.at(10).approve("cat").unwrap();
    assert_eq!(case.records(), ["stepped", "voted"]);
}

#[test]
fn rule_4_five_minutes_late_move_nothing_and_more_moves_what_follows() {
    let mut case = Case::open("pay");
    case.at(15).tick().unwrap();
    assert_eq!(deadline(&case), after(1_800));
    let mut case = Case::open("pay");
    case.at_seconds(15 * 60 + 1).tick().unwrap();
    let late = after(1_800 + 301) + laneway::Duration::from_millis(1).to_chrono();
    assert_eq!(deadline(&case), late);
}

#[test]
fn rule_4_lateness_moves_its_own_sign_off_only() {
    let mut case = Case::open("both");
    // Ten minutes late for both; the deadline of neither moves by the other's.
    case.at(11).tick().unwrap();
    case.at(21).tick().unwrap();
    let cap = case.it.pinned.cap;
    assert_eq!(case.it.sign_offs[0].deadline(cap), after(1_800));
    assert!(case.it.sign_offs[1].deadline(cap) > after(1_500 + 360));
}

#[test]
fn rule_4_nothing_moves_past_the_cap() {
    let mut setting = Setting::of("pay");
    setting.policy = policy(35);
    let mut case = setting.open();
    case.at(25).tick().unwrap();
    assert_eq!(deadline(&case), after(35 * 60));
    for _ in 0..2 {
        case.at(35).tick().unwrap();
    }
    assert_eq!(case.outcome(), Some(Outcome::TimedOut));
}

#[test]
fn rule_4_a_cap_before_the_end_denies_and_never_allows() {
    let mut setting = Setting::of("soft");
    setting.policy = policy(25);
    let mut case = setting.open();
    let last = case.it.sign_offs[0].plan.steps.last().unwrap().clone();
    assert_eq!((last.at, last.does), (after(1_500), Does::Deny));
    for _ in 0..3 {
        case.at(25).tick().unwrap();
    }
    assert_eq!(case.outcome(), Some(Outcome::TimedOut));
}

#[test]
fn rule_4_stored_time_never_goes_back() {
    let mut case = Case::open("pay");
    case.at(20).approve("ann").unwrap();
    case.at(5).approve("ben").unwrap();
    assert_eq!(case.it.last, after(1_200));
    assert_eq!(case.it.votes[1].at, after(1_200));
}

#[test]
fn rule_4_an_unconfirmed_clock_performs_no_step() {
    for what in ["pay", "soft", "both", "twice", "idle"] {
        let mut case = Case::open(what);
        case.is_confirmed = false;
        let before = case.it.clone();
        for minutes in [10, 30, 60, 100_000] {
            assert_eq!(case.at(minutes).tick(), Ok(Reply::Unchanged));
        }
        assert_eq!(case.it, before);
    }
}

#[test]
fn rule_4_an_unconfirmed_clock_takes_no_late_vote() {
    let mut case = Case::open("soft");
    case.is_confirmed = false;
    case.at(29).approve("ann").unwrap();
    assert_eq!(case.at(30).approve("ben"), Err(Refusal::Late(after(1_800))));
    assert_eq!(case.outcome(), None);
}

#[test]
fn rule_4_an_unconfirmed_clock_lapses_no_grant_and_lets_none_be_used_late() {
    let mut case = Case::open("pay");
    case.at(1).approve("ann").unwrap();
    case.approve("ben").unwrap();
    case.is_confirmed = false;
    case.at(16).tick().unwrap();
    assert_eq!(case.it.grant.clone().unwrap().state, GrantState::Live);
    let late = case.consume("bot-1", "k");
    assert_eq!(late, Err(Refusal::Lapsed(after(960))));
}

#[test]
fn rule_5_notify_adds_people() {
    let mut case = Case::open("pay");
    case.at(10).tick().unwrap();
    let seats: Vec<_> = case.it.sign_offs[0].seated().collect();
    let people: Vec<_> = seats.iter().map(|seat| seat.person.as_str()).collect();
    assert_eq!(people, ["ann", "ben", "cat"]);
    // Those who were asked are reminded, and who is new is asked.
    let told = |name: &str| {
        let notices = case.last.notices.iter();
        let mut its = notices.filter(|it| it.to == Recipient::Person(who(name)));
        its.next().map(|it| it.about.clone())
    };
    assert_eq!(told("ann"), Some(About::Reminded));
    assert_eq!(told("cat"), Some(About::Asked));
}

#[test]
fn rule_5_every_repeats_the_step_before_it_until_the_next() {
    let case = Case::open("idle");
    let steps = case.it.sign_offs[0].plan.steps.iter().map(|step| step.at);
    let minutes = [10, 15, 20, 25, 30].map(|minutes| after(minutes * 60));
    assert_eq!(steps.collect::<Vec<_>>(), minutes);
}

#[test]
fn rule_5_route_replaces_the_voters_and_the_quorum() {
    let mut case = Case::open("soft");
    case.at(10).approve("ann").unwrap();
    case.at(20).tick().unwrap();
    let it = &case.it.sign_offs[0];
    assert_eq!((it.team.as_str(), it.quorum), ("second", 1));
    assert_eq!(case.approve("ben"), Err(Refusal::NotEligible(who("ben"))));
    assert_eq!(case.outcome(), None);
    case.approve("eve").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Approved));
}

#[test]
fn rule_5_who_approved_and_is_in_the_new_team_still_counts() {
    let mut case = Case::open("soft");
    case.at(10).approve("cat").unwrap();
    assert_eq!(case.outcome(), None);
    case.at(20).tick().unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Approved));
}

#[test]
fn rule_5_run_asks_the_caller_once() {
    let mut case = Case::open("pay");
    case.at(10).tick().unwrap();
    case.at(20).tick().unwrap();
    let asked = &case.last.notices[0];
    assert_eq!(asked.about, About::Action("open_case".to_owned()));
    assert_eq!(asked.to, Recipient::Caller(who("bot-1")));
    assert_eq!(case.last.notices.len(), 1);
    case.at(21).tick().unwrap();
    assert!(case.last.notices.is_empty());
}

#[test]
fn rule_5_allow_satisfies_only_its_own_sign_off() {
    let mut case = Case::open("both");
    for minutes in [10, 15, 20] {
        case.at(minutes).tick().unwrap();
    }
    case.at(25).tick().unwrap();
    assert_eq!(case.it.sign_offs[1].state, SignOffState::AutoAllowed);
    assert_eq!(case.it.sign_offs[0].state, SignOffState::Waiting);
    assert_eq!(case.outcome(), None);
    case.at(30).tick().unwrap();
    assert_eq!(case.outcome(), Some(Outcome::TimedOut));
}

#[test]
fn rule_5_with_votes_and_an_allow_it_is_approved_and_not_by_silence() {
    let mut case = Case::open("both");
    case.at(10).approve("ann").unwrap();
    case.at(15).tick().unwrap();
    case.at(20).tick().unwrap();
    case.at(25).tick().unwrap();
    // Cat is asked in both lanes; the second is allowed already.
    case.at(26).approve("cat").unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Approved));
    assert!(!case.it.resolution.clone().unwrap().by_silence);
}

#[test]
fn rule_5_an_end_by_silence_alone_is_told_so() {
    let mut case = Case::open("twice");
    for minutes in [10, 15, 25, 35] {
        assert_eq!(case.outcome(), None);
        case.at(minutes).tick().unwrap();
    }
    let resolution = case.it.resolution.clone().unwrap();
    assert_eq!(resolution.outcome, Outcome::Approved);
    assert!(resolution.by_silence);
    assert_eq!(resolution.cause, Cause::Step("guard_too".to_owned()));
    assert_eq!(case.it.grant.clone().unwrap().state, GrantState::Live);
}

#[test]
fn rule_5_an_unsure_sign_off_is_refused_by_silence() {
    let mut case = Case::open("maybe");
    let plan = &case.it.sign_offs[0].plan;
    assert!(plan.unsure);
    let does: Vec<_> = plan.steps.iter().map(|step| step.does.clone()).collect();
    assert_eq!(does, [Does::Remind, Does::Deny]);
    case.at(10).tick().unwrap();
    assert!(
        case.last
            .notices
            .iter()
            .all(|it| it.about == About::Reminded)
    );
    case.at(30).tick().unwrap();
    assert_eq!(case.outcome(), Some(Outcome::TimedOut));
}

#[test]
fn rule_5_an_allow_that_stands_on_an_unsure_lane_refuses() {
    // No plan is made so; the machine does not rely on it.
    let mut case = Case::open("twice");
    let mut plan = (*case.it.sign_offs[0].plan).clone();
    plan.unsure = true;
    case.it.sign_offs[0].plan = plan.into();
    for minutes in [10, 15, 25] {
        case.at(minutes).tick().unwrap();
    }
    assert_eq!(case.outcome(), Some(Outcome::TimedOut));
}

#[test]
fn rule_6_a_late_vote_is_refused_with_the_resolution_and_audited() {
    let mut case = Case::open("pay");
    for minutes in [10, 20, 30] {
        case.at(minutes).tick().unwrap();
    }
    let resolution = case.it.resolution.clone().unwrap();
    let before = case.it.votes.clone();
    let answer = case.at(31).approve("ann");
    assert_eq!(answer, Err(Refusal::Ended(Box::new(resolution.clone()))));
    assert_eq!(case.records(), ["refused"]);
    assert_eq!(case.it.votes, before);
    assert_eq!(case.it.resolution, Some(resolution));
}

#[test]
fn rule_6_a_refusal_changes_nothing_but_what_time_would() {
    let mut case = Case::open("pay");
    let mut ticked = case.clone();
    ticked.at(10).tick().unwrap();
    case.at(10).approve("dan").unwrap_err();
    assert_eq!(case.it, ticked.it);
}

#[test]
fn rule_6_a_caller_that_stops_waiting_changes_nothing() {
    let mut case = Case::open("pay");
    let before = case.it.clone();
    let view = laneway::escalation::Command::View;
    case.at(1)
        .act(&view, &crate::support::anyone("bot-1"))
        .unwrap();
    case.act(&view, &engine()).unwrap();
    assert_eq!(case.it, before);
}
