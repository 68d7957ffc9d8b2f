-- Laneway's escalations, first schema: what a store keeps, and what it refuses to keep.
--
-- Instants are whole microseconds since 1970 in universal time, spans milliseconds, JSON is text.
-- Each rule of the lifecycle that could be broken by a row is said here again, so that neither a
-- mistake in the program nor a statement typed by hand can break it. Names of triggers say the rule.
-- Whoever may switch off triggers may break everything; that is what the audit chain is for.

-- Kinds of values, each with what it may be. A domain's rule is read once for each connection; that of a
-- column or a table would be read anew by each statement that writes, which is why triggers say what
-- columns together may be.
CREATE DOMAIN yes_or_no AS BIGINT CHECK (VALUE IN (0, 1));
CREATE DOMAIN whole AS BIGINT CHECK (VALUE >= 0);
CREATE DOMAIN positive AS BIGINT CHECK (VALUE >= 1);
CREATE DOMAIN erasure AS BIGINT CHECK (VALUE IN (0, 1, 2, 3));
CREATE DOMAIN digest AS BYTEA CHECK (octet_length(VALUE) = 32);
CREATE DOMAIN salt AS BYTEA CHECK (octet_length(VALUE) = 16);
CREATE DOMAIN escalation_state AS TEXT
  CHECK (VALUE IN ('pending', 'approved', 'amended', 'denied', 'timed_out', 'cancelled'));
CREATE DOMAIN sign_off_state AS TEXT
  CHECK (VALUE IN ('waiting', 'satisfied', 'auto_allowed', 'denied', 'timed_out', 'moot'));
CREATE DOMAIN vote_kind AS TEXT CHECK (VALUE IN ('approve', 'deny', 'withdraw', 'void'));
CREATE DOMAIN outcome AS TEXT
  CHECK (VALUE IN ('approved', 'amended', 'denied', 'timed_out', 'cancelled'));
CREATE DOMAIN end_how AS TEXT CHECK (VALUE IN ('deny', 'expire'));
CREATE DOMAIN grant_state AS TEXT CHECK (VALUE IN ('live', 'consumed', 'lapsed', 'revoked'));
CREATE DOMAIN notice_state AS TEXT CHECK (VALUE IN ('waiting', 'sent', 'failed'));

CREATE FUNCTION laneway_refuse(rule TEXT) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = rule;
END $$;

CREATE FUNCTION laneway_escalation_fits(state TEXT, opened BIGINT, cap BIGINT, last BIGINT, due BIGINT,
    ended BIGINT, erased BIGINT) RETURNS BOOLEAN IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
  IF (state = 'pending') <> (ended IS NULL) THEN
    PERFORM laneway_refuse('ended is when it left pending');
  END IF;
  IF state = 'pending' AND due IS NULL THEN
    PERFORM laneway_refuse('pending has a due instant');
  END IF;
  IF state = 'pending' AND due > cap THEN
    PERFORM laneway_refuse('due is within the cap');
  END IF;
  IF opened > cap OR opened > last THEN
    PERFORM laneway_refuse('opened before the cap');
  END IF;
  IF erased <> 0 AND state = 'pending' THEN
    PERFORM laneway_refuse('erased after the end');
  END IF;
  RETURN true;
END $$;

CREATE FUNCTION laneway_sign_off_fits(state TEXT, cap BIGINT, ends_at BIGINT, shift BIGINT, due BIGINT,
    deadline BIGINT, decided BIGINT) RETURNS BOOLEAN IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
  IF (state = 'waiting') <> (due IS NOT NULL) THEN
    PERFORM laneway_refuse('waiting has a due instant');
  END IF;
  IF deadline <> least(ends_at + shift * 1000, cap) THEN
    PERFORM laneway_refuse('a deadline is the last instant of the plan');
  END IF;
  IF due > deadline THEN
    PERFORM laneway_refuse('due by the deadline');
  END IF;
  IF (state = 'waiting') <> (decided IS NULL) THEN
    PERFORM laneway_refuse('decided is when it left waiting');
  END IF;
  RETURN true;
END $$;

CREATE FUNCTION laneway_grant_fits(state TEXT, lapses BIGINT, consume_key TEXT, ended BIGINT)
RETURNS BOOLEAN IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
  IF (state = 'consumed') <> (consume_key IS NOT NULL) THEN
    PERFORM laneway_refuse('consumed has its key');
  END IF;
  IF (state = 'live') <> (ended IS NULL) THEN
    PERFORM laneway_refuse('live has not ended');
  END IF;
  IF state = 'consumed' AND ended >= lapses THEN
    PERFORM laneway_refuse('consumed before it lapsed');
  END IF;
  IF state = 'lapsed' AND ended < lapses THEN
    PERFORM laneway_refuse('lapsed after its time');
  END IF;
  RETURN true;
END $$;

CREATE TABLE matrices (
  tenant TEXT NOT NULL,
  digest TEXT NOT NULL,
  source TEXT NOT NULL,
  PRIMARY KEY (tenant, digest)
);

CREATE TABLE escalations (
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  -- What never changes.
  opened BIGINT NOT NULL,
  cap BIGINT NOT NULL,
  requester TEXT NOT NULL,
  key TEXT NOT NULL,
  digest0 TEXT NOT NULL,
  matrix TEXT NOT NULL,
  lane TEXT NOT NULL,
  urgency TEXT NOT NULL,
  flood TEXT NOT NULL,
  group_key TEXT,
  asks yes_or_no NOT NULL,
  readable0 yes_or_no NOT NULL,
  -- What does.
  round positive NOT NULL,
  digest TEXT NOT NULL,
  readable yes_or_no NOT NULL,
  state escalation_state NOT NULL,
  last BIGINT NOT NULL,
  due BIGINT,
  respond_by BIGINT,
  ended BIGINT,
  joined whole NOT NULL,
  first_viewed BIGINT,
  released BIGINT,
  undelivered whole NOT NULL,
  late_votes whole NOT NULL,
  -- 0 at first, 1 while names become numbers, 2 from then on, and 3 while something was written behind the
  -- erasure that is to be erased as well. A number is `erased-` and digits; a person may be called so,
  -- which is why only the 1 tells when a name may change.
  erased erasure NOT NULL DEFAULT 0,
  -- All that never changes, as JSON; the columns above repeat what queries and triggers need.
  pinned TEXT NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX one_pending_escalation_of_a_group ON escalations (tenant, group_key)
  WHERE state = 'pending' AND group_key IS NOT NULL;
CREATE INDEX escalations_by_due ON escalations (tenant, due, id) WHERE due IS NOT NULL;
CREATE INDEX escalations_by_opened ON escalations (tenant, opened, id);
CREATE INDEX escalations_by_state ON escalations (tenant, state, opened, id);
CREATE INDEX escalations_by_lane ON escalations (tenant, lane, opened, id);
CREATE INDEX escalations_ended_by_opened ON escalations (tenant, opened, id) WHERE state <> 'pending';
-- Of these and the ones of teams and people none is partial, and none begins with the tenant: where the
-- statistics say that little is pending, the planner would read all of it to find one escalation.
CREATE INDEX escalations_of_requester ON escalations (requester, state, tenant, opened, id);
CREATE INDEX escalations_of_lane ON escalations (lane, state, tenant, opened, id);
CREATE INDEX escalations_of_urgency ON escalations (urgency, state, tenant, opened, id);
CREATE INDEX escalations_by_flood ON escalations (tenant, flood) WHERE state = 'pending';
CREATE INDEX escalations_by_ended ON escalations (tenant, ended, id)
  WHERE ended IS NOT NULL AND due IS NULL AND erased IN (0, 3);

-- Sign-offs, seats, votes, resolutions, grants, requests and rows of the audit are of an escalation by triggers,
-- most of which look at it anyway: rows are never deleted and keys never change, so that nothing need be locked for it.
CREATE TABLE sign_offs (
  tenant TEXT NOT NULL,
  escalation TEXT NOT NULL,
  n whole NOT NULL,
  lane TEXT NOT NULL,
  -- That of its escalation, and the instant of the last step of the plan.
  cap BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  plan TEXT NOT NULL,
  state sign_off_state NOT NULL,
  team TEXT NOT NULL,
  quorum positive NOT NULL,
  next whole NOT NULL,
  hurried whole NOT NULL,
  shift whole NOT NULL,
  due BIGINT,
  deadline BIGINT NOT NULL,
  allows yes_or_no NOT NULL,
  decided BIGINT,
  -- The round in which it came to its state. A trigger keeps it, whatever is written.
  round BIGINT NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant, escalation, n)
);
CREATE INDEX sign_offs_of_team ON sign_offs (team, state, tenant, escalation);

