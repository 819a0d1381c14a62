-- The outbox: messages to webhooks, sent at least once and, for each webhook, in their order.

-- name: claim_outbox
-- The oldest waiting message of every webhook that is not busy, if its time has come. It is ours for the length of the lease: whoever dies between the
-- sending and the note of it leaves the message to be sent again, under the same id.
WITH due AS MATERIALIZED (
    SELECT head.id, definitions.definition
    FROM definitions,
         LATERAL (
             SELECT id, next_at FROM outbox
             WHERE webhook = definitions.name AND sent_at IS NULL AND NOT given_up
             ORDER BY id
             LIMIT 1
         ) AS head
    WHERE definitions.kind = 'webhooks' AND definitions.name <> ALL (%(busy)s::text[]) AND head.next_at <= now()
),
mine AS MATERIALIZED (
    SELECT outbox.id FROM outbox JOIN due ON due.id = outbox.id
    WHERE outbox.sent_at IS NULL AND NOT outbox.given_up AND outbox.next_at <= now()
    FOR NO KEY UPDATE OF outbox SKIP LOCKED
)
UPDATE outbox SET tries = outbox.tries + 1, next_at = now() + make_interval(secs => %(lease_s)s)
FROM mine JOIN due ON due.id = mine.id
WHERE outbox.id = mine.id
RETURNING outbox.id, outbox.webhook, outbox.body::text, outbox.tries, due.definition;

-- name: outbox_sent
-- The receiver has it.
UPDATE outbox SET sent_at = now(), last_error = '' WHERE id = %(id)s AND sent_at IS NULL;

-- name: outbox_failed
-- Try again later, or never.
UPDATE outbox SET next_at = now() + make_interval(secs => %(pause_s)s), given_up = %(given_up)s, last_error = %(error)s
WHERE id = %(id)s AND sent_at IS NULL;

-- name: outbox_test
-- A message that says only that it is a test.
INSERT INTO outbox (webhook, body) VALUES (%(webhook)s, %(body)s::jsonb) RETURNING id;

-- name: outbox_rows
-- A page of messages, newest first: all, of one webhook, waiting or given up only.
SELECT id, webhook, happening, body, extract(epoch FROM created_at)::float8, tries, extract(epoch FROM next_at)::float8,
       extract(epoch FROM sent_at)::float8, given_up, last_error
FROM outbox
WHERE (%(webhook)s::text IS NULL OR webhook = %(webhook)s)
  AND (%(id)s::bigint IS NULL OR id = %(id)s)
  AND (NOT %(waiting)s::boolean OR (sent_at IS NULL AND NOT given_up))
  AND (NOT %(given_up)s::boolean OR given_up)
ORDER BY id DESC
LIMIT %(limit)s;

-- name: outbox_counts
-- How many messages of each webhook wait, were given up, and were sent.
SELECT webhook, count(*) FILTER (WHERE sent_at IS NULL AND NOT given_up), count(*) FILTER (WHERE given_up), count(*) FILTER (WHERE sent_at IS NOT NULL),
       extract(epoch FROM max(sent_at))::float8,
       (array_agg(last_error ORDER BY id) FILTER (WHERE sent_at IS NULL AND last_error <> ''))[1]
FROM outbox GROUP BY webhook;

-- name: outbox_replay
-- Send again: one message, or all that were given up (of one webhook). Returns how many.
WITH again AS (
    UPDATE outbox SET sent_at = NULL, given_up = false, tries = 0, next_at = now(), last_error = ''
    WHERE CASE WHEN %(id)s::bigint IS NOT NULL THEN id = %(id)s
               ELSE given_up AND (%(webhook)s::text IS NULL OR webhook = %(webhook)s) END
    RETURNING id
),
noted AS (
    INSERT INTO audit (who, what, target, details)
    SELECT %(who)s, 'webhook_replay', coalesce(%(webhook)s, ''), jsonb_build_object('messages', count(*)) FROM again HAVING count(*) > 0
)
SELECT count(*) FROM again;
