-- What a store does in one round trip each. Statements of a function see what was committed when
-- they begin, so that what is read behind a lock is what the one before left.

-- The time of the database, read now.
CREATE FUNCTION laneway_wall() RETURNS BIGINT LANGUAGE sql VOLATILE AS $$
  SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
$$;

-- All parts of an escalation, as JSON.
CREATE FUNCTION laneway_stored(t TEXT, e TEXT) RETURNS TEXT STABLE LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT json_build_object(
    'escalation', to_json(it),
    'sign_offs', (SELECT coalesce(json_agg(to_json(s) ORDER BY s.n), '[]') FROM sign_offs s
      WHERE s.tenant = t AND s.escalation = e),
    'seats', (SELECT coalesce(json_agg(to_json(s) ORDER BY s.sign_off, s.n), '[]') FROM seats s
      WHERE s.tenant = t AND s.escalation = e),
    'votes', (SELECT coalesce(json_agg(to_json(v) ORDER BY v.n), '[]') FROM votes v
      WHERE v.tenant = t AND v.escalation = e),
    'resolution', (SELECT to_json(r) FROM resolutions r
      WHERE r.tenant = t AND r.escalation = e),
    'grant', (SELECT to_json(g) FROM grants g WHERE g.tenant = t AND g.escalation = e),
    'end', (SELECT json_build_object('n', a.n, 'hash', encode(a.hash, 'hex')) FROM audit a
      WHERE a.tenant = t AND a.escalation = e ORDER BY a.n DESC LIMIT 1)
  )::text
  FROM escalations it WHERE it.tenant = t AND it.id = e);
END $$;

-- The same, locked first, behind the time, which is read behind the lock. With a version it begins a transaction.
CREATE FUNCTION laneway_lock(t TEXT, e TEXT, version BIGINT) RETURNS TEXT LANGUAGE plpgsql AS $$
DECLARE stored TEXT;
BEGIN
  IF version IS NOT NULL THEN
    PERFORM laneway_guard(version);
  END IF;
  PERFORM 1 FROM escalations WHERE tenant = t AND id = e FOR UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  stored := laneway_stored(t, e);
  RETURN '[' || laneway_wall() || ',' || stored || ']';
END $$;

-- The request of a key, locked first, so that who waited for the lock sees what was written meanwhile. With a version
-- it begins a transaction.
CREATE FUNCTION laneway_request(t TEXT, r TEXT, k TEXT, version BIGINT) RETURNS TEXT LANGUAGE plpgsql AS $$
BEGIN
  IF version IS NOT NULL THEN
    PERFORM laneway_guard(version);
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended(t || chr(1) || 'request' || chr(1) || r || chr(1) || k, 0));
  RETURN (SELECT to_json(q)::text FROM requests q
    WHERE q.tenant = t AND q.requester = r AND q.key = k);
END $$;

-- The pending escalation of a group; locked as above.
CREATE FUNCTION laneway_group(t TEXT, g TEXT) RETURNS TEXT LANGUAGE plpgsql AS $$
DECLARE found_one TEXT;
BEGIN
  SELECT id INTO found_one FROM escalations
    WHERE tenant = t AND group_key = g AND state = 'pending';
  IF found_one IS NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended(t || chr(1) || 'group' || chr(1) || g, 0));
    SELECT id INTO found_one FROM escalations
      WHERE tenant = t AND group_key = g AND state = 'pending';
  END IF;
  RETURN found_one;
END $$;

