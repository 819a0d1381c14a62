-- What a daemon tidies up once in a while. Each query is a transaction of its own that never waits long for anybody: dialling goes first.

-- name: try_housekeeping_lock
-- Whether nobody else is at it; held until the end of the transaction.
SELECT pg_try_advisory_xact_lock(7382354617959212406);

-- name: make_attempt_partitions
-- Partitions for this month and the next ones; how many are new.
SET LOCAL lock_timeout = '1s';
SELECT make_attempt_partitions(to_timestamp(%(now)s), %(ahead)s);

-- name: drop_attempt_partitions
-- Attempts of months that were over before a time; which months went.
SET LOCAL lock_timeout = '1s';
SELECT drop_attempt_partitions(to_timestamp(%(before)s));

-- name: forget_api_requests
-- Answers to requests that nobody will repeat any more, some at a time; returns one row for each.
DELETE FROM api_requests
WHERE (token, key) IN (
    SELECT token, key FROM api_requests WHERE at < to_timestamp(%(before)s) LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING 1;

-- name: forget_outbox
-- Messages that were sent long ago, some at a time; returns one row for each.
DELETE FROM outbox
WHERE id IN (SELECT id FROM outbox WHERE sent_at < to_timestamp(%(before)s) ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING 1;

-- name: forget_takes
-- Leads that agents took long ago, some at a time; returns one row for each. Quotas look back one day.
DELETE FROM lead_takes
WHERE id IN (SELECT id FROM lead_takes WHERE taken_at < to_timestamp(%(before)s) ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING 1;

-- name: forget_old_callers
-- Calls to queues of long ago, some at a time; returns one row for each.
DELETE FROM callers
WHERE id IN (SELECT id FROM callers WHERE came_at < to_timestamp(%(before)s) ORDER BY came_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING 1;

-- name: forget_happenings
-- Events worked off long ago that no message tells of, some at a time; returns one row for each.
DELETE FROM happenings
WHERE id IN (
    SELECT id FROM happenings
    WHERE done_at < to_timestamp(%(before)s) AND NOT EXISTS (SELECT FROM outbox WHERE outbox.happening = happenings.id)
    ORDER BY id LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED)
RETURNING 1;