CREATE TABLE seats (
  tenant TEXT NOT NULL,
  escalation TEXT NOT NULL,
  sign_off BIGINT NOT NULL,
  n whole NOT NULL,
  person TEXT NOT NULL,
  via TEXT,
  for_whom TEXT,
  since BIGINT NOT NULL,
  until BIGINT,
  PRIMARY KEY (tenant, escalation, sign_off, n)
);
-- With its end, so that the seats of a person are counted in the index alone.
CREATE INDEX seats_of_person ON seats (person, tenant, escalation, sign_off) INCLUDE (until);

CREATE TABLE votes (
  tenant TEXT NOT NULL,
  escalation TEXT NOT NULL,
  n whole NOT NULL,
  round BIGINT NOT NULL,
  person TEXT NOT NULL,
  kind vote_kind NOT NULL,
  at BIGINT NOT NULL,
  digest TEXT NOT NULL,
  operator TEXT,
  PRIMARY KEY (tenant, escalation, n),
  CONSTRAINT one_vote_of_a_kind UNIQUE (tenant, escalation, round, person, kind)
);

CREATE TABLE resolutions (
  tenant TEXT NOT NULL,
  escalation TEXT NOT NULL,
  outcome outcome NOT NULL,
  end_how end_how,
  at BIGINT NOT NULL,
  cause TEXT NOT NULL,
  by_silence yes_or_no NOT NULL,
  CONSTRAINT one_resolution PRIMARY KEY (tenant, escalation)
);

CREATE TABLE grants (
  tenant TEXT NOT NULL,
  escalation TEXT NOT NULL,
  state grant_state NOT NULL,
  digest TEXT NOT NULL,
  lapses BIGINT NOT NULL,
  consume_key TEXT,
  ended BIGINT,
  PRIMARY KEY (tenant, escalation)
);

CREATE TABLE requests (
  tenant TEXT NOT NULL,
  requester TEXT NOT NULL,
  key TEXT NOT NULL,
  digest TEXT NOT NULL,
  escalation TEXT NOT NULL,
  joined yes_or_no NOT NULL,
  at BIGINT NOT NULL,
  CONSTRAINT one_request_of_a_key PRIMARY KEY (tenant, requester, key)
);
CREATE INDEX requests_by_at ON requests (tenant, at);

CREATE SEQUENCE audit_seq CACHE 1 NO CYCLE;
CREATE TABLE audit (
  tenant TEXT NOT NULL,
  escalation TEXT NOT NULL,
  n positive NOT NULL,
  seq BIGINT NOT NULL DEFAULT 0,
  at BIGINT NOT NULL,
  kind TEXT NOT NULL,
  payload digest NOT NULL,
  previous digest NOT NULL,
  hash digest NOT NULL,
  PRIMARY KEY (tenant, escalation, n),
  CONSTRAINT one_place_in_the_store UNIQUE (seq)
);

CREATE TABLE payloads (
  tenant TEXT NOT NULL,
  escalation TEXT NOT NULL,
  n BIGINT NOT NULL,
  salt salt,
  body TEXT,
  erased_at BIGINT,
  erased_by TEXT,
  erased_why TEXT,
  -- Of which row of the audit, a trigger says: rows are never deleted, so that nothing need be locked.
  PRIMARY KEY (tenant, escalation, n)
);

CREATE SEQUENCE outbox_seq CACHE 1 NO CYCLE;
CREATE TABLE outbox (
  tenant TEXT NOT NULL,
  -- By bytes, so that all of a step lie between two ids.
  id TEXT COLLATE "C" NOT NULL,
  seq BIGINT NOT NULL DEFAULT 0,
  escalation TEXT NOT NULL,
  notice TEXT NOT NULL,
  merge TEXT,
  at BIGINT NOT NULL,
  state notice_state NOT NULL,
  count positive NOT NULL,
  attempts whole NOT NULL,
  not_before BIGINT NOT NULL,
  problem TEXT,
  -- The last attempt before it was sent again.
  attempts_before BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX outbox_waiting ON outbox (tenant, not_before, seq) WHERE state = 'waiting';
CREATE INDEX outbox_failed ON outbox (tenant, seq) WHERE state = 'failed';
CREATE INDEX outbox_of_escalation ON outbox (tenant, escalation);
-- What is over, to be dropped.
CREATE INDEX outbox_over ON outbox (tenant, at) WHERE state <> 'waiting';
-- One that was taken already is not counted up any more: what is being sent has its count.
CREATE UNIQUE INDEX one_waiting_notice_of_a_merge ON outbox (tenant, merge)
  WHERE merge IS NOT NULL AND state = 'waiting' AND attempts = 0;

CREATE TABLE checkpoints (
  tenant TEXT NOT NULL,
  n positive NOT NULL,
  seq BIGINT NOT NULL,
  rows BIGINT NOT NULL,
  chains BIGINT NOT NULL,
  root digest NOT NULL,
  previous digest NOT NULL,
  hash digest NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (tenant, n)
);

CREATE TABLE settings (
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (tenant, name)
);

-- Helpers.

-- For triggers whose whole work is to refuse. The argument is the rule.
CREATE FUNCTION laneway_refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = TG_ARGV[0];
END $$;

-- Every transaction that writes begins with it, by itself or in the first function it calls. A migration waits for those that have begun, and
-- those that begin later see its version.
CREATE FUNCTION laneway_guard(version BIGINT) RETURNS void LANGUAGE plpgsql AS $$
DECLARE newest BIGINT;
BEGIN
  -- The lock is an expression and no query, which would cost more. It comes with nothing.
  IF pg_advisory_xact_lock_shared(1818324583, 1) IS NOT NULL THEN
    SELECT max(n) INTO newest FROM migrations;
  END IF;
  IF newest IS DISTINCT FROM version THEN
    RAISE EXCEPTION USING ERRCODE = 'LW001', MESSAGE = format(
      'the schema has version %s, and this program writes version %s', newest, version);
  END IF;
END $$;

-- For how many people the approvals of the current round count in a sign-off: each person once, a
-- delegate and who delegated together once.
CREATE FUNCTION laneway_counted(t TEXT, e TEXT, s BIGINT, r BIGINT, d TEXT, deadline BIGINT)
RETURNS BIGINT LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT count(DISTINCT who) FROM (
    SELECT DISTINCT ON (v.person) coalesce(s2.for_whom, s2.person) AS who
    FROM votes v
    JOIN seats s2 ON s2.tenant = t AND s2.escalation = e AND s2.sign_off = s
      AND s2.person = v.person AND s2.until IS NULL
    WHERE v.tenant = t AND v.escalation = e AND v.round = r AND v.kind = 'approve'
      AND v.digest = d AND v.at < deadline
      AND NOT EXISTS (
        SELECT 1 FROM votes w WHERE w.tenant = t AND w.escalation = e AND w.round = r
          AND w.person = v.person AND w.kind IN ('withdraw', 'void'))
    ORDER BY v.person, (s2.for_whom IS NOT NULL), s2.n
  ) AS counted);
