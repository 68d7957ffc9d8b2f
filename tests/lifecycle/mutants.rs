//! The mistakes: where, what stands there, what would stand there, and which test must see it.

/// One deliberate mistake.
#[derive(Debug)]
pub struct Mutant {
    /// Below `src/escalation`.
    pub file: &'static str,
    /// Stands there once.
    pub from: &'static str,
    pub to: &'static str,
    /// What it breaks.
    pub what: &'static str,
    /// The test that must see it.
    pub seen_by: &'static str,
}

const fn mutant(
    [file, what]: [&'static str; 2],
    from: &'static str,
    to: &'static str,
    seen_by: &'static str,
) -> Mutant {
    Mutant {
        file,
        from,
        to,
        what,
        seen_by,
    }
}

/// All of them.
pub const MUTANTS: &[Mutant] = &[
    mutant(
        ["apply.rs", "what has ended goes on"],
        "Some(resolution) => Err(Refusal::Ended(Box::new(resolution.clone()))),",
        "Some(_) => Ok(()),",
        "lifecycle::time::rule_6_a_late_vote_is_refused_with_the_resolution_and_audited",
    ),
    mutant(
        ["apply/ends.rs", "a quorum is resolved by its first vote"],
        "counted.len() < it.quorum as usize",
        "counted.is_empty()",
        "lifecycle::wrong::wrong_answer_a_quorum_is_not_resolved_by_its_first_vote",
    ),
    mutant(
        ["apply/votes.rs", "a vote at the final instant counts"],
        "Some(last) if self.now >= *last =>",
        "Some(last) if self.now > *last =>",
        "lifecycle::time::rule_4_a_vote_at_the_final_instant_is_late",
    ),
    mutant(
        [
            "apply/votes.rs",
            "who asked is refused for another reason only",
        ],
        "        if self.is_involved(person) {\n            return Err(Refusal::Involved",
        "        if false {\n            return Err(Refusal::Involved",
        "lifecycle::who::rule_3_the_requester_may_not_approve",
    ),
    mutant(
        ["apply.rs", "the group is not checked when voting"],
        "via.is_none_or(|group| self.context.directory.is_member(group, person))",
        "via.is_none_or(|_| true)",
        "lifecycle::who::rule_3_eligibility_is_checked_against_the_directory_at_voting",
    ),
    mutant(
        ["apply.rs", "a delegate votes by a right of its own"],
        "let whose = seat.for_whom.as_ref().unwrap_or(&seat.person);",
        "let whose = &seat.person;",
        "lifecycle::who::rule_10_delegator_and_delegate_count_once",
    ),
    mutant(
        ["apply.rs", "who left keeps undecided votes"],
        "    work.void_votes();\n",
        "",
        "lifecycle::who::rule_3_a_person_who_left_loses_undecided_votes",
    ),
    mutant(
        ["apply.rs", "no step is performed before a command"],
        "    work.pass_time();\n",
        "",
        "lifecycle::time::rule_4_the_steps_come_before_the_vote_is_judged",
    ),
    mutant(
        ["apply.rs", "silence and new voters satisfy nothing"],
        "    work.settle();\n    work.stay_satisfiable();",
        "    work.stay_satisfiable();",
        "lifecycle::time::rule_5_an_end_by_silence_alone_is_told_so",
    ),
    mutant(
        ["apply.rs", "too few later wait for ever"],
        "    work.settle();\n    work.stay_satisfiable();",
        "    work.settle();",
        "lifecycle::who::rule_3_too_few_later_goes_to_the_next_step_and_then_ends_denied",
    ),
    mutant(
        ["apply.rs", "time goes back"],
        "now: stored(context.now).max(it.last),",
        "now: stored(context.now),",
        "lifecycle::time::rule_4_stored_time_never_goes_back",
    ),
    mutant(
        ["apply/steps.rs", "a clock that jumped performs steps"],
        "        if !self.context.is_confirmed {\n            return;\n        }\n",
        "",
        "lifecycle::time::rule_4_an_unconfirmed_clock_performs_no_step",
    ),
    mutant(
        ["apply/steps.rs", "a step comes after its instant"],
        "due.is_some_and(|due| due <= self.now)",
        "due.is_some_and(|due| due < self.now)",
        "lifecycle::time::rule_4_the_steps_come_before_the_vote_is_judged",
    ),
    mutant(
        ["apply/steps.rs", "lateness moves nothing"],
        "            if !does.is_end() {\n                it.shift",
        "            if false {\n                it.shift",
        "lifecycle::time::rule_4_five_minutes_late_move_nothing_and_more_moves_what_follows",
    ),
    mutant(
        ["apply/steps.rs", "five minutes late move what follows"],
        "if late > STEP_LATENESS.to_chrono() {",
        "if late >= STEP_LATENESS.to_chrono() {",
        "lifecycle::time::rule_4_five_minutes_late_move_nothing_and_more_moves_what_follows",
    ),
    mutant(
        ["apply/steps.rs", "silence passes for votes"],
        "it.state = SignOffState::AutoAllowed;",
        "it.state = SignOffState::Satisfied;",
        "lifecycle::time::rule_5_an_end_by_silence_alone_is_told_so",
    ),
    mutant(
        ["apply/steps.rs", "silence allows an unsure lane"],
        "if it.plan.unsure || !self.it.is_readable || is_over {",
        "if !self.it.is_readable || is_over {",
        "lifecycle::time::rule_5_an_allow_that_stands_on_an_unsure_lane_refuses",
    ),
    mutant(
        ["apply/steps.rs", "silence allows behind the cap"],
        "!self.it.is_readable || is_over {",
        "!self.it.is_readable {",
        "lifecycle::corners::rule_4_what_lateness_moves_behind_the_cap_is_never_allowed",
    ),
    mutant(
        ["apply/steps.rs", "a vote for one who left counts on"],
        "        self.end_lent_seats();\n",
        "",
        "lifecycle::corners::rule_3_a_vote_for_one_who_left_counts_no_more",
    ),
    mutant(
        [
            "apply/votes.rs",
            "a vote counts by a seat of a group that its person left",
        ],
        "its(it) && !self.is_eligible(it)",
        "its(it) && self.is_out(&it.person)",
        "lifecycle::corners::rule_3_a_vote_counts_only_where_its_person_may_vote",
    ),
    mutant(
        [
            "apply/steps.rs",
            "an expiry does not welcome a resubmission",
        ],
        "Does::Expire => self.time_out(sign_off, End::Expire),",
        "Does::Expire => self.time_out(sign_off, End::Deny),",
        "lifecycle::ends::rule_2_an_expire_step_says_that_a_resubmission_is_welcome",
    ),
    mutant(
        ["apply/steps.rs", "a step is performed again and again"],
        "        if !does.is_end() {\n            it.next += 1;\n        }",
        "        it.next += 0;",
        "lifecycle::time::rule_5_run_asks_the_caller_once",
    ),
    mutant(
        ["apply/steps.rs", "a grant lives on at its last instant"],
        "grant.state == GrantState::Live && now >= grant.lapses",
        "grant.state == GrantState::Live && now > grant.lapses",
        "lifecycle::rest::rule_8_an_unused_grant_lapses",
    ),
    mutant(
        ["apply/steps.rs", "anyone says that nothing was sent"],
        "        if actor.role != Role::Engine {",
        "        if false {",
        "lifecycle::who::rule_12_when_nobody_was_told_the_next_step_runs_now",
    ),
    mutant(
        ["apply/votes.rs", "a denial needs no reason"],
        "        if reason.trim().is_empty() {",
        "        if false {",
        "lifecycle::ends::rule_2_a_denial_needs_a_reason",
    ),
    mutant(
        ["apply/votes.rs", "a vote for another input counts"],
        "        if digest != self.it.digest {",
        "        if false {",
        "lifecycle::rest::rule_7_a_vote_for_the_input_before_is_refused",
    ),
    mutant(
        ["apply/votes.rs", "what cannot be read is approved"],
        "        if !self.it.is_readable {\n            return Err(Refusal::Unreadable);",
        "        if false {\n            return Err(Refusal::Unreadable);",
        "lifecycle::ends::rule_2_what_cannot_be_read_is_never_approved_as_it_is",
    ),
    mutant(
        ["apply/votes.rs", "who withdrew approves again"],
        "let kinds = [VoteKind::Approve, VoteKind::Withdraw, VoteKind::Void];",
        "let kinds = [VoteKind::Void, VoteKind::Void, VoteKind::Void];",
        "lifecycle::who::rule_3_afterwards_one_may_only_withdraw_and_deny",
    ),
    mutant(
        ["apply/votes.rs", "a denial does not end it"],
        "self.resolve(Outcome::Denied, None, Cause::Vote(person));",
        "let _ = person;",
        "lifecycle::ends::rule_2_the_first_denial_ends_it_and_the_others_are_moot",
    ),
    mutant(
        ["apply/ends.rs", "one sign-off is enough"],
        "!self.it.sign_offs.iter().all(|it| done(it.state))",
        "!self.it.sign_offs.iter().any(|it| done(it.state))",
        "lifecycle::ends::rule_2_every_sign_off_is_needed",
    ),
    mutant(
        ["apply/ends.rs", "anyone cancels"],
        "let may = self.is_involved(&actor.principal) || self.is_operator(actor);",
        "let may = true;",
        "lifecycle::who::rule_3_the_requester_may_cancel_and_others_may_not",
    ),
    mutant(
        ["apply/ends.rs", "a report gets a grant"],
        "is_approval && self.it.pinned.asks && is_held",
        "is_approval && is_held",
        "lifecycle::ends::rule_2_what_was_reported_and_approved_has_nothing_to_consume",
    ),
    mutant(
        ["apply/ends.rs", "a denial gives a grant"],
        "is_approval && self.it.pinned.asks && is_held",
        "self.it.pinned.asks && is_held",
        "lifecycle::ends::rule_2_the_first_denial_ends_it_and_the_others_are_moot",
    ),
    mutant(
        ["apply/grants.rs", "anyone uses the grant"],
        "        if actor.principal != self.it.pinned.requester {",
        "        if false {",
        "lifecycle::rest::rule_8_only_who_asked_uses_it",
    ),
    mutant(
        ["apply/grants.rs", "another action uses the grant"],
        "        if grant.digest != *digest {",
        "        if false {",
        "lifecycle::rest::rule_8_another_digest_is_refused_and_leaves_the_grant_alive",
    ),
    mutant(
        ["apply/grants.rs", "a grant is used twice"],
        "        GrantState::Consumed => Err(Refusal::Consumed),",
        "        GrantState::Consumed => Ok(()),",
        "lifecycle::rest::rule_8_the_grant_is_used_once",
    ),
    mutant(
        ["apply/grants.rs", "stricter rules leave the grant alive"],
        "            self.end_grant(GrantState::Revoked, None);\n            self.record(",
        "            self.record(",
        "lifecycle::rest::rule_8_stricter_at_consumption_revokes",
    ),
    mutant(
        ["apply/grants.rs", "another key gets the same answer"],
        "grant.state == GrantState::Consumed && grant.consume_key.as_ref() == Some(key)",
        "grant.state == GrantState::Consumed",
        "lifecycle::rest::rule_8_the_grant_is_used_once",
    ),
    mutant(
        ["apply/amend.rs", "an amendment starts no round"],
        "        self.it.round += 1;\n",
        "",
        "lifecycle::rest::rule_7_an_amendment_starts_a_round_and_is_its_first_vote",
    ),
    mutant(
        ["apply/amend.rs", "an amendment goes under stricter rules"],
        "!adds && let Some(why)",
        "false && let Some(why)",
        "lifecycle::rest::rule_7_a_stricter_decision_refuses_it",
    ),
    mutant(
        [
            "apply/amend.rs",
            "what was given for another input stays given",
        ],
        "            if !it.is_waiting() {\n",
        "            if false {\n",
        "lifecycle::rest::rule_7_sign_offs_that_were_given_wait_again",
    ),
    mutant(
        ["apply/hand_over.rs", "reassigning shrinks the quorum"],
        "let quorum = it.quorum.max(roster.quorum);",
        "let quorum = roster.quorum;",
        "lifecycle::who::rule_10_reassigning_replaces_the_voters_and_never_shrinks_the_quorum",
    ),
    mutant(
        ["apply/hand_over.rs", "who asked votes in another's place"],
        "to == person || self.is_involved(to) ||",
        "to == person ||",
        "lifecycle::who::rule_10_nobody_delegates_to_who_asked_or_left_or_is_asked_already",
    ),
    mutant(
        ["apply/hand_over.rs", "reassigning keeps the old voters"],
        "        self.unseat(position);\n",
        "",
        "lifecycle::who::rule_10_reassigning_replaces_the_voters_and_never_shrinks_the_quorum",
    ),
    mutant(
        ["apply/asked.rs", "a route keeps the old voters"],
        "                    self.unseat(sign_off);\n",
        "",
        "lifecycle::time::rule_5_route_replaces_the_voters_and_the_quorum",
    ),
    mutant(
        ["apply/asked.rs", "a route keeps the old quorum"],
        "                        it.quorum = roster.quorum;\n",
        "",
        "lifecycle::time::rule_5_route_replaces_the_voters_and_the_quorum",
    ),
    mutant(
        ["apply/asked.rs", "too few wait for ever"],
        "people.len() < it.quorum as usize",
        "false",
        "lifecycle::who::rule_3_too_few_for_ever_ends_denied_loudly",
    ),
    mutant(
        ["state.rs", "delegator and delegate count twice"],
        "if !counted.contains(&who) {",
        "if true {",
        "lifecycle::who::rule_10_delegator_and_delegate_count_once",
    ),
    mutant(
        ["state.rs", "a late vote counts where it was late"],
        "self.approvals().filter(|vote| vote.at < deadline)",
        "self.approvals()",
        "lifecycle::time::rule_4_a_vote_counts_only_where_its_time_is_not_over",
    ),
    mutant(
        ["state.rs", "what was withdrawn counts"],
        "                && !self.is_taken_back(vote)\n",
        "",
        "lifecycle::who::rule_3_who_withdrew_does_not_count",
    ),
    mutant(
        ["state.rs", "lateness moves past the cap"],
        "Some(at.unwrap_or(cap).min(cap))",
        "Some(at.unwrap_or(cap))",
        "lifecycle::time::rule_4_nothing_moves_past_the_cap",
    ),
    mutant(
        ["plan.rs", "the cap allows"],
        "Does::Allow(_) if !may_allow || in_reach.is_none() => Does::Deny,",
        "Does::Allow(_) if !may_allow => Does::Deny,",
        "lifecycle::time::rule_4_a_cap_before_the_end_denies_and_never_allows",
    ),
    mutant(
        ["plan.rs", "an unsure lane runs its actions"],
        "StepAction::Run(_) if unsure => Does::Remind,",
        "StepAction::Run(_) if false => Does::Remind,",
        "lifecycle::time::rule_5_an_unsure_sign_off_is_refused_by_silence",
    ),
    mutant(
        [
            "opening.rs",
            "the owner of an agent is not held to have asked",
        ],
        "excluded.extend(owners);",
        "drop(owners);",
        "lifecycle::who::rule_3_the_agent_and_its_owner_may_not_approve",
    ),
    mutant(
        ["opening.rs", "a flood is one larger"],
        "counts.of_requester >= u64::from",
        "counts.of_requester > u64::from",
        "lifecycle::ends::rule_13_over_the_bound_it_is_stored_at_once_as_denied_by_the_engine",
    ),
];
