//! Statements that find something: a test holds each against the indexes that it is to be read by.

/// How many of a requester are open, and how many of a flood.
pub(super) const COUNTS: &str = "SELECT \
    (SELECT count(*) FROM escalations WHERE tenant = $1 AND requester = $2 AND state = 'pending'), \
    (SELECT count(*) FROM escalations WHERE tenant = $1 AND flood = $3 AND state = 'pending')";
/// The open one of a group.
pub(super) const GROUP: &str =
    "SELECT id FROM escalations WHERE tenant = $1 AND group_key = $2 AND state = 'pending'";
/// What is due, the first of it first.
pub(super) const DUE: &str = "SELECT id FROM escalations WHERE tenant = $1 AND due <= $2 \
    ORDER BY due, id LIMIT $3";
/// What has no live grant, and was not erased, or was written to since.
pub(super) const ENDED: &str = "SELECT id FROM escalations \
    WHERE tenant = $1 AND ended < $2 AND due IS NULL AND erased IN (0, 3) \
    ORDER BY ended, id LIMIT $3";
/// Notices to be sent, which are nobody else's until an instant.
pub(super) const TAKE: &str = "WITH taken AS ( \
      UPDATE outbox o SET not_before = $3, attempts = o.attempts + 1 FROM ( \
        SELECT tenant, id, not_before AS was FROM outbox \
        WHERE tenant = $1 AND state = 'waiting' AND not_before <= $2 \
        ORDER BY not_before, seq LIMIT $4 FOR UPDATE SKIP LOCKED) f \
      WHERE o.tenant = f.tenant AND o.id = f.id \
      RETURNING was, seq, notice, escalation, count, attempts - 1 AS attempts) \
    SELECT notice, escalation, count, attempts FROM taken ORDER BY was, seq";
/// Whether no notice of a step came through. `0` stands behind `/`: what lies between begins with the step and a slash.
pub(super) const ALL_FAILED: &str = "SELECT count(*) > 0 AND count(*) FILTER (WHERE NOT (o.state = 'failed' \
      OR o.state = 'waiting' AND o.attempts >= $3 AND NOT EXISTS ( \
        SELECT 1 FROM attempts a WHERE a.tenant = o.tenant AND a.notice = o.id \
          AND a.outcome = 'sent' AND a.seq > o.attempts_before))) = 0 \
    FROM outbox o WHERE o.tenant = $1 AND o.id > $2 || '/' AND o.id < $2 || '0' \
    AND strpos(substr(o.id, length($2) + 2), '/') = 0";

/// What is over and old is looked at, and whether its escalation is: the index has it in its order.
pub(super) const OLD_NOTICES: &str = "DELETE FROM outbox WHERE (tenant, id) IN ( \
      SELECT o.tenant, o.id FROM outbox o JOIN escalations e \
        ON e.tenant = o.tenant AND e.id = o.escalation \
      WHERE o.tenant = $1 AND o.state <> 'waiting' AND o.at < $2 AND e.ended < $2 \
      ORDER BY o.at LIMIT $3 FOR UPDATE OF o SKIP LOCKED) \
    RETURNING 1";