END $$;

-- What nothing may remove or change.

DO $$
DECLARE name TEXT;
BEGIN
  FOREACH name IN ARRAY ARRAY['matrices', 'escalations', 'sign_offs', 'seats', 'votes',
    'resolutions', 'grants', 'audit', 'payloads', 'checkpoints', 'settings', 'migrations'] LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE DELETE ON %I FOR EACH ROW
      EXECUTE FUNCTION laneway_refused(%L)', name || '_are_never_deleted', name,
      name || ' are never deleted');
  END LOOP;
  FOREACH name IN ARRAY ARRAY['matrices', 'escalations', 'sign_offs', 'seats', 'votes',
    'resolutions', 'grants', 'audit', 'payloads', 'checkpoints', 'settings', 'requests', 'outbox',
    'migrations'] LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT
      EXECUTE FUNCTION laneway_refused(%L)', name || '_are_never_truncated', name,
      name || ' are never truncated');
  END LOOP;
  FOREACH name IN ARRAY ARRAY['matrices', 'audit', 'checkpoints', 'requests', 'migrations'] LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %I FOR EACH ROW
      EXECUTE FUNCTION laneway_refused(%L)', name || '_never_change', name,
      name || ' never change');
  END LOOP;
END $$;

CREATE FUNCTION laneway_migrations_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.n <> (SELECT coalesce(max(n), 0) + 1 FROM migrations) THEN
    PERFORM laneway_refuse('migrations go forward, one after the other');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER migrations_go_forward BEFORE INSERT ON migrations FOR EACH ROW
  EXECUTE FUNCTION laneway_migrations_insert();

-- A foreign key would ask the same by a query of its own, behind the statement and with a lock, at three times the
-- cost.
CREATE FUNCTION laneway_requests_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM escalations WHERE tenant = NEW.tenant AND id = NEW.escalation) THEN
    PERFORM laneway_refuse('a request is of an escalation');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER requests_are_of_an_escalation BEFORE INSERT ON requests FOR EACH ROW
  EXECUTE FUNCTION laneway_requests_insert();

CREATE FUNCTION laneway_requests_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM escalations WHERE tenant = OLD.tenant AND id = OLD.escalation
      AND state = 'pending') THEN
    PERFORM laneway_refuse('the request of a pending escalation is never deleted');
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER requests_outlive_what_is_pending BEFORE DELETE ON requests FOR EACH ROW
  EXECUTE FUNCTION laneway_requests_delete();

-- What stands for a name that was erased.
CREATE FUNCTION laneway_is_number(name TEXT) RETURNS BOOLEAN LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(name ~ '^erased-[0-9]+$', false)
$$;

-- Whether names of an escalation become numbers now.
CREATE FUNCTION laneway_is_being_erased(t TEXT, e TEXT) RETURNS BOOLEAN LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM escalations WHERE tenant = t AND id = e AND erased = 1)
$$;

-- The state of an escalation.

CREATE FUNCTION laneway_escalations_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE p JSONB := NEW.pinned::jsonb;
BEGIN
  IF (p ->> 'id', p ->> 'opened', p ->> 'cap', p ->> 'requester', p ->> 'key', p ->> 'digest',
      p ->> 'matrix', p ->> 'lane', p ->> 'urgency', p ->> 'flood', p ->> 'group',
      (p ->> 'asks')::boolean::int, (p ->> 'is_readable')::boolean::int)
      IS DISTINCT FROM (NEW.id, NEW.opened::text, NEW.cap::text, NEW.requester, NEW.key,
        NEW.digest0, NEW.matrix, NEW.lane, NEW.urgency, NEW.flood, NEW.group_key,
        NEW.asks::int, NEW.readable0::int)
      OR jsonb_typeof(p -> 'excluded') IS DISTINCT FROM 'array'
      OR NOT p -> 'excluded' ? NEW.requester THEN
    PERFORM laneway_refuse('the columns of an escalation say what it pins');
  END IF;
  -- Not by a foreign key: matrices are never deleted, and all who open would lock the one row.
  IF NOT EXISTS (SELECT 1 FROM matrices WHERE tenant = NEW.tenant AND digest = NEW.matrix) THEN
    PERFORM laneway_refuse('an escalation is by a matrix that is kept');
  END IF;
  IF NOT laneway_escalation_fits(NEW.state, NEW.opened, NEW.cap, NEW.last, NEW.due, NEW.ended,
      NEW.erased) THEN
    PERFORM laneway_refuse('an escalation fits together');
  END IF;
  IF NEW.state <> 'pending' THEN
    PERFORM laneway_refuse('an escalation opens pending, and ends by its resolution');
  END IF;
  IF NEW.round <> 1 OR NEW.digest <> NEW.digest0 OR NEW.readable <> NEW.readable0
      OR NEW.last <> NEW.opened OR NEW.joined <> 0 OR NEW.released IS NOT NULL OR NEW.erased <> 0
  THEN
    PERFORM laneway_refuse('an escalation opens in its first round, for what was asked');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER escalations_open_pending BEFORE INSERT ON escalations FOR EACH ROW
  EXECUTE FUNCTION laneway_escalations_insert();