-- Writes what a command did. The order is the one in which the triggers can follow: what is asked
-- now, who is asked, votes, who is asked no more, what is decided, the end, its grant, the state.
-- Rows of the audit come as columns, in their order: most of what is written is theirs, and much of it bytes.
-- Of each other row only what is written is read from the document, and as plain types: each column that is
-- read costs a look at its type, and each domain is checked where it is written.
CREATE FUNCTION laneway_put(t TEXT, doc JSONB, numbers BIGINT[], instants BIGINT[], kinds TEXT[],
    seals BYTEA[], previous BYTEA[], hashes BYTEA[], salts BYTEA[], bodies TEXT[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  e TEXT := doc ->> 'id';
  opening escalations%ROWTYPE;
  it RECORD;
  r resolutions%ROWTYPE;
  g grants%ROWTYPE;
  notice RECORD;
BEGIN
  SELECT * INTO it FROM jsonb_to_record(doc -> 'escalation') AS w(round BIGINT, digest TEXT, readable BIGINT,
    state TEXT, last BIGINT, due BIGINT, respond_by BIGINT, ended BIGINT, joined BIGINT, first_viewed BIGINT,
    released BIGINT, undelivered BIGINT, late_votes BIGINT);
  IF (doc -> 'is_new')::boolean THEN
    opening := jsonb_populate_record(NULL::escalations, doc -> 'escalation');
    INSERT INTO escalations VALUES (
      t, e, opening.opened, opening.cap, opening.requester, opening.key, opening.digest0, opening.matrix,
      opening.lane, opening.urgency, opening.flood, opening.group_key, opening.asks, opening.readable0, it.round,
      it.digest, it.readable, 'pending', it.last, coalesce(it.due, opening.opened), it.respond_by, NULL, 0,
      it.first_viewed, NULL, it.undelivered, it.late_votes, 0, opening.pinned);
  ELSIF (doc -> 'is_early')::boolean THEN
    -- A new round, or time that passed, comes before what follows from it.
    UPDATE escalations SET round = it.round, digest = it.digest, readable = it.readable,
      last = it.last WHERE tenant = t AND id = e;
    IF NOT FOUND THEN
      PERFORM laneway_refuse('an escalation is changed that is not there');
    END IF;
  END IF;
  IF (doc -> 'is_anew')::boolean THEN
    UPDATE sign_offs SET state = 'waiting', decided = NULL, due = least(cap,
        (plan::jsonb -> 'steps' -> next::int ->> 'at')::bigint + shift * 1000)
      WHERE tenant = t AND escalation = e AND state <> 'waiting';
  END IF;
  IF doc ? 'sign_offs_new' THEN
    INSERT INTO sign_offs (tenant, escalation, n, lane, cap, ends_at, plan, state, team, quorum, next, hurried,
        shift, due, deadline, allows, decided)
      SELECT t, e, s.n, s.lane, s.cap, s.ends_at, s.plan, s.state, s.team, s.quorum, s.next, s.hurried, s.shift,
        s.due, s.deadline, s.allows, s.decided
      FROM jsonb_to_recordset(doc -> 'sign_offs_new') AS s(n BIGINT, lane TEXT, cap BIGINT, ends_at BIGINT, plan TEXT,
        state TEXT, team TEXT, quorum BIGINT, next BIGINT, hurried BIGINT, shift BIGINT, due BIGINT, deadline BIGINT,
        allows BIGINT, decided BIGINT);
  END IF;
  IF doc ? 'seats_new' THEN
    INSERT INTO seats (tenant, escalation, sign_off, n, person, via, for_whom, since)
      SELECT t, e, s.sign_off, s.n, s.person, s.via, s.for_whom, s.since
      FROM jsonb_to_recordset(doc -> 'seats_new') AS s(sign_off BIGINT, n BIGINT, person TEXT, via TEXT,
        for_whom TEXT, since BIGINT);
  END IF;
  IF doc ? 'votes' THEN
    INSERT INTO votes
      SELECT t, e, v.n, v.round, v.person, v.kind, v.at, v.digest, v.operator
      FROM jsonb_to_recordset(doc -> 'votes') AS v(n BIGINT, round BIGINT, person TEXT, kind TEXT, at BIGINT,
        digest TEXT, operator TEXT);
  END IF;
  IF doc ? 'seats_ended' THEN
    UPDATE seats o SET until = s.until
      FROM jsonb_to_recordset(doc -> 'seats_ended') AS s(sign_off BIGINT, n BIGINT, until BIGINT)
      WHERE o.tenant = t AND o.escalation = e AND o.sign_off = s.sign_off AND o.n = s.n;
  END IF;
  IF doc ? 'sign_offs' THEN
    UPDATE sign_offs o SET state = s.state, team = s.team, quorum = s.quorum, next = s.next,
        hurried = s.hurried, shift = s.shift, due = s.due, deadline = s.deadline,
        decided = s.decided
      FROM jsonb_to_recordset(doc -> 'sign_offs') AS s(n BIGINT, state TEXT, team TEXT, quorum BIGINT, next BIGINT,
        hurried BIGINT, shift BIGINT, due BIGINT, deadline BIGINT, decided BIGINT)
      WHERE o.tenant = t AND o.escalation = e AND o.n = s.n;
  END IF;
  IF doc ? 'resolution' THEN
    r := jsonb_populate_record(NULL::resolutions, doc -> 'resolution');
    INSERT INTO resolutions VALUES (t, e, r.outcome, r.end_how, r.at, r.cause, r.by_silence);
  END IF;
  IF doc ? 'grant_new' THEN
    g := jsonb_populate_record(NULL::grants, doc -> 'grant_new');
    INSERT INTO grants VALUES (t, e, 'live', g.digest, g.lapses, NULL, NULL);
  END IF;
  IF doc ? 'grant' THEN
    g := jsonb_populate_record(NULL::grants, doc -> 'grant');
    UPDATE grants SET state = g.state, digest = g.digest, lapses = g.lapses,
        consume_key = g.consume_key, ended = g.ended
      WHERE tenant = t AND escalation = e;
  END IF;
  IF NOT (doc -> 'is_new')::boolean OR it.state <> 'pending' THEN
    UPDATE escalations SET round = it.round, digest = it.digest, readable = it.readable,
        state = it.state, last = it.last, due = it.due, respond_by = it.respond_by,
        ended = it.ended, joined = it.joined, first_viewed = it.first_viewed,
        released = it.released, undelivered = it.undelivered, late_votes = it.late_votes
      WHERE tenant = t AND id = e;
    IF NOT FOUND THEN
      PERFORM laneway_refuse('an escalation is changed that is not there');
    END IF;
  END IF;
  INSERT INTO audit (tenant, escalation, n, at, kind, payload, previous, hash)
    SELECT t, e, a.* FROM unnest(numbers, instants, kinds, seals, previous, hashes) a;
  INSERT INTO payloads (tenant, escalation, n, salt, body)
    SELECT t, e, p.* FROM unnest(numbers, salts, bodies) p;
  IF doc ? 'outbox' THEN
    INSERT INTO outbox (tenant, id, escalation, notice, merge, at, state, count, attempts, not_before)
      SELECT t, o.id, e, o.notice, NULL, o.at, 'waiting', 1, 0, o.at
      FROM jsonb_to_recordset(doc -> 'outbox') AS o(id TEXT, notice TEXT, at BIGINT)
      ON CONFLICT (tenant, id) DO NOTHING;
  END IF;
  IF NOT doc ? 'merging' THEN
    RETURN;
  END IF;
  -- In the order of their keys, so that two that write the same ones wait for each other in one way.
  FOR notice IN
      SELECT o.* FROM jsonb_to_recordset(doc -> 'merging') AS o(id TEXT, notice TEXT, merge TEXT, at BIGINT)
      ORDER BY o.merge COLLATE "C", o.id COLLATE "C" LOOP
    IF NOT EXISTS (SELECT 1 FROM outbox o WHERE o.tenant = t AND o.id = notice.id) THEN
      INSERT INTO outbox (tenant, id, escalation, notice, merge, at, state, count, attempts,
          not_before)
        VALUES (t, notice.id, e, notice.notice, notice.merge, notice.at, 'waiting', 1, 0, notice.at)
        ON CONFLICT (tenant, merge)
          WHERE merge IS NOT NULL AND state = 'waiting' AND attempts = 0
          DO UPDATE SET count = outbox.count + 1;
    END IF;
  END LOOP;
END $$;

-- Due escalations, locked, without those that another desk has locked.
CREATE FUNCTION laneway_due(t TEXT, now BIGINT, most BIGINT) RETURNS SETOF TEXT LANGUAGE sql AS $$
  SELECT id FROM escalations WHERE tenant = t AND due <= now
    ORDER BY due, id LIMIT most FOR UPDATE SKIP LOCKED
$$;

-- What came behind a row, when all writers that had begun have ended.
CREATE FUNCTION laneway_wait_for_writers() RETURNS void LANGUAGE sql AS $$
  SELECT pg_advisory_xact_lock(1818324583, 2)
$$;

-- Replaces the payloads of an ended escalation by a tombstone, and names by numbers, which the document
-- has. The escalation is locked.
CREATE FUNCTION laneway_erase(t TEXT, e TEXT, at BIGINT, who TEXT, why TEXT, doc JSONB)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE escalations SET erased = 1 WHERE tenant = t AND id = e AND erased = 0;
  IF FOUND THEN
    UPDATE sign_offs o SET plan = s.plan
      FROM jsonb_populate_recordset(NULL::sign_offs, doc -> 'plans') s
      WHERE o.tenant = t AND o.escalation = e AND o.n = s.n;
    UPDATE seats o SET person = s.person, for_whom = s.for_whom
      FROM jsonb_populate_recordset(NULL::seats, doc -> 'seats') s
      WHERE o.tenant = t AND o.escalation = e AND o.sign_off = s.sign_off AND o.n = s.n;
    UPDATE votes o SET person = v.person, operator = v.operator
      FROM jsonb_populate_recordset(NULL::votes, doc -> 'votes') v
      WHERE o.tenant = t AND o.escalation = e AND o.n = v.n;
    UPDATE resolutions SET cause = doc ->> 'cause'
      WHERE tenant = t AND escalation = e AND cause <> doc ->> 'cause';
  END IF;
  -- What was said behind an erasure is erased by the next one.
  UPDATE payloads SET salt = NULL, body = NULL, erased_at = at, erased_by = who, erased_why = why
    WHERE tenant = t AND escalation = e AND body IS NOT NULL;
  DELETE FROM outbox WHERE tenant = t AND escalation = e;
  UPDATE escalations SET erased = 2 WHERE tenant = t AND id = e AND erased <> 2;
END $$;
