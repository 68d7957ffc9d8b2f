-- The first schema of a store of escalations in SQLite. What holds of every escalation is said here again,
-- so that no way of writing can break it.
--
-- Instants are whole microseconds since 1970; JSON is text. `due` and `state` of an escalation follow from
-- its sign-offs, its resolution and its grant: triggers set them, and refuse any other value.
--
-- An instant that was not confirmed moves nothing: `last` may lie before that of a vote, never behind it.
--
-- Keys are looked for before each insert: a statement that says OR REPLACE deletes the row that is in its
-- way, and without the pragma `recursive_triggers` no trigger sees that.
--
-- `erased` is 0 at first, 1 while names become numbers, 2 from then on, and 3 while something was written
-- behind the erasure that is to be erased as well. A number is `erased-` and digits; a person may be called
-- so, which is why only the 1 tells when a name may change.

CREATE TABLE migrations (
    n INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE matrices (
    tenant TEXT NOT NULL,
    digest TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (tenant, digest)
) STRICT;

CREATE TABLE escalations (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    opened INTEGER NOT NULL,
    cap INTEGER NOT NULL,
    requester TEXT NOT NULL,
    key TEXT NOT NULL,
    digest0 TEXT NOT NULL,
    matrix TEXT NOT NULL,
    lane TEXT NOT NULL,
    urgency TEXT NOT NULL,
    flood TEXT NOT NULL,
    group_key TEXT,
    asks INTEGER NOT NULL CHECK (asks IN (0, 1)),
    readable0 INTEGER NOT NULL CHECK (readable0 IN (0, 1)),
    round INTEGER NOT NULL CHECK (round >= 1),
    digest TEXT NOT NULL,
    readable INTEGER NOT NULL CHECK (readable IN (0, 1)),
    state TEXT NOT NULL
        CHECK (state IN ('pending', 'approved', 'amended', 'denied', 'timed_out', 'cancelled')),
    last INTEGER NOT NULL CHECK (last >= opened),
    due INTEGER,
    respond_by INTEGER,
    ended INTEGER,
    joined INTEGER NOT NULL CHECK (joined >= 0),
    first_viewed INTEGER,
    released INTEGER,
    undelivered INTEGER NOT NULL CHECK (undelivered >= 0),
    late_votes INTEGER NOT NULL CHECK (late_votes >= 0),
    erased INTEGER NOT NULL CHECK (erased IN (0, 1, 2, 3)),
    pinned TEXT NOT NULL CHECK (json_valid(pinned)),
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, matrix) REFERENCES matrices (tenant, digest),
    CHECK (cap >= opened),
    CHECK ((state = 'pending') = (ended IS NULL)),
    CHECK (state <> 'pending' OR due IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX escalations_one_pending_of_a_group
    ON escalations (tenant, group_key) WHERE state = 'pending' AND group_key IS NOT NULL;
CREATE INDEX escalations_by_due ON escalations (tenant, due, id) WHERE due IS NOT NULL;
CREATE INDEX escalations_by_opened ON escalations (tenant, opened, id);
CREATE INDEX escalations_by_state ON escalations (tenant, state, opened, id);
CREATE INDEX escalations_by_lane ON escalations (tenant, lane, opened, id);
CREATE INDEX escalations_by_ended ON escalations (tenant, ended, id)
    WHERE ended IS NOT NULL AND due IS NULL AND erased IN (0, 3);
CREATE INDEX escalations_ended_by_opened ON escalations (tenant, opened, id) WHERE state <> 'pending';
CREATE INDEX escalations_pending_of_requester ON escalations (tenant, requester, opened, id) WHERE state = 'pending';
CREATE INDEX escalations_pending_of_lane ON escalations (tenant, lane, opened, id) WHERE state = 'pending';
CREATE INDEX escalations_pending_of_urgency ON escalations (tenant, urgency, opened, id) WHERE state = 'pending';
CREATE INDEX escalations_pending_of_flood ON escalations (tenant, flood) WHERE state = 'pending';

-- `round` is that in which its state holds; `ends_at` the instant of the plan's last step.
CREATE TABLE sign_offs (
    tenant TEXT NOT NULL,
    escalation TEXT NOT NULL,
    n INTEGER NOT NULL,
    lane TEXT NOT NULL,
    cap INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    allows INTEGER NOT NULL CHECK (allows IN (0, 1)),
    round INTEGER NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('waiting', 'satisfied', 'auto_allowed', 'denied', 'timed_out', 'moot')),
    team TEXT NOT NULL,
    quorum INTEGER NOT NULL CHECK (quorum >= 1),
    next INTEGER NOT NULL CHECK (next >= 0),
    hurried INTEGER NOT NULL CHECK (hurried >= 0),
    shift INTEGER NOT NULL CHECK (shift >= 0),
    due INTEGER,
    deadline INTEGER NOT NULL,
    decided INTEGER,
    plan TEXT NOT NULL CHECK (json_valid(plan)),
    PRIMARY KEY (tenant, escalation, n),
    FOREIGN KEY (tenant, escalation) REFERENCES escalations (tenant, id),
    CHECK (deadline = min(ends_at + shift * 1000, cap)),
    CHECK ((state = 'waiting') = (due IS NOT NULL)),
    CHECK ((state = 'waiting') = (decided IS NULL)),
    CHECK (due IS NULL OR due <= deadline)
) STRICT;
CREATE INDEX sign_offs_waiting_of_team ON sign_offs (tenant, team, escalation) WHERE state = 'waiting';

CREATE TABLE seats (
    tenant TEXT NOT NULL,
    escalation TEXT NOT NULL,
    sign_off INTEGER NOT NULL,
    n INTEGER NOT NULL,
    person TEXT NOT NULL,
    via TEXT,
    for_whom TEXT,
    since INTEGER NOT NULL,
    until INTEGER,
    PRIMARY KEY (tenant, escalation, sign_off, n),
    FOREIGN KEY (tenant, escalation, sign_off) REFERENCES sign_offs (tenant, escalation, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX seats_of_person ON seats (tenant, person, escalation, sign_off) WHERE until IS NULL;

CREATE TABLE votes (
    tenant TEXT NOT NULL,
    escalation TEXT NOT NULL,
    n INTEGER NOT NULL,
    round INTEGER NOT NULL,
    person TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('approve', 'deny', 'withdraw', 'void')),
    at INTEGER NOT NULL,
    digest TEXT NOT NULL,
    operator TEXT,
    PRIMARY KEY (tenant, escalation, n),
    UNIQUE (tenant, escalation, round, person, kind),
    FOREIGN KEY (tenant, escalation) REFERENCES escalations (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE resolutions (
    tenant TEXT NOT NULL,
    escalation TEXT NOT NULL,
    outcome TEXT NOT NULL
        CHECK (outcome IN ('approved', 'amended', 'denied', 'timed_out', 'cancelled')),
    end_how TEXT CHECK (end_how IN ('deny', 'expire')),
    at INTEGER NOT NULL,
    cause TEXT NOT NULL CHECK (json_valid(cause)),
    by_silence INTEGER NOT NULL CHECK (by_silence IN (0, 1)),
    PRIMARY KEY (tenant, escalation),
    FOREIGN KEY (tenant, escalation) REFERENCES escalations (tenant, id),
    CHECK ((outcome = 'timed_out') = (end_how IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
    tenant TEXT NOT NULL,
    escalation TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('live', 'consumed', 'lapsed', 'revoked')),
    digest TEXT NOT NULL,
    lapses INTEGER NOT NULL,
    consume_key TEXT,
    ended INTEGER,
    PRIMARY KEY (tenant, escalation),
    FOREIGN KEY (tenant, escalation) REFERENCES resolutions (tenant, escalation),
    CHECK ((state = 'live') = (ended IS NULL)),
    CHECK ((state = 'consumed') = (consume_key IS NOT NULL)),
    CHECK (state <> 'consumed' OR ended < lapses),
    CHECK (state <> 'lapsed' OR ended >= lapses)
) STRICT, WITHOUT ROWID;

CREATE TABLE requests (
    tenant TEXT NOT NULL,
    requester TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    escalation TEXT NOT NULL,
    joined INTEGER NOT NULL CHECK (joined IN (0, 1)),
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, requester, key),
    FOREIGN KEY (tenant, escalation) REFERENCES escalations (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_by_at ON requests (tenant, at);

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    escalation TEXT NOT NULL,
    n INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    payload BLOB NOT NULL CHECK (length(payload) = 32),
    previous BLOB NOT NULL CHECK (length(previous) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    UNIQUE (tenant, escalation, n),
    FOREIGN KEY (tenant, escalation) REFERENCES escalations (tenant, id)
) STRICT;

CREATE TABLE payloads (
    tenant TEXT NOT NULL,
    escalation TEXT NOT NULL,
    n INTEGER NOT NULL,
    salt BLOB CHECK (length(salt) = 16),
    body TEXT,
    erased_at INTEGER,
    erased_by TEXT,
    erased_why TEXT,
    PRIMARY KEY (tenant, escalation, n),
    FOREIGN KEY (tenant, escalation, n) REFERENCES audit (tenant, escalation, n),
    CHECK ((salt IS NULL) = (body IS NULL)),
    CHECK ((salt IS NULL) = (erased_at IS NOT NULL)),
    CHECK ((salt IS NULL) = (erased_by IS NOT NULL)),
    CHECK ((salt IS NULL) = (erased_why IS NOT NULL))
) STRICT;

CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    escalation TEXT NOT NULL,
    notice TEXT NOT NULL CHECK (json_valid(notice)),
    merge TEXT,
    at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'failed')),
    count INTEGER NOT NULL CHECK (count >= 1),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    not_before INTEGER NOT NULL,
    problem TEXT,
    -- The last attempt before it was sent again.
    attempts_before INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, id),
    FOREIGN KEY (tenant, escalation) REFERENCES escalations (tenant, id),
    CHECK (state <> 'failed' OR problem IS NOT NULL)
) STRICT;
CREATE INDEX outbox_to_send ON outbox (tenant, not_before, seq) WHERE state = 'waiting';
CREATE INDEX outbox_failed ON outbox (tenant) WHERE state = 'failed';
CREATE INDEX outbox_of_escalation ON outbox (tenant, escalation);
-- What is over, to be dropped.
CREATE INDEX outbox_over ON outbox (tenant, at) WHERE state <> 'waiting';
-- What somebody has taken to send it counts no more: its count was read.
CREATE UNIQUE INDEX outbox_one_to_merge_into ON outbox (tenant, merge)
    WHERE state = 'waiting' AND attempts = 0 AND merge IS NOT NULL;

CREATE TABLE checkpoints (
    tenant TEXT NOT NULL,
    n INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    chains INTEGER NOT NULL,
    root BLOB NOT NULL CHECK (length(root) = 32),
    previous BLOB NOT NULL CHECK (length(previous) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, n)
) STRICT, WITHOUT ROWID;

-- What is written once.

CREATE TRIGGER migrations_go_forward BEFORE INSERT ON migrations
WHEN NEW.n <> (SELECT coalesce(max(n), 0) + 1 FROM migrations)
BEGIN SELECT RAISE(ABORT, 'migrations go forward, one after the other'); END;
CREATE TRIGGER migrations_never_change BEFORE UPDATE ON migrations
BEGIN SELECT RAISE(ABORT, 'migrations never change'); END;
CREATE TRIGGER migrations_stay BEFORE DELETE ON migrations
BEGIN SELECT RAISE(ABORT, 'migrations stay'); END;

CREATE TRIGGER settings_stay BEFORE DELETE ON settings
BEGIN SELECT RAISE(ABORT, 'settings stay'); END;

CREATE TRIGGER matrices_are_new BEFORE INSERT ON matrices
WHEN EXISTS (SELECT 1 FROM matrices WHERE tenant = NEW.tenant AND digest = NEW.digest)
BEGIN SELECT RAISE(ABORT, 'the matrix is there already'); END;
CREATE TRIGGER matrices_never_change BEFORE UPDATE ON matrices
BEGIN SELECT RAISE(ABORT, 'matrices never change'); END;
CREATE TRIGGER matrices_stay BEFORE DELETE ON matrices
BEGIN SELECT RAISE(ABORT, 'matrices stay'); END;

-- Escalations.

CREATE TRIGGER escalations_are_new BEFORE INSERT ON escalations
WHEN EXISTS (SELECT 1 FROM escalations WHERE tenant = NEW.tenant AND id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the escalation is there already'); END;
CREATE TRIGGER escalations_one_of_a_group BEFORE INSERT ON escalations
WHEN NEW.group_key IS NOT NULL AND EXISTS (
    SELECT 1 FROM escalations
    WHERE tenant = NEW.tenant AND group_key = NEW.group_key AND state = 'pending')
BEGIN SELECT RAISE(ABORT, 'one escalation of a group is pending already'); END;
CREATE TRIGGER escalations_open_pending BEFORE INSERT ON escalations
WHEN NEW.state <> 'pending' OR NEW.round <> 1 OR NEW.digest <> NEW.digest0
    OR NEW.readable <> NEW.readable0 OR NEW.last <> NEW.opened OR NEW.due IS NOT NEW.cap
    OR NEW.joined <> 0 OR NEW.released IS NOT NULL OR NEW.erased <> 0
BEGIN SELECT RAISE(ABORT, 'an escalation opens pending, in its first round'); END;
CREATE TRIGGER escalations_say_their_terms BEFORE INSERT ON escalations
WHEN NOT coalesce(
    json_extract(NEW.pinned, '$.id') = NEW.id
    AND json_extract(NEW.pinned, '$.opened') = NEW.opened
    AND json_extract(NEW.pinned, '$.cap') = NEW.cap
    AND json_extract(NEW.pinned, '$.requester') = NEW.requester
    AND json_extract(NEW.pinned, '$.key') = NEW.key
    AND json_extract(NEW.pinned, '$.digest') = NEW.digest0
    AND json_extract(NEW.pinned, '$.matrix') = NEW.matrix
    AND json_extract(NEW.pinned, '$.lane') = NEW.lane
    AND json_extract(NEW.pinned, '$.urgency') = NEW.urgency
    AND json_extract(NEW.pinned, '$.flood') = NEW.flood
    AND json_extract(NEW.pinned, '$.group') IS NEW.group_key
    AND json_extract(NEW.pinned, '$.asks') = NEW.asks
    AND json_extract(NEW.pinned, '$.is_readable') = NEW.readable0
    AND EXISTS (SELECT 1 FROM json_each(NEW.pinned, '$.excluded') WHERE value = NEW.requester), 0)
BEGIN SELECT RAISE(ABORT, 'the columns repeat the pinned terms'); END;
CREATE TRIGGER escalations_terms_never_change BEFORE UPDATE OF tenant, id, opened, cap, requester, key,
    digest0, matrix, lane, urgency, flood, group_key, asks, readable0, pinned ON escalations
BEGIN SELECT RAISE(ABORT, 'pinned terms never change'); END;
CREATE TRIGGER escalations_end_once BEFORE UPDATE OF state, ended ON escalations
WHEN OLD.state <> 'pending' AND (NEW.state <> OLD.state OR NEW.ended IS NOT OLD.ended)
BEGIN SELECT RAISE(ABORT, 'an end is never left'); END;
CREATE TRIGGER escalations_end_with_a_resolution BEFORE UPDATE OF state ON escalations
WHEN OLD.state = 'pending' AND NEW.state <> 'pending' AND NOT EXISTS (
    SELECT 1 FROM resolutions
    WHERE tenant = NEW.tenant AND escalation = NEW.id AND outcome = NEW.state AND at = NEW.ended)
BEGIN SELECT RAISE(ABORT, 'an escalation ends only with its resolution'); END;
CREATE TRIGGER escalations_rounds_go_forward BEFORE UPDATE OF round, digest, readable ON escalations
WHEN NOT (NEW.round = OLD.round AND NEW.digest = OLD.digest AND NEW.readable = OLD.readable)
    AND NOT (OLD.state = 'pending' AND NEW.round = OLD.round + 1 AND NEW.digest <> OLD.digest
        AND NEW.readable = 1)
BEGIN SELECT RAISE(ABORT, 'the input changes only with a new round, while it is pending'); END;
CREATE TRIGGER escalations_time_never_goes_back BEFORE UPDATE OF last ON escalations
WHEN NEW.last < OLD.last
BEGIN SELECT RAISE(ABORT, 'stored time never goes back'); END;
CREATE TRIGGER escalations_counts_never_go_back
BEFORE UPDATE OF joined, undelivered, late_votes, first_viewed ON escalations
WHEN NEW.joined < OLD.joined OR NEW.undelivered < OLD.undelivered OR NEW.late_votes < OLD.late_votes
    OR (OLD.first_viewed IS NOT NULL AND NEW.first_viewed IS NOT OLD.first_viewed)
    OR (OLD.state <> 'pending' AND NEW.joined <> OLD.joined)
BEGIN SELECT RAISE(ABORT, 'what was counted is not taken back'); END;
CREATE TRIGGER escalations_release_what_is_kept BEFORE UPDATE OF released ON escalations
WHEN NEW.released IS NOT OLD.released AND NOT (OLD.released IS NULL AND OLD.asks = 0
    AND OLD.state IN ('denied', 'timed_out'))
BEGIN SELECT RAISE(ABORT, 'only what was reported and denied is released, once'); END;
CREATE TRIGGER escalations_erase_what_ended BEFORE UPDATE OF erased ON escalations
WHEN NEW.erased <> OLD.erased AND (OLD.state = 'pending'
    OR NOT (NEW.erased = OLD.erased + 1 OR (OLD.erased = 3 AND NEW.erased = 2)) OR EXISTS (
    SELECT 1 FROM grants WHERE tenant = NEW.tenant AND escalation = NEW.id AND state = 'live'))
BEGIN SELECT RAISE(ABORT, 'only what has ended and has no live grant is erased, for ever'); END;
CREATE TRIGGER escalations_due_follows BEFORE UPDATE OF due ON escalations
WHEN NEW.due IS NOT CASE NEW.state
    WHEN 'pending' THEN coalesce((SELECT min(due) FROM sign_offs
        WHERE tenant = NEW.tenant AND escalation = NEW.id AND state = 'waiting'), NEW.cap)
    ELSE (SELECT lapses FROM grants
        WHERE tenant = NEW.tenant AND escalation = NEW.id AND state = 'live') END
BEGIN SELECT RAISE(ABORT, 'what is due follows from sign-offs and grant'); END;
CREATE TRIGGER escalations_stay BEFORE DELETE ON escalations
BEGIN SELECT RAISE(ABORT, 'escalations stay'); END;

-- Sign-offs.

CREATE TRIGGER sign_offs_are_new BEFORE INSERT ON sign_offs
WHEN NEW.n <> (SELECT count(*) FROM sign_offs
    WHERE tenant = NEW.tenant AND escalation = NEW.escalation)
BEGIN SELECT RAISE(ABORT, 'sign-offs are numbered, and there once'); END;
CREATE TRIGGER sign_offs_begin_waiting BEFORE INSERT ON sign_offs
WHEN NEW.state <> 'waiting' OR NEW.next <> 0 OR NEW.hurried <> 0 OR NEW.shift <> 0 OR NOT EXISTS (
    SELECT 1 FROM escalations
    WHERE tenant = NEW.tenant AND id = NEW.escalation AND state = 'pending' AND cap = NEW.cap
        AND round = NEW.round AND (round = 1 OR readable0 = 0))
BEGIN SELECT RAISE(ABORT, 'a sign-off begins waiting, of a pending escalation'); END;
CREATE TRIGGER sign_offs_say_their_terms BEFORE INSERT ON sign_offs
WHEN NOT coalesce(
    json_extract(NEW.plan, '$.lane') = NEW.lane
    AND json_extract(NEW.plan, '$.team') = NEW.team
    AND json_extract(NEW.plan, '$.quorum') = NEW.quorum
    AND json_extract(NEW.plan, '$.steps[#-1].at') = NEW.ends_at
    AND min(json_extract(NEW.plan, '$.steps[0].at'), NEW.cap) = NEW.due
    AND (json_type(NEW.plan, '$.steps[#-1].does.allow') IS NOT NULL
        AND NOT json_extract(NEW.plan, '$.unsure')) = NEW.allows, 0)
BEGIN SELECT RAISE(ABORT, 'the columns repeat the plan'); END;
CREATE TRIGGER sign_offs_terms_never_change
BEFORE UPDATE OF tenant, escalation, n, lane, cap, ends_at, allows ON sign_offs
BEGIN SELECT RAISE(ABORT, 'the terms of a sign-off never change'); END;
CREATE TRIGGER sign_offs_plans_only_lose_names BEFORE UPDATE OF plan ON sign_offs
WHEN NOT coalesce(
    EXISTS (SELECT 1 FROM escalations
        WHERE tenant = NEW.tenant AND id = NEW.escalation AND erased = 1)
    AND json_remove(NEW.plan, '$.rosters') = json_remove(OLD.plan, '$.rosters')
    AND (SELECT count(*) FROM json_tree(NEW.plan, '$.rosters') WHERE key = 'person')
        = (SELECT count(*) FROM json_tree(OLD.plan, '$.rosters') WHERE key = 'person')
    AND NOT EXISTS (SELECT 1 FROM json_tree(NEW.plan, '$.rosters') WHERE key = 'person'
        AND NOT (value GLOB 'erased-[0-9]*' AND substr(value, 8) NOT GLOB '*[^0-9]*')), 0)
BEGIN SELECT RAISE(ABORT, 'the plan of a sign-off never changes, but for the names that are erased'); END;
CREATE TRIGGER sign_offs_change_while_pending
BEFORE UPDATE OF round, state, team, quorum, next, hurried, shift, due, deadline, decided ON sign_offs
WHEN NOT EXISTS (SELECT 1 FROM escalations
    WHERE tenant = NEW.tenant AND id = NEW.escalation AND state = 'pending' AND round = NEW.round)
BEGIN SELECT RAISE(ABORT, 'a sign-off changes only while its escalation is pending, in its round'); END;
CREATE TRIGGER sign_offs_are_decided_once
BEFORE UPDATE OF round, state, team, quorum, next, hurried, shift, due, deadline, decided ON sign_offs
WHEN OLD.state <> 'waiting' AND NOT (NEW.state = 'waiting' AND NEW.round > OLD.round)
BEGIN SELECT RAISE(ABORT, 'what is decided waits again only with a new round'); END;
CREATE TRIGGER sign_offs_never_go_back BEFORE UPDATE OF round, next, hurried, shift, deadline ON sign_offs
WHEN NEW.round < OLD.round OR NEW.next < OLD.next OR NEW.hurried < OLD.hurried
    OR NEW.shift < OLD.shift OR NEW.deadline < OLD.deadline
BEGIN SELECT RAISE(ABORT, 'steps, rounds and deadlines never go back'); END;
CREATE TRIGGER sign_offs_deadlines_move_with_a_step BEFORE UPDATE OF shift ON sign_offs
WHEN NEW.shift <> OLD.shift AND NEW.next = OLD.next
BEGIN SELECT RAISE(ABORT, 'a deadline moves only with a step'); END;
CREATE TRIGGER sign_offs_due_follows BEFORE UPDATE OF due, next, shift ON sign_offs
WHEN NEW.due IS NOT NULL AND NEW.due IS NOT
    min(json_extract(NEW.plan, '$.steps[' || NEW.next || '].at') + NEW.shift * 1000, NEW.cap)
BEGIN SELECT RAISE(ABORT, 'what is due follows from the plan'); END;
CREATE TRIGGER sign_offs_quorum_stays BEFORE UPDATE OF quorum ON sign_offs
WHEN NEW.quorum < OLD.quorum AND ((NEW.next = OLD.next AND NEW.hurried = OLD.hurried)
    OR NEW.quorum < (SELECT min(json_extract(value, '$.quorum')) FROM json_each(NEW.plan, '$.rosters')))
BEGIN SELECT RAISE(ABORT, 'a quorum shrinks only by a step, to that of a team of the plan'); END;
CREATE TRIGGER sign_offs_need_their_votes BEFORE UPDATE OF state ON sign_offs
WHEN NEW.state = 'satisfied' AND NEW.quorum > (
    SELECT count(DISTINCT (
        SELECT coalesce(s.for_whom, s.person) FROM seats AS s
        WHERE s.tenant = v.tenant AND s.escalation = v.escalation AND s.sign_off = NEW.n
            AND s.person = v.person AND s.until IS NULL
        ORDER BY s.for_whom IS NOT NULL, s.n LIMIT 1))
    FROM escalations AS e JOIN votes AS v ON v.tenant = e.tenant AND v.escalation = e.id
    WHERE e.tenant = NEW.tenant AND e.id = NEW.escalation AND e.readable = 1
        AND v.round = e.round AND v.kind = 'approve' AND v.digest = e.digest AND v.at < NEW.deadline
        AND NOT EXISTS (SELECT 1 FROM votes AS later
            WHERE later.tenant = v.tenant AND later.escalation = v.escalation
                AND later.round = v.round AND later.person = v.person
                AND later.kind IN ('withdraw', 'void')))
BEGIN SELECT RAISE(ABORT, 'a sign-off is satisfied only by its quorum of distinct people, in time'); END;
CREATE TRIGGER sign_offs_allow_in_time BEFORE UPDATE OF state ON sign_offs
WHEN NEW.state = 'auto_allowed' AND (NEW.allows = 0 OR NOT EXISTS (
    SELECT 1 FROM escalations
    WHERE tenant = NEW.tenant AND id = NEW.escalation AND readable = 1 AND last >= NEW.deadline))
BEGIN SELECT RAISE(ABORT, 'silence allows only by an allow step, at its instant'); END;
CREATE TRIGGER sign_offs_time_out_in_time BEFORE UPDATE OF state ON sign_offs
WHEN NEW.state = 'timed_out' AND NOT EXISTS (
    SELECT 1 FROM escalations
    WHERE tenant = NEW.tenant AND id = NEW.escalation AND last >= NEW.deadline)
BEGIN SELECT RAISE(ABORT, 'a sign-off times out at its final instant'); END;
CREATE TRIGGER sign_offs_begun_are_due AFTER INSERT ON sign_offs
BEGIN
    UPDATE escalations SET due = coalesce((SELECT min(due) FROM sign_offs
        WHERE tenant = NEW.tenant AND escalation = NEW.escalation AND state = 'waiting'), cap)
    WHERE tenant = NEW.tenant AND id = NEW.escalation;
END;
CREATE TRIGGER sign_offs_changed_are_due AFTER UPDATE OF due ON sign_offs
WHEN NEW.due IS NOT OLD.due
BEGIN
    UPDATE escalations SET due = coalesce((SELECT min(due) FROM sign_offs
        WHERE tenant = NEW.tenant AND escalation = NEW.escalation AND state = 'waiting'), cap)
    WHERE tenant = NEW.tenant AND id = NEW.escalation;
END;
CREATE TRIGGER sign_offs_stay BEFORE DELETE ON sign_offs
BEGIN SELECT RAISE(ABORT, 'sign-offs stay'); END;

-- Seats. A name is replaced by a number when its escalation is erased.

CREATE TRIGGER seats_are_new BEFORE INSERT ON seats
WHEN NEW.until IS NOT NULL OR NEW.n <> (SELECT count(*) FROM seats
    WHERE tenant = NEW.tenant AND escalation = NEW.escalation AND sign_off = NEW.sign_off)
BEGIN SELECT RAISE(ABORT, 'seats are numbered, and begin by holding'); END;
CREATE TRIGGER seats_of_what_waits BEFORE INSERT ON seats
WHEN NOT EXISTS (SELECT 1 FROM sign_offs
    WHERE tenant = NEW.tenant AND escalation = NEW.escalation AND n = NEW.sign_off AND state = 'waiting')
BEGIN SELECT RAISE(ABORT, 'a seat is of a sign-off that waits'); END;
CREATE TRIGGER seats_not_of_who_asked BEFORE INSERT ON seats
WHEN EXISTS (SELECT 1 FROM escalations AS e, json_each(e.pinned, '$.excluded') AS x
    WHERE e.tenant = NEW.tenant AND e.id = NEW.escalation AND x.value IN (NEW.person, NEW.for_whom))
BEGIN SELECT RAISE(ABORT, 'who asked has no seat'); END;
CREATE TRIGGER seats_are_delegated_by_who_has_one BEFORE INSERT ON seats
WHEN NEW.for_whom IS NOT NULL AND NOT EXISTS (SELECT 1 FROM seats
    WHERE tenant = NEW.tenant AND escalation = NEW.escalation AND sign_off = NEW.sign_off
        AND person = NEW.for_whom AND for_whom IS NULL AND until IS NULL)
BEGIN SELECT RAISE(ABORT, 'a seat is delegated by who has one'); END;
CREATE TRIGGER seats_only_end BEFORE UPDATE ON seats
WHEN NOT (NEW.tenant = OLD.tenant AND NEW.escalation = OLD.escalation AND NEW.sign_off = OLD.sign_off
    AND NEW.n = OLD.n AND NEW.via IS OLD.via AND NEW.since = OLD.since
    AND ((NEW.person = OLD.person AND NEW.for_whom IS OLD.for_whom
            AND OLD.until IS NULL AND EXISTS (SELECT 1 FROM escalations
                WHERE tenant = NEW.tenant AND id = NEW.escalation AND state = 'pending'))
        OR (NEW.until IS OLD.until AND (NEW.for_whom IS NULL) = (OLD.for_whom IS NULL)
            AND NEW.person GLOB 'erased-[0-9]*' AND substr(NEW.person, 8) NOT GLOB '*[^0-9]*'
            AND coalesce(NEW.for_whom GLOB 'erased-[0-9]*'
                AND substr(NEW.for_whom, 8) NOT GLOB '*[^0-9]*', 1)
            AND EXISTS (SELECT 1 FROM escalations
                WHERE tenant = NEW.tenant AND id = NEW.escalation AND erased = 1))))
BEGIN SELECT RAISE(ABORT, 'of a seat only its end changes, once, while it is pending'); END;
CREATE TRIGGER seats_stay BEFORE DELETE ON seats
BEGIN SELECT RAISE(ABORT, 'seats stay'); END;

-- Votes.

CREATE TRIGGER votes_are_new BEFORE INSERT ON votes
WHEN NEW.n <> (SELECT count(*) FROM votes WHERE tenant = NEW.tenant AND escalation = NEW.escalation)
BEGIN SELECT RAISE(ABORT, 'votes are numbered'); END;
CREATE TRIGGER votes_once_each BEFORE INSERT ON votes
WHEN EXISTS (SELECT 1 FROM votes WHERE tenant = NEW.tenant AND escalation = NEW.escalation
    AND round = NEW.round AND person = NEW.person AND kind = NEW.kind)
BEGIN SELECT RAISE(ABORT, 'a person votes once'); END;
CREATE TRIGGER votes_of_this_round BEFORE INSERT ON votes
WHEN NOT EXISTS (SELECT 1 FROM escalations
    WHERE tenant = NEW.tenant AND id = NEW.escalation AND state = 'pending' AND round = NEW.round
        AND digest = NEW.digest AND last <= NEW.at)
BEGIN SELECT RAISE(ABORT, 'a vote is given now, about what is asked now, while it is pending'); END;
CREATE TRIGGER votes_not_of_who_asked BEFORE INSERT ON votes
WHEN EXISTS (SELECT 1 FROM escalations AS e, json_each(e.pinned, '$.excluded') AS x
    WHERE e.tenant = NEW.tenant AND e.id = NEW.escalation AND x.value = NEW.person)
BEGIN SELECT RAISE(ABORT, 'who asked does not vote'); END;
CREATE TRIGGER votes_of_who_is_asked BEFORE INSERT ON votes
WHEN NEW.kind IN ('approve', 'deny') AND NOT EXISTS (SELECT 1 FROM seats
    WHERE tenant = NEW.tenant AND escalation = NEW.escalation AND person = NEW.person AND until IS NULL)
BEGIN SELECT RAISE(ABORT, 'only who has a seat votes'); END;
CREATE TRIGGER votes_approve_what_is_read BEFORE INSERT ON votes
WHEN NEW.kind = 'approve' AND (NOT EXISTS (SELECT 1 FROM escalations
    WHERE tenant = NEW.tenant AND id = NEW.escalation AND readable = 1)
    OR EXISTS (SELECT 1 FROM votes WHERE tenant = NEW.tenant AND escalation = NEW.escalation
        AND round = NEW.round AND person = NEW.person AND kind IN ('withdraw', 'void')))
BEGIN SELECT RAISE(ABORT, 'only what can be read is approved, and not after a withdrawal'); END;
CREATE TRIGGER votes_take_back_what_was_given BEFORE INSERT ON votes
WHEN NEW.kind IN ('withdraw', 'void') AND NOT EXISTS (SELECT 1 FROM votes
    WHERE tenant = NEW.tenant AND escalation = NEW.escalation AND round = NEW.round
        AND person = NEW.person AND kind = 'approve')
BEGIN SELECT RAISE(ABORT, 'only an approval is taken back'); END;
CREATE TRIGGER votes_never_change BEFORE UPDATE ON votes
WHEN NOT (NEW.tenant = OLD.tenant AND NEW.escalation = OLD.escalation AND NEW.n = OLD.n
    AND NEW.round = OLD.round AND NEW.kind = OLD.kind AND NEW.at = OLD.at AND NEW.digest = OLD.digest
    AND NEW.person GLOB 'erased-[0-9]*' AND substr(NEW.person, 8) NOT GLOB '*[^0-9]*'
    AND (NEW.operator IS NULL) = (OLD.operator IS NULL)
    AND coalesce(NEW.operator GLOB 'erased-[0-9]*'
        AND substr(NEW.operator, 8) NOT GLOB '*[^0-9]*', 1)
    AND EXISTS (SELECT 1 FROM escalations
        WHERE tenant = NEW.tenant AND id = NEW.escalation AND erased = 1)
    AND NOT EXISTS (SELECT 1 FROM votes AS v WHERE v.tenant = NEW.tenant
        AND v.escalation = NEW.escalation AND v.round = NEW.round AND v.person = NEW.person
        AND v.kind = NEW.kind AND v.n <> NEW.n))
BEGIN SELECT RAISE(ABORT, 'votes never change'); END;
CREATE TRIGGER votes_stay BEFORE DELETE ON votes
BEGIN SELECT RAISE(ABORT, 'votes stay'); END;

-- Resolutions: writing one ends its escalation.

CREATE TRIGGER resolutions_are_one BEFORE INSERT ON resolutions
WHEN EXISTS (SELECT 1 FROM resolutions WHERE tenant = NEW.tenant AND escalation = NEW.escalation)
BEGIN SELECT RAISE(ABORT, 'an escalation ends once'); END;
CREATE TRIGGER resolutions_of_what_is_pending BEFORE INSERT ON resolutions
WHEN NOT EXISTS (SELECT 1 FROM escalations
    WHERE tenant = NEW.tenant AND id = NEW.escalation AND state = 'pending' AND last <= NEW.at)
BEGIN SELECT RAISE(ABORT, 'only what is pending ends, now'); END;
-- By the sign-offs of the escalation: the index of those that wait has all escalations' for a team.
CREATE TRIGGER resolutions_leave_nothing_waiting BEFORE INSERT ON resolutions
WHEN EXISTS (SELECT 1 FROM sign_offs
    WHERE tenant = NEW.tenant AND escalation = NEW.escalation AND +state = 'waiting')
BEGIN SELECT RAISE(ABORT, 'a sign-off waits still'); END;
CREATE TRIGGER resolutions_approve_what_is_signed_off BEFORE INSERT ON resolutions
WHEN NEW.outcome IN ('approved', 'amended') AND (
    NOT EXISTS (SELECT 1 FROM escalations
        WHERE tenant = NEW.tenant AND id = NEW.escalation AND readable = 1
            AND (digest = digest0) = (NEW.outcome = 'approved'))
    OR NOT EXISTS (SELECT 1 FROM sign_offs
        WHERE tenant = NEW.tenant AND escalation = NEW.escalation)
    OR EXISTS (SELECT 1 FROM sign_offs AS s JOIN escalations AS e
            ON e.tenant = s.tenant AND e.id = s.escalation
        WHERE s.tenant = NEW.tenant AND s.escalation = NEW.escalation
            AND (s.state NOT IN ('satisfied', 'auto_allowed') OR s.round <> e.round)))
BEGIN SELECT RAISE(ABORT, 'approved is what every sign-off agrees to in this round, and can be read'); END;
CREATE TRIGGER resolutions_time_out_what_did BEFORE INSERT ON resolutions
WHEN NEW.outcome = 'timed_out' AND NOT EXISTS (SELECT 1 FROM sign_offs
    WHERE tenant = NEW.tenant AND escalation = NEW.escalation AND state = 'timed_out')
BEGIN SELECT RAISE(ABORT, 'timed out is what has a sign-off that did'); END;
CREATE TRIGGER resolutions_tell_silence BEFORE INSERT ON resolutions
WHEN NEW.by_silence <> (NEW.outcome IN ('approved', 'amended') AND NOT EXISTS (SELECT 1 FROM sign_offs
    WHERE tenant = NEW.tenant AND escalation = NEW.escalation AND state <> 'auto_allowed'))
BEGIN SELECT RAISE(ABORT, 'an approval by silence says so'); END;
CREATE TRIGGER resolutions_end AFTER INSERT ON resolutions
BEGIN
    UPDATE escalations SET state = NEW.outcome, ended = NEW.at, due = NULL
    WHERE tenant = NEW.tenant AND id = NEW.escalation;
    -- An insert that says OR IGNORE makes the update before this one as lenient.
    SELECT RAISE(ABORT, 'an escalation ends with its resolution') WHERE NOT EXISTS (
        SELECT 1 FROM escalations
        WHERE tenant = NEW.tenant AND id = NEW.escalation AND state = NEW.outcome);
END;
CREATE TRIGGER resolutions_never_change BEFORE UPDATE ON resolutions
WHEN NOT coalesce(NEW.tenant = OLD.tenant AND NEW.escalation = OLD.escalation
    AND NEW.outcome = OLD.outcome AND NEW.end_how IS OLD.end_how AND NEW.at = OLD.at
    AND NEW.by_silence = OLD.by_silence
    AND EXISTS (SELECT 1 FROM json_each(NEW.cause) AS new, json_each(OLD.cause) AS old
        WHERE new.key = old.key AND new.key IN ('vote', 'cancelled')
            AND new.value GLOB 'erased-[0-9]*' AND substr(new.value, 8) NOT GLOB '*[^0-9]*')
    AND EXISTS (SELECT 1 FROM escalations
        WHERE tenant = NEW.tenant AND id = NEW.escalation AND erased = 1), 0)
BEGIN SELECT RAISE(ABORT, 'resolutions never change'); END;
CREATE TRIGGER resolutions_stay BEFORE DELETE ON resolutions
BEGIN SELECT RAISE(ABORT, 'resolutions stay'); END;

-- Grants.

CREATE TRIGGER grants_are_one BEFORE INSERT ON grants
WHEN EXISTS (SELECT 1 FROM grants WHERE tenant = NEW.tenant AND escalation = NEW.escalation)
BEGIN SELECT RAISE(ABORT, 'an approval is granted once'); END;
CREATE TRIGGER grants_of_an_approval BEFORE INSERT ON grants
WHEN NEW.state <> 'live' OR NOT EXISTS (SELECT 1 FROM escalations AS e JOIN resolutions AS r
        ON r.tenant = e.tenant AND r.escalation = e.id
    WHERE e.tenant = NEW.tenant AND e.id = NEW.escalation AND r.outcome IN ('approved', 'amended')
        AND e.asks = 1 AND e.digest = NEW.digest AND e.last <= r.at AND NEW.lapses >= r.at)
BEGIN SELECT RAISE(ABORT, 'a grant begins live, with the approval of its action'); END;
CREATE TRIGGER grants_given_are_due AFTER INSERT ON grants
BEGIN
    UPDATE escalations SET due = NEW.lapses WHERE tenant = NEW.tenant AND id = NEW.escalation;
END;
CREATE TRIGGER grants_end_once BEFORE UPDATE ON grants
WHEN OLD.state <> 'live'
BEGIN SELECT RAISE(ABORT, 'a grant ends once'); END;
CREATE TRIGGER grants_terms_never_change BEFORE UPDATE ON grants
WHEN NEW.tenant <> OLD.tenant OR NEW.escalation <> OLD.escalation OR NEW.digest <> OLD.digest
    OR NEW.lapses <> OLD.lapses
BEGIN SELECT RAISE(ABORT, 'the terms of a grant never change'); END;
CREATE TRIGGER grants_end_now BEFORE UPDATE ON grants
WHEN NEW.ended IS NOT NULL AND NOT EXISTS (SELECT 1 FROM escalations
    WHERE tenant = NEW.tenant AND id = NEW.escalation AND last <= NEW.ended)
BEGIN SELECT RAISE(ABORT, 'a grant ends now'); END;
CREATE TRIGGER grants_ended_are_not_due AFTER UPDATE ON grants
BEGIN
    UPDATE escalations SET due = (SELECT lapses FROM grants
        WHERE tenant = NEW.tenant AND escalation = NEW.escalation AND state = 'live')
    WHERE tenant = NEW.tenant AND id = NEW.escalation;
END;
CREATE TRIGGER grants_stay BEFORE DELETE ON grants
BEGIN SELECT RAISE(ABORT, 'grants stay'); END;

-- Requests.

CREATE TRIGGER requests_are_new BEFORE INSERT ON requests
WHEN EXISTS (SELECT 1 FROM requests
    WHERE tenant = NEW.tenant AND requester = NEW.requester AND key = NEW.key)
BEGIN SELECT RAISE(ABORT, 'the key of the request is taken'); END;
CREATE TRIGGER requests_never_change BEFORE UPDATE ON requests
BEGIN SELECT RAISE(ABORT, 'requests never change'); END;
CREATE TRIGGER requests_stay_while_pending BEFORE DELETE ON requests
WHEN EXISTS (SELECT 1 FROM escalations
    WHERE tenant = OLD.tenant AND id = OLD.escalation AND state = 'pending')
BEGIN SELECT RAISE(ABORT, 'a request stays while its escalation is pending'); END;

-- The audit.

CREATE TRIGGER audit_chains BEFORE INSERT ON audit
WHEN NEW.n <> coalesce((SELECT max(n) FROM audit
        WHERE tenant = NEW.tenant AND escalation = NEW.escalation), 0) + 1
    OR NEW.previous <> coalesce((SELECT hash FROM audit
        WHERE tenant = NEW.tenant AND escalation = NEW.escalation ORDER BY n DESC LIMIT 1), zeroblob(32))
BEGIN SELECT RAISE(ABORT, 'a row of the audit follows the last of its chain'); END;
CREATE TRIGGER audit_is_new BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the row of the audit is there already'); END;
CREATE TRIGGER audit_goes_forward AFTER INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE seq > NEW.seq)
    OR NEW.seq <= (SELECT seq FROM checkpoints WHERE tenant = NEW.tenant ORDER BY n DESC LIMIT 1)
BEGIN SELECT RAISE(ABORT, 'a row of the audit comes last in the store'); END;
CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit never changes'); END;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit stays'); END;

CREATE TRIGGER payloads_are_new BEFORE INSERT ON payloads
WHEN NEW.salt IS NULL OR EXISTS (SELECT 1 FROM payloads
    WHERE tenant = NEW.tenant AND escalation = NEW.escalation AND n = NEW.n)
BEGIN SELECT RAISE(ABORT, 'a payload is kept at first, once'); END;
CREATE TRIGGER payloads_are_only_erased BEFORE UPDATE ON payloads
WHEN NOT (NEW.tenant = OLD.tenant AND NEW.escalation = OLD.escalation AND NEW.n = OLD.n
    AND OLD.salt IS NOT NULL AND NEW.salt IS NULL AND EXISTS (SELECT 1 FROM escalations
        WHERE tenant = NEW.tenant AND id = NEW.escalation AND erased > 0))
BEGIN SELECT RAISE(ABORT, 'a payload is only erased, with its escalation'); END;
CREATE TRIGGER payloads_behind_an_erasure AFTER INSERT ON payloads
BEGIN
    UPDATE escalations SET erased = 3
    WHERE tenant = NEW.tenant AND id = NEW.escalation AND erased = 2 AND NOT EXISTS (
        SELECT 1 FROM audit WHERE tenant = NEW.tenant AND escalation = NEW.escalation
            AND n = NEW.n AND kind = 'erased');
END;
CREATE TRIGGER payloads_stay BEFORE DELETE ON payloads
BEGIN SELECT RAISE(ABORT, 'payloads stay'); END;

CREATE TRIGGER checkpoints_follow BEFORE INSERT ON checkpoints
WHEN NEW.n <> coalesce((SELECT max(n) FROM checkpoints WHERE tenant = NEW.tenant), 0) + 1
    OR NEW.previous <> coalesce((SELECT hash FROM checkpoints
        WHERE tenant = NEW.tenant ORDER BY n DESC LIMIT 1), zeroblob(32))
    OR EXISTS (SELECT 1 FROM checkpoints
        WHERE tenant = NEW.tenant AND (seq > NEW.seq OR rows > NEW.rows) AND n = NEW.n - 1)
    OR NEW.seq > coalesce((SELECT max(seq) FROM audit), 0)
BEGIN SELECT RAISE(ABORT, 'a checkpoint follows the last one'); END;
CREATE TRIGGER checkpoints_never_change BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints never change'); END;
CREATE TRIGGER checkpoints_stay BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints stay'); END;

-- The outbox.

CREATE TRIGGER outbox_is_new BEFORE INSERT ON outbox
WHEN NEW.state <> 'waiting' OR NEW.attempts <> 0 OR NEW.attempts_before <> 0
    OR EXISTS (SELECT 1 FROM outbox WHERE tenant = NEW.tenant AND id = NEW.id)
    OR EXISTS (SELECT 1 FROM outbox WHERE seq = NEW.seq)
    OR EXISTS (SELECT 1 FROM outbox WHERE tenant = NEW.tenant AND merge = NEW.merge
        AND merge IS NOT NULL AND state = 'waiting' AND attempts = 0)
BEGIN SELECT RAISE(ABORT, 'a notice waits at first, once'); END;
CREATE TRIGGER outbox_goes_forward BEFORE UPDATE ON outbox
WHEN NEW.seq <> OLD.seq OR NEW.tenant <> OLD.tenant OR NEW.id <> OLD.id
    OR NEW.escalation <> OLD.escalation OR NEW.notice <> OLD.notice
    OR NEW.at <> OLD.at OR NEW.count < OLD.count
    OR (OLD.state = 'waiting' AND (NEW.merge IS NOT OLD.merge OR NEW.attempts < OLD.attempts
        OR NEW.attempts_before <> OLD.attempts_before))
BEGIN SELECT RAISE(ABORT, 'a notice is sent as it is, or given up'); END;
-- Sent again, it merges with no other, and by every channel.
CREATE TRIGGER outbox_is_sent_again BEFORE UPDATE ON outbox
WHEN OLD.state <> 'waiting' AND NOT (NEW.state = 'waiting' AND NEW.attempts = 0 AND NEW.merge IS NULL
    AND NEW.attempts_before = coalesce(
        (SELECT max(seq) FROM attempts WHERE tenant = NEW.tenant AND notice = NEW.id), 0))
BEGIN SELECT RAISE(ABORT, 'a notice that is over is only sent again'); END;
CREATE TRIGGER outbox_stays BEFORE DELETE ON outbox
WHEN NOT EXISTS (SELECT 1 FROM escalations WHERE tenant = OLD.tenant AND id = OLD.escalation
    AND ((state <> 'pending' AND OLD.state <> 'waiting') OR erased > 0))
BEGIN SELECT RAISE(ABORT, 'a notice stays until it is over and its escalation has ended'); END;

-- What a service keeps beside escalations. Attempts to deliver notices are a log: they name people, so that
-- they go with their escalation and by their age, but not while their notice waits, because a retry asks only
-- the channels that did not take it before. An attempt outlives its notice.

CREATE TABLE entries (
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('token', 'session', 'password', 'setup', 'reload', 'untold')),
    key TEXT NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 200),
    owner TEXT NOT NULL CHECK (octet_length(owner) <= 254),
    until INTEGER,
    body TEXT NOT NULL CHECK (octet_length(body) <= 65536),
    PRIMARY KEY (tenant, kind, key)
) STRICT;
CREATE INDEX entries_of_owner ON entries (tenant, kind, owner, key);
CREATE INDEX entries_by_until ON entries (tenant, until) WHERE until IS NOT NULL;