CREATE FUNCTION laneway_escalations_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE ending RECORD;
BEGIN
  IF (NEW.tenant, NEW.id, NEW.opened, NEW.cap, NEW.requester, NEW.key, NEW.digest0, NEW.matrix,
      NEW.lane, NEW.urgency, NEW.flood, NEW.group_key, NEW.asks, NEW.readable0, NEW.pinned)
    IS DISTINCT FROM
     (OLD.tenant, OLD.id, OLD.opened, OLD.cap, OLD.requester, OLD.key, OLD.digest0, OLD.matrix,
      OLD.lane, OLD.urgency, OLD.flood, OLD.group_key, OLD.asks, OLD.readable0, OLD.pinned) THEN
    PERFORM laneway_refuse('what an escalation pins never changes');
  END IF;
  IF NOT laneway_escalation_fits(NEW.state, NEW.opened, NEW.cap, NEW.last, NEW.due, NEW.ended,
      NEW.erased) THEN
    PERFORM laneway_refuse('an escalation fits together');
  END IF;
  IF NEW.last < OLD.last THEN
    PERFORM laneway_refuse('the time of an escalation never goes back');
  END IF;
  IF NEW.round < OLD.round OR NEW.joined < OLD.joined OR NEW.late_votes < OLD.late_votes
      OR NEW.undelivered < OLD.undelivered THEN
    PERFORM laneway_refuse('what an escalation counts never goes back');
  END IF;
  IF NEW.round = OLD.round
      AND (NEW.digest <> OLD.digest OR NEW.readable <> OLD.readable) THEN
    PERFORM laneway_refuse('what is voted on changes only with a new round');
  END IF;
  IF NEW.round <> OLD.round AND (NEW.round <> OLD.round + 1 OR NEW.digest = OLD.digest
      OR NEW.readable <> 1) THEN
    PERFORM laneway_refuse('a new round is about another input, which can be read');
  END IF;
  IF OLD.first_viewed IS NOT NULL AND NEW.first_viewed IS DISTINCT FROM OLD.first_viewed THEN
    PERFORM laneway_refuse('it is seen for the first time once');
  END IF;
  IF NEW.released IS DISTINCT FROM OLD.released
      AND (OLD.released IS NOT NULL OR NEW.asks = 1 OR NEW.state NOT IN ('denied', 'timed_out')) THEN
    PERFORM laneway_refuse('only what a denial keeps is released, and once');
  END IF;
  IF NEW.erased <> OLD.erased
      AND NOT (NEW.erased = OLD.erased + 1 OR (OLD.erased = 3 AND NEW.erased = 2)) THEN
    PERFORM laneway_refuse('what is erased is so for ever');
  END IF;
  IF NEW.erased <> OLD.erased THEN
    IF EXISTS (SELECT 1 FROM grants WHERE tenant = NEW.tenant AND escalation = NEW.id
        AND state = 'live') THEN
      PERFORM laneway_refuse('nothing is erased under a live grant');
    END IF;
  END IF;
  IF OLD.state <> 'pending' THEN
    IF (NEW.state, NEW.round, NEW.ended, NEW.joined, NEW.respond_by, NEW.first_viewed)
      IS DISTINCT FROM
        (OLD.state, OLD.round, OLD.ended, OLD.joined, OLD.respond_by, OLD.first_viewed) THEN
      PERFORM laneway_refuse('an end is never left');
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.state = 'pending' THEN
    IF EXISTS (SELECT 1 FROM resolutions WHERE tenant = NEW.tenant AND escalation = NEW.id) THEN
      PERFORM laneway_refuse('what is resolved is not pending');
    END IF;
    RETURN NEW;
  END IF;
  -- One query: each costs more than what it reads. Sign-offs and resolutions are written by who has locked this row.
  SELECT r.outcome, r.at, o.* INTO ending FROM resolutions r
    CROSS JOIN LATERAL (SELECT count(*) AS total, count(*) FILTER (WHERE s.state = 'waiting') AS waiting,
        count(*) FILTER (WHERE s.state = 'timed_out') AS timed_out,
        count(*) FILTER (WHERE s.state IN ('satisfied', 'auto_allowed') AND s.round = NEW.round) AS good
      FROM sign_offs s WHERE s.tenant = NEW.tenant AND s.escalation = NEW.id) o
    WHERE r.tenant = NEW.tenant AND r.escalation = NEW.id;
  IF NOT FOUND OR ending.outcome <> NEW.state OR ending.at <> NEW.ended THEN
    PERFORM laneway_refuse('an escalation ends only by its resolution');
  END IF;
  IF ending.waiting > 0 THEN
    PERFORM laneway_refuse('no sign-off waits behind the end');
  END IF;
  IF NEW.state = 'timed_out' AND ending.timed_out = 0 THEN
    PERFORM laneway_refuse('timed out is what has a sign-off that did');
  END IF;
  IF NEW.state IN ('approved', 'amended') THEN
    IF NEW.readable <> 1 THEN
      PERFORM laneway_refuse('what cannot be read is never approved');
    END IF;
    IF ending.total = 0 OR ending.good <> ending.total THEN
      PERFORM laneway_refuse('approved only by every sign-off');
    END IF;
    IF (NEW.state = 'amended') <> (NEW.digest <> NEW.digest0) THEN
      PERFORM laneway_refuse('amended is what ends approved with a changed input');
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER escalations_end_once_by_their_resolution BEFORE UPDATE ON escalations FOR EACH ROW
  EXECUTE FUNCTION laneway_escalations_update();

CREATE FUNCTION laneway_resolutions_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE e RECORD; silent BOOLEAN;
BEGIN
  SELECT state, last INTO e FROM escalations
    WHERE tenant = NEW.tenant AND id = NEW.escalation FOR NO KEY UPDATE;
  IF e.state IS DISTINCT FROM 'pending' THEN
    PERFORM laneway_refuse('an escalation is resolved once');
  END IF;
  IF NEW.at < e.last THEN
    PERFORM laneway_refuse('an end does not lie in the past');
  END IF;
  IF (NEW.outcome = 'timed_out') <> (NEW.end_how IS NOT NULL) THEN
    PERFORM laneway_refuse('a time-out says how it ends');
  END IF;
  SELECT coalesce(bool_and(state = 'auto_allowed'), false) INTO silent FROM sign_offs
    WHERE tenant = NEW.tenant AND escalation = NEW.escalation;
  IF (NEW.by_silence = 1) <> (silent AND NEW.outcome IN ('approved', 'amended')) THEN
    PERFORM laneway_refuse('what silence alone approved is called so');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER resolutions_of_what_is_pending BEFORE INSERT ON resolutions FOR EACH ROW
  EXECUTE FUNCTION laneway_resolutions_insert();

CREATE FUNCTION laneway_resolutions_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.tenant, NEW.escalation, NEW.outcome, NEW.end_how, NEW.at, NEW.by_silence)
      IS DISTINCT FROM
        (OLD.tenant, OLD.escalation, OLD.outcome, OLD.end_how, OLD.at, OLD.by_silence)
      OR jsonb_typeof(NEW.cause::jsonb) <> 'object' OR jsonb_typeof(OLD.cause::jsonb) <> 'object'
      OR NOT EXISTS (SELECT 1 FROM jsonb_each_text(NEW.cause::jsonb) AS becomes
        JOIN jsonb_each_text(OLD.cause::jsonb) AS was USING (key)
        WHERE key IN ('vote', 'cancelled') AND laneway_is_number(becomes.value))
      OR NOT laneway_is_being_erased(NEW.tenant, NEW.escalation) THEN
    PERFORM laneway_refuse('resolutions never change, but for a name that is erased');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER resolutions_never_change BEFORE UPDATE ON resolutions FOR EACH ROW
  EXECUTE FUNCTION laneway_resolutions_update();

CREATE FUNCTION laneway_resolutions_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM escalations WHERE tenant = NEW.tenant AND id = NEW.escalation
      AND state = NEW.outcome) THEN
    PERFORM laneway_refuse('what is resolved has ended so');
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER resolutions_are_the_states_of_escalations
  AFTER INSERT ON resolutions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION laneway_resolutions_commit();

-- Sign-offs.

