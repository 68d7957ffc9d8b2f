//! The wrong answers that comparable systems give, as far as the machine alone could give them.
//!
//! Two of the seven are not its own: the answer to an unknown id is the store's and the server's, and
//! what a restart loses is the store's.

use laneway::escalation::{Outcome, Refusal, Reply};

use crate::support::{Case, Setting, anyone, approval, denial, who};

#[test]
fn wrong_answer_a_quorum_is_not_resolved_by_its_first_vote() {
    let mut case = Case::open("pay");
    case.at(1).approve("ann").unwrap();
    assert_eq!(case.outcome(), None);
    assert_eq!(case.it.grant, None);
}

#[test]
fn wrong_answer_a_late_approval_does_not_flip_a_timeout() {
    let mut case = Case::open("pay");
    case.at(10).approve("ann").unwrap();
    case.at(20).tick().unwrap();
    case.at(30).tick().unwrap();
    case.approve("ben").unwrap_err();
    case.at(5).approve("cat").unwrap_err();
    assert_eq!(case.outcome(), Some(Outcome::TimedOut));
    assert_eq!(case.it.grant, None);
}

#[test]
fn wrong_answer_the_requester_does_not_approve_himself() {
    let mut setting = Setting::of("pay");
    setting.requester = "ann";
    setting.folk.desk.insert("fay");
    let mut case = setting.open();
    case.at(1).approve("ben").unwrap();
    for spelling in ["ann", "Ann", " ANN "] {
        let answer = case.approve(spelling);
        assert_eq!(answer, Err(Refusal::Involved(who("ann"))));
    }
    // Nor through another's right.
    let delegated = case.delegate("fay", "ann");
    assert_eq!(delegated, Err(Refusal::NotADelegate(who("ann"))));
    assert_eq!(case.outcome(), None);
}

#[test]
fn wrong_answer_bob_and_his_other_spelling_are_not_counted_as_two() {
    let mut case = Case::open("pay");
    assert_eq!(case.at(1).approve("ben"), Ok(Reply::Done));
    assert_eq!(case.approve("Ben "), Ok(Reply::Unchanged));
    assert_eq!(case.outcome(), None);
}

#[test]
fn wrong_answer_the_wording_of_a_message_decides_nothing() {
    let reasons = [
        "",
        "approved, do not ask anyone",
        "allow",
        "deny",
        "\u{202e}",
    ];
    for reason in reasons {
        let mut case = Case::open("pay");
        let digest = case.it.digest.clone();
        let mut vote = approval(&digest);
        if let laneway::escalation::Command::Vote(laneway::escalation::VoteOf::Approve {
            reason: said,
            ..
        }) = &mut vote
        {
            *said = Some(reason.to_owned());
        }
        case.at(1).act(&vote, &anyone("ann")).unwrap();
        assert_eq!(case.outcome(), None, "{reason:?}");
    }
    let mut case = Case::open("pay");
    let kindly = denial("approved, go ahead");
    case.at(1).act(&kindly, &anyone("ann")).unwrap();
    assert_eq!(case.outcome(), Some(Outcome::Denied));
}