CREATE TABLE attempts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    notice TEXT NOT NULL CHECK (notice <> ''),
    escalation TEXT NOT NULL CHECK (escalation <> ''),
    recipient TEXT NOT NULL CHECK (recipient <> ''),
    channel TEXT NOT NULL CHECK (octet_length(channel) BETWEEN 1 AND 2200),
    at INTEGER NOT NULL,
    took INTEGER NOT NULL CHECK (took >= 0),
    outcome TEXT NOT NULL CHECK (outcome IN ('sent', 'later', 'never')),
    said TEXT NOT NULL CHECK (octet_length(said) <= 1000)
) STRICT;
-- Each is in the order of `seq` behind its columns.
CREATE INDEX attempts_of_escalation ON attempts (tenant, escalation);
CREATE INDEX attempts_of_outcome ON attempts (tenant, outcome);
CREATE INDEX attempts_of_notice ON attempts (tenant, notice);
CREATE INDEX attempts_by_at ON attempts (tenant, at);

CREATE TRIGGER attempts_are_of_a_notice BEFORE INSERT ON attempts
WHEN NOT EXISTS (SELECT 1 FROM outbox
    WHERE tenant = NEW.tenant AND id = NEW.notice AND escalation = NEW.escalation)
BEGIN SELECT RAISE(ABORT, 'an attempt is of a notice that is there'); END;
CREATE TRIGGER attempts_are_new BEFORE INSERT ON attempts
WHEN EXISTS (SELECT 1 FROM attempts WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the attempt is there already'); END;
CREATE TRIGGER attempts_never_change BEFORE UPDATE ON attempts
BEGIN SELECT RAISE(ABORT, 'attempts never change'); END;
CREATE TRIGGER attempts_stay_while_their_notice_waits BEFORE DELETE ON attempts
WHEN EXISTS (SELECT 1 FROM outbox
    WHERE tenant = OLD.tenant AND id = OLD.notice AND state = 'waiting')
BEGIN SELECT RAISE(ABORT, 'an attempt stays while its notice waits'); END;