CREATE FUNCTION laneway_sign_offs_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE e RECORD; plan JSONB := NEW.plan::jsonb; ending JSONB := plan -> 'steps' -> -1;
BEGIN
  SELECT state, cap, due, round, readable0 INTO e FROM escalations
    WHERE tenant = NEW.tenant AND id = NEW.escalation FOR NO KEY UPDATE;
  IF e.state IS DISTINCT FROM 'pending' THEN
    PERFORM laneway_refuse('nothing is demanded behind the end');
  END IF;
  -- What is due is the first of what its sign-offs wait for: it is looked at when all of an opening is written,
  -- and none that comes later is earlier. In a later round it is looked at for each.
  IF e.round = 1 AND NEW.due < e.due THEN
    PERFORM laneway_refuse('what is due follows from sign-offs and grant');
  END IF;
  IF NEW.state <> 'waiting' OR NEW.next <> 0 OR NEW.hurried <> 0 OR NEW.shift <> 0 THEN
    PERFORM laneway_refuse('a sign-off begins to wait');
  END IF;
  IF NOT laneway_sign_off_fits(NEW.state, NEW.cap, NEW.ends_at, NEW.shift, NEW.due, NEW.deadline,
      NEW.decided) THEN
    PERFORM laneway_refuse('a sign-off fits together');
  END IF;
  IF e.round > 1 AND e.readable0 = 1 THEN
    PERFORM laneway_refuse('only what could not be read gets further sign-offs');
  END IF;
  -- The key has each number once: none is left out if the one before it is there.
  IF NEW.n > 0 THEN
    IF NOT EXISTS (SELECT 1 FROM sign_offs
        WHERE tenant = NEW.tenant AND escalation = NEW.escalation AND n = NEW.n - 1) THEN
      PERFORM laneway_refuse('sign-offs are numbered');
    END IF;
  END IF;
  IF (ending ->> 'at')::bigint IS DISTINCT FROM NEW.ends_at OR NEW.cap <> e.cap THEN
    PERFORM laneway_refuse('a deadline is the last instant of its plan, within the cap');
  END IF;
  IF (NEW.allows = 1) <> (coalesce(jsonb_typeof(ending -> 'does') = 'object'
      AND ending -> 'does' ? 'allow', false) AND NOT (plan ->> 'unsure')::boolean) THEN
    PERFORM laneway_refuse('a plan allows by silence only if its last step does');
  END IF;
  IF (plan ->> 'lane', plan ->> 'team', plan ->> 'quorum')
      IS DISTINCT FROM (NEW.lane, NEW.team, NEW.quorum::text)
      OR NEW.due <> least(e.cap, (plan -> 'steps' -> 0 ->> 'at')::bigint) THEN
    PERFORM laneway_refuse('a sign-off is that of its plan');
  END IF;
  NEW.round := e.round;
  RETURN NEW;
END $$;
CREATE TRIGGER sign_offs_begin_to_wait_with_a_deadline BEFORE INSERT ON sign_offs FOR EACH ROW
  EXECUTE FUNCTION laneway_sign_offs_insert();

CREATE FUNCTION laneway_sign_offs_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE e RECORD;
BEGIN
  IF (NEW.tenant, NEW.escalation, NEW.n, NEW.lane, NEW.allows, NEW.cap, NEW.ends_at)
    IS DISTINCT FROM
      (OLD.tenant, OLD.escalation, OLD.n, OLD.lane, OLD.allows, OLD.cap, OLD.ends_at) THEN
    PERFORM laneway_refuse('the terms of a sign-off never change');
  END IF;
  IF NOT laneway_sign_off_fits(NEW.state, NEW.cap, NEW.ends_at, NEW.shift, NEW.due, NEW.deadline,
      NEW.decided) THEN
    PERFORM laneway_refuse('a sign-off fits together');
  END IF;
  IF NEW.plan <> OLD.plan THEN
    IF NOT laneway_is_being_erased(NEW.tenant, NEW.escalation)
        OR NEW.plan::jsonb - 'rosters' <> OLD.plan::jsonb - 'rosters'
        OR (SELECT count(*) FROM jsonb_path_query(NEW.plan::jsonb, '$.rosters.*.*[*].person'))
          <> (SELECT count(*) FROM jsonb_path_query(OLD.plan::jsonb, '$.rosters.*.*[*].person'))
        OR EXISTS (SELECT 1
          FROM jsonb_path_query(NEW.plan::jsonb, '$.rosters.*.*[*].person') AS person
          WHERE NOT laneway_is_number(person #>> '{}')) THEN
      PERFORM laneway_refuse('the plan of a sign-off never changes, but for the names that are erased');
    END IF;
  END IF;
  SELECT state, cap, round, last, digest, readable INTO e FROM escalations
    WHERE tenant = NEW.tenant AND id = NEW.escalation FOR NO KEY UPDATE;
  IF NEW.deadline < OLD.deadline THEN
    PERFORM laneway_refuse('a deadline never moves earlier');
  END IF;
  IF NEW.next < OLD.next OR NEW.hurried < OLD.hurried OR NEW.shift < OLD.shift THEN
    PERFORM laneway_refuse('the steps of a sign-off never go back');
  END IF;
  IF NEW.shift <> OLD.shift AND NEW.next = OLD.next THEN
    PERFORM laneway_refuse('a deadline moves only with a step');
  END IF;
  IF NEW.due IS NOT NULL AND (NEW.due <> OLD.due OR NEW.next <> OLD.next OR NEW.shift <> OLD.shift
      OR OLD.due IS NULL)
      AND NEW.due IS DISTINCT FROM least(e.cap, (NEW.plan::jsonb -> 'steps' -> NEW.next::int
        ->> 'at')::bigint + NEW.shift * 1000) THEN
    PERFORM laneway_refuse('what is due follows from the plan');
  END IF;
  IF NEW.quorum < OLD.quorum THEN
    IF (NEW.next = OLD.next AND NEW.hurried = OLD.hurried)
        OR NEW.quorum < (SELECT min((roster.value ->> 'quorum')::bigint)
          FROM jsonb_each(NEW.plan::jsonb -> 'rosters') AS roster) THEN
      PERFORM laneway_refuse('a quorum shrinks only with a step, to that of a team of the plan');
    END IF;
  END IF;
  IF NEW.state = OLD.state THEN
    IF NEW.round <> OLD.round THEN
      PERFORM laneway_refuse('the round of a sign-off is that of its state');
    END IF;
    IF OLD.state <> 'waiting'
        AND (NEW.team, NEW.quorum, NEW.next, NEW.hurried, NEW.shift, NEW.deadline, NEW.decided)
          IS DISTINCT FROM
            (OLD.team, OLD.quorum, OLD.next, OLD.hurried, OLD.shift, OLD.deadline, OLD.decided) THEN
      PERFORM laneway_refuse('a decided sign-off never changes');
    END IF;
    RETURN NEW;
  END IF;
  IF e.state <> 'pending' THEN
    PERFORM laneway_refuse('a sign-off is decided before the end');
  END IF;
  IF OLD.state <> 'waiting' AND (NEW.state <> 'waiting' OR e.round <= OLD.round) THEN
    PERFORM laneway_refuse('a decided sign-off waits again only in a new round');
  END IF;
  IF NEW.state = 'satisfied' AND (e.readable <> 1 OR NEW.quorum > laneway_counted(
      NEW.tenant, NEW.escalation, NEW.n, e.round, e.digest, NEW.deadline)) THEN
    PERFORM laneway_refuse('a sign-off is satisfied only by its quorum, in time');
  END IF;
  IF NEW.state = 'auto_allowed'
      AND (NEW.allows <> 1 OR e.readable <> 1 OR e.last < NEW.deadline) THEN
    PERFORM laneway_refuse('silence allows only where the plan does, and after its time');
  END IF;
  IF NEW.state = 'timed_out' AND e.last < NEW.deadline THEN
    PERFORM laneway_refuse('a sign-off times out at its final instant');
  END IF;
  NEW.round := e.round;
  RETURN NEW;
END $$;
CREATE TRIGGER sign_offs_are_decided_by_their_terms BEFORE UPDATE ON sign_offs FOR EACH ROW
  EXECUTE FUNCTION laneway_sign_offs_update();

-- What is due follows from sign-offs and grant: looked at when all of a transaction is written.

CREATE FUNCTION laneway_due_commit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE its TEXT;
BEGIN
  IF TG_TABLE_NAME = 'escalations' THEN
    its := NEW.id;
  ELSE
    its := NEW.escalation;
  END IF;
  -- One query: each costs more than what it reads.
  IF EXISTS (SELECT 1 FROM escalations e WHERE e.tenant = NEW.tenant AND e.id = its
      AND e.due IS DISTINCT FROM CASE
        WHEN e.state = 'pending' THEN coalesce((SELECT min(s.due) FROM sign_offs s
          WHERE s.tenant = e.tenant AND s.escalation = e.id AND s.state = 'waiting'), e.cap)
        ELSE (SELECT g.lapses FROM grants g
          WHERE g.tenant = e.tenant AND g.escalation = e.id AND g.state = 'live') END) THEN
    PERFORM laneway_refuse('what is due follows from sign-offs and grant');
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER due_follows_from_sign_offs_and_grant
  AFTER INSERT ON escalations DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION laneway_due_commit();
CREATE CONSTRAINT TRIGGER due_follows_still_from_sign_offs_and_grant
  AFTER UPDATE OF due, state ON escalations DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.due IS DISTINCT FROM OLD.due OR NEW.state <> OLD.state)
  EXECUTE FUNCTION laneway_due_commit();
CREATE CONSTRAINT TRIGGER due_follows_from_sign_offs
  AFTER INSERT ON sign_offs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.round > 1)
  EXECUTE FUNCTION laneway_due_commit();
CREATE CONSTRAINT TRIGGER due_follows_still_from_sign_offs
  AFTER UPDATE OF due, state ON sign_offs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.due IS DISTINCT FROM OLD.due OR NEW.state <> OLD.state)
  EXECUTE FUNCTION laneway_due_commit();
-- A grant begins while its escalation is pending, which ends in the same transaction.
CREATE CONSTRAINT TRIGGER due_follows_from_grants
  AFTER UPDATE OF state ON grants DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION laneway_due_commit();

-- Seats and votes.

CREATE FUNCTION laneway_seats_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE e RECORD;
BEGIN
  SELECT state, pinned INTO e FROM escalations
    WHERE tenant = NEW.tenant AND id = NEW.escalation FOR NO KEY UPDATE;
  IF e.state IS DISTINCT FROM 'pending' THEN
    PERFORM laneway_refuse('nobody is asked behind the end');
  END IF;
  IF e.pinned::jsonb -> 'excluded' ?| ARRAY[NEW.person, NEW.for_whom] THEN
    PERFORM laneway_refuse('who asked has no seat');
  END IF;
  IF NOT EXISTS (SELECT 1 FROM sign_offs WHERE tenant = NEW.tenant
      AND escalation = NEW.escalation AND n = NEW.sign_off AND state = 'waiting') THEN
    PERFORM laneway_refuse('a seat is of a sign-off that waits');
  END IF;
  IF NEW.for_whom IS NOT NULL THEN
    IF NOT EXISTS (SELECT 1 FROM seats WHERE tenant = NEW.tenant
        AND escalation = NEW.escalation AND sign_off = NEW.sign_off AND person = NEW.for_whom
        AND for_whom IS NULL AND until IS NULL) THEN
      PERFORM laneway_refuse('a seat is delegated by who has one');
    END IF;
  END IF;
  IF NEW.until IS NOT NULL THEN
    PERFORM laneway_refuse('a seat begins to hold');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER seats_of_who_may_answer BEFORE INSERT ON seats FOR EACH ROW
  EXECUTE FUNCTION laneway_seats_insert();

CREATE FUNCTION laneway_seats_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.tenant, NEW.escalation, NEW.sign_off, NEW.n, NEW.via, NEW.since)
    IS DISTINCT FROM (OLD.tenant, OLD.escalation, OLD.sign_off, OLD.n, OLD.via, OLD.since) THEN
    PERFORM laneway_refuse('a seat never changes but for its end');
  END IF;
  IF NEW.until IS DISTINCT FROM OLD.until AND (OLD.until IS NOT NULL OR NOT EXISTS (
      SELECT 1 FROM escalations WHERE tenant = NEW.tenant AND id = NEW.escalation
        AND state = 'pending' FOR NO KEY UPDATE)) THEN
    PERFORM laneway_refuse('a seat ends once, while it is pending');
  END IF;
  IF NEW.until < NEW.since THEN
    PERFORM laneway_refuse('a seat ends after it began');
  END IF;
  IF (NEW.person, NEW.for_whom) IS DISTINCT FROM (OLD.person, OLD.for_whom)
      AND NOT (laneway_is_number(NEW.person)
        AND (NEW.for_whom IS NULL) = (OLD.for_whom IS NULL)
        AND (NEW.for_whom IS NULL OR laneway_is_number(NEW.for_whom))
        AND laneway_is_being_erased(NEW.tenant, NEW.escalation)) THEN
    PERFORM laneway_refuse('a seat is that of its person');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER seats_end_once BEFORE UPDATE ON seats FOR EACH ROW
  EXECUTE FUNCTION laneway_seats_update();

CREATE FUNCTION laneway_votes_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE e RECORD; had_one BOOLEAN := false;
BEGIN
  SELECT state, pinned, round, digest, last, readable INTO e FROM escalations
    WHERE tenant = NEW.tenant AND id = NEW.escalation FOR NO KEY UPDATE;
  IF e.state IS DISTINCT FROM 'pending' THEN
    PERFORM laneway_refuse('no vote behind the end');
  END IF;
  IF e.pinned::jsonb -> 'excluded' ? NEW.person THEN
    PERFORM laneway_refuse('who asked has no vote');
  END IF;
  IF NEW.at < e.last THEN
    PERFORM laneway_refuse('a vote does not lie in the past');
  END IF;
  IF NEW.round > e.round OR (NEW.kind <> 'void' AND NEW.round <> e.round) THEN
    PERFORM laneway_refuse('a vote is one of its round');
  END IF;
  IF NEW.kind = 'approve' AND (NEW.digest <> e.digest OR e.readable <> 1) THEN
    PERFORM laneway_refuse('an approval is for what is asked, and can be read');
  END IF;
  IF NEW.kind <> 'void' AND NEW.digest <> e.digest THEN
    PERFORM laneway_refuse('a vote is about what is asked');
  END IF;
  -- The key has each number once: none is left out if the one before it is there.
  IF NEW.n > 0 THEN
    IF NOT EXISTS (SELECT 1 FROM votes
        WHERE tenant = NEW.tenant AND escalation = NEW.escalation AND n = NEW.n - 1) THEN
      PERFORM laneway_refuse('votes are numbered');
    END IF;
    had_one := EXISTS (SELECT 1 FROM votes
      WHERE tenant = NEW.tenant AND escalation = NEW.escalation AND round = NEW.round
        AND person = NEW.person AND kind IN ('approve', 'withdraw', 'void'));
  END IF;
  IF NEW.kind IN ('withdraw', 'void') <> had_one AND NEW.kind <> 'deny' THEN
    PERFORM laneway_refuse('an approval is given once, and only what was given is taken back');
  END IF;
  IF NEW.kind IN ('approve', 'deny') AND NOT EXISTS (SELECT 1 FROM seats
      WHERE tenant = NEW.tenant AND escalation = NEW.escalation AND person = NEW.person
        AND until IS NULL) THEN
    PERFORM laneway_refuse('only who is asked votes');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER votes_of_who_is_asked_while_pending BEFORE INSERT ON votes FOR EACH ROW
  EXECUTE FUNCTION laneway_votes_insert();

CREATE FUNCTION laneway_votes_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.tenant, NEW.escalation, NEW.n, NEW.round, NEW.kind, NEW.at, NEW.digest)
      IS DISTINCT FROM
        (OLD.tenant, OLD.escalation, OLD.n, OLD.round, OLD.kind, OLD.at, OLD.digest)
      OR NOT laneway_is_number(NEW.person)
      OR (NEW.operator IS NULL) <> (OLD.operator IS NULL)
      OR NOT (NEW.operator IS NULL OR laneway_is_number(NEW.operator))
      OR NOT laneway_is_being_erased(NEW.tenant, NEW.escalation) THEN
    PERFORM laneway_refuse('votes never change');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER votes_never_change BEFORE UPDATE ON votes FOR EACH ROW
  EXECUTE FUNCTION laneway_votes_update();

-- Grants.

CREATE FUNCTION laneway_grants_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE e RECORD; r RECORD;
BEGIN
  SELECT state, digest, asks INTO e FROM escalations
    WHERE tenant = NEW.tenant AND id = NEW.escalation FOR NO KEY UPDATE;
  SELECT outcome, at INTO r FROM resolutions
    WHERE tenant = NEW.tenant AND escalation = NEW.escalation;
  IF NOT laneway_grant_fits(NEW.state, NEW.lapses, NEW.consume_key, NEW.ended) THEN
    PERFORM laneway_refuse('a grant fits together');
  END IF;
  -- Between the resolution and the change of the state: nothing is granted later.
  IF e.state IS DISTINCT FROM 'pending' OR r.outcome IS NULL
      OR r.outcome NOT IN ('approved', 'amended') THEN
    PERFORM laneway_refuse('only an approval grants, at once');
  END IF;
  IF NEW.state <> 'live' OR NEW.digest <> e.digest OR e.asks <> 1 OR NEW.lapses < r.at THEN
    PERFORM laneway_refuse('a grant begins live, for what was approved');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER grants_of_approvals BEFORE INSERT ON grants FOR EACH ROW
  EXECUTE FUNCTION laneway_grants_insert();

CREATE FUNCTION laneway_grants_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE e RECORD;
BEGIN
  IF (NEW.tenant, NEW.escalation, NEW.digest, NEW.lapses)
    IS DISTINCT FROM (OLD.tenant, OLD.escalation, OLD.digest, OLD.lapses) THEN
    PERFORM laneway_refuse('the terms of a grant never change');
  END IF;
  IF NOT laneway_grant_fits(NEW.state, NEW.lapses, NEW.consume_key, NEW.ended) THEN
    PERFORM laneway_refuse('a grant fits together');
  END IF;
  IF OLD.state <> 'live' THEN
    PERFORM laneway_refuse('a grant ends once');
  END IF;
  SELECT last INTO e FROM escalations
    WHERE tenant = NEW.tenant AND id = NEW.escalation FOR NO KEY UPDATE;
  IF NEW.ended < e.last THEN
    PERFORM laneway_refuse('the end of a grant does not lie in the past');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER grants_end_once BEFORE UPDATE ON grants FOR EACH ROW
  EXECUTE FUNCTION laneway_grants_update();

-- The audit.

-- Writers of the audit hold a lock together until they commit. Who asks what came behind a row takes
-- it alone, so that no row comes before the last one later.
CREATE FUNCTION laneway_audit_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE head BYTEA := '\x0000000000000000000000000000000000000000000000000000000000000000';
BEGIN
  -- Given here and nowhere else. The lock is an expression and no query, which would cost more.
  IF NEW.seq <> 0 OR pg_advisory_xact_lock_shared(1818324583, 2) IS NULL THEN
    PERFORM laneway_refuse('the place of a row is given by the store');
  END IF;
  -- The key has each number once: with the one before it a chain has no gaps.
  IF NEW.n > 1 THEN
    SELECT hash INTO head FROM audit
      WHERE tenant = NEW.tenant AND escalation = NEW.escalation AND n = NEW.n - 1;
    IF NOT FOUND THEN
      PERFORM laneway_refuse('a chain has no gaps');
    END IF;
  ELSIF NOT EXISTS (SELECT 1 FROM escalations
      WHERE tenant = NEW.tenant AND id = NEW.escalation) THEN
    PERFORM laneway_refuse('a chain is of an escalation');
  END IF;
  IF NEW.previous <> head THEN
    PERFORM laneway_refuse('a row follows the one before it');
  END IF;
  NEW.seq := nextval('audit_seq');
  RETURN NEW;
END $$;
CREATE TRIGGER audit_is_a_chain BEFORE INSERT ON audit FOR EACH ROW
  EXECUTE FUNCTION laneway_audit_insert();

CREATE FUNCTION laneway_payloads_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.tenant, NEW.escalation, NEW.n) IS DISTINCT FROM (OLD.tenant, OLD.escalation, OLD.n)
      OR OLD.body IS NULL OR NEW.body IS NOT NULL OR NEW.salt IS NOT NULL OR NEW.erased_at IS NULL
      OR NEW.erased_by IS NULL OR NEW.erased_why IS NULL THEN
    PERFORM laneway_refuse('a payload is only ever erased, by a tombstone');
  END IF;
  IF NOT EXISTS (SELECT 1 FROM escalations e WHERE e.tenant = NEW.tenant AND e.id = NEW.escalation
      AND e.erased > 0 AND NOT EXISTS (SELECT 1 FROM grants g
        WHERE g.tenant = e.tenant AND g.escalation = e.id AND g.state = 'live')) THEN
    PERFORM laneway_refuse('payloads are erased after the end, and under no live grant');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payloads_are_kept_or_erased BEFORE UPDATE ON payloads FOR EACH ROW
  EXECUTE FUNCTION laneway_payloads_update();

CREATE FUNCTION laneway_payloads_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE erased_before BIGINT;
BEGIN
  IF NEW.salt IS NULL OR NEW.body IS NULL OR NEW.erased_at IS NOT NULL OR NEW.erased_by IS NOT NULL
      OR NEW.erased_why IS NOT NULL THEN
    PERFORM laneway_refuse('a payload begins kept');
  END IF;
  SELECT e.erased INTO erased_before FROM audit a
    JOIN escalations e ON e.tenant = a.tenant AND e.id = a.escalation
    WHERE a.tenant = NEW.tenant AND a.escalation = NEW.escalation AND a.n = NEW.n;
  IF NOT FOUND THEN
    PERFORM laneway_refuse('a payload is that of a row');
  END IF;
  -- What comes behind an erasure is erased by the next one.
  IF erased_before = 2 THEN
    UPDATE escalations SET erased = 3 WHERE tenant = NEW.tenant AND id = NEW.escalation AND erased = 2
      AND NOT EXISTS (SELECT 1 FROM audit WHERE tenant = NEW.tenant AND escalation = NEW.escalation
        AND n = NEW.n AND kind = 'erased');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payloads_begin_kept BEFORE INSERT ON payloads FOR EACH ROW
  EXECUTE FUNCTION laneway_payloads_insert();

CREATE FUNCTION laneway_checkpoints_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE before RECORD;
BEGIN
  SELECT n, hash, seq, rows INTO before FROM checkpoints
    WHERE tenant = NEW.tenant ORDER BY n DESC LIMIT 1;
  IF NEW.n <> coalesce(before.n, 0) + 1 OR NEW.previous <> coalesce(before.hash, decode(repeat('00', 32), 'hex'))
      OR NEW.seq < coalesce(before.seq, 0) OR NEW.rows < coalesce(before.rows, 0)
      OR NEW.seq > coalesce((SELECT max(seq) FROM audit), 0) THEN
    PERFORM laneway_refuse('a checkpoint follows the one before it');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER checkpoints_are_a_chain BEFORE INSERT ON checkpoints FOR EACH ROW
  EXECUTE FUNCTION laneway_checkpoints_insert();

-- The outbox.

CREATE FUNCTION laneway_outbox_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'waiting' OR NEW.attempts <> 0 OR NEW.attempts_before <> 0 THEN
      PERFORM laneway_refuse('a notice waits at first');
    END IF;
    -- A foreign key would ask the same for each notice by a query of its own, at three times the cost.
    IF NOT EXISTS (SELECT 1 FROM escalations WHERE tenant = NEW.tenant AND id = NEW.escalation) THEN
      PERFORM laneway_refuse('a notice is of an escalation');
    END IF;
    NEW.seq := nextval('outbox_seq');
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' THEN
    IF NOT EXISTS (SELECT 1 FROM escalations WHERE tenant = OLD.tenant AND id = OLD.escalation
        AND ((state <> 'pending' AND OLD.state <> 'waiting') OR erased > 0)) THEN
      PERFORM laneway_refuse('a notice stays until it is over and its escalation has ended');
    END IF;
    RETURN OLD;
  END IF;
  IF (NEW.tenant, NEW.id, NEW.seq, NEW.escalation, NEW.notice, NEW.at)
    IS DISTINCT FROM (OLD.tenant, OLD.id, OLD.seq, OLD.escalation, OLD.notice, OLD.at) THEN
    PERFORM laneway_refuse('a notice never changes');
  END IF;
  IF NEW.state = 'failed' AND NEW.problem IS NULL THEN
    PERFORM laneway_refuse('a notice that failed says why');
  END IF;
  IF NEW.count < OLD.count THEN
    PERFORM laneway_refuse('a notice stands for no fewer than before');
  END IF;
  -- Sent again, it merges with no other, and goes by every channel.
  IF OLD.state <> 'waiting' AND NOT (NEW.state = 'waiting' AND NEW.attempts = 0
      AND NEW.merge IS NULL AND NEW.attempts_before = coalesce((SELECT max(seq) FROM attempts
        WHERE tenant = NEW.tenant AND notice = NEW.id), 0)) THEN
    PERFORM laneway_refuse('a notice that is over is only sent again');
  END IF;
  IF OLD.state = 'waiting' AND (NEW.attempts < OLD.attempts
      OR (NEW.merge, NEW.attempts_before) IS DISTINCT FROM (OLD.merge, OLD.attempts_before)) THEN
    PERFORM laneway_refuse('a notice that waits goes on as it is');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER outbox_keeps_what_was_not_sent BEFORE INSERT OR UPDATE OR DELETE ON outbox FOR EACH ROW
  EXECUTE FUNCTION laneway_outbox_change();

-- What a service keeps beside escalations. Attempts to deliver notices are a log: they name people, so
-- that they go with their escalation and by their age, but not while their notice waits, because a retry
-- asks only the channels that did not take it before. An attempt outlives its notice.

CREATE TABLE entries (
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('token', 'session', 'password', 'setup', 'reload', 'untold')),
  -- By bytes, in the order in which every store lists them.
  key TEXT COLLATE "C" NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 200),
  owner TEXT NOT NULL CHECK (octet_length(owner) <= 254),
  until BIGINT,
  body TEXT NOT NULL CHECK (octet_length(body) <= 65536),
  PRIMARY KEY (tenant, kind, key)
);
CREATE INDEX entries_of_owner ON entries (tenant, kind, owner, key);
CREATE INDEX entries_by_until ON entries (tenant, until) WHERE until IS NOT NULL;

CREATE SEQUENCE attempts_seq CACHE 1 NO CYCLE;
CREATE TABLE attempts (
  tenant TEXT NOT NULL,
  seq BIGINT NOT NULL DEFAULT 0,
  notice TEXT NOT NULL CHECK (notice <> ''),
  escalation TEXT NOT NULL CHECK (escalation <> ''),
  recipient TEXT NOT NULL CHECK (recipient <> ''),
  channel TEXT NOT NULL CHECK (octet_length(channel) BETWEEN 1 AND 2200),
  at BIGINT NOT NULL,
  took BIGINT NOT NULL CHECK (took >= 0),
  outcome TEXT NOT NULL CHECK (outcome IN ('sent', 'later', 'never')),
  said TEXT NOT NULL CHECK (octet_length(said) <= 1000),
  PRIMARY KEY (tenant, seq)
);
CREATE INDEX attempts_of_escalation ON attempts (tenant, escalation, seq);
CREATE INDEX attempts_of_outcome ON attempts (tenant, outcome, seq);
CREATE INDEX attempts_of_notice ON attempts (tenant, notice, seq);
CREATE INDEX attempts_by_at ON attempts (tenant, at);

CREATE FUNCTION laneway_attempts_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Held until this is committed: who removes a notice finds its attempts.
  PERFORM 1 FROM outbox
    WHERE tenant = NEW.tenant AND id = NEW.notice AND escalation = NEW.escalation FOR KEY SHARE;
  IF NOT FOUND THEN
    PERFORM laneway_refuse('an attempt is of a notice that is there');
  END IF;
  IF NEW.seq <> 0 THEN
    PERFORM laneway_refuse('the place of an attempt is given by the store');
  END IF;
  NEW.seq := nextval('attempts_seq');
  RETURN NEW;
END $$;
CREATE TRIGGER attempts_are_of_a_notice BEFORE INSERT ON attempts FOR EACH ROW
  EXECUTE FUNCTION laneway_attempts_insert();
CREATE TRIGGER attempts_never_change BEFORE UPDATE ON attempts FOR EACH ROW
  EXECUTE FUNCTION laneway_refused('attempts never change');
CREATE TRIGGER attempts_are_never_truncated BEFORE TRUNCATE ON attempts FOR EACH STATEMENT
  EXECUTE FUNCTION laneway_refused('attempts are never truncated');

CREATE FUNCTION laneway_attempts_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM outbox
      WHERE tenant = OLD.tenant AND id = OLD.notice AND state = 'waiting') THEN
    PERFORM laneway_refuse('an attempt stays while its notice waits');
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER attempts_stay_while_their_notice_waits BEFORE DELETE ON attempts FOR EACH ROW
  EXECUTE FUNCTION laneway_attempts_delete();
