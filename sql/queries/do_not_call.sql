-- Do-not-call lists: numbers, and prefixes that stand for whole ranges of them.
--
-- Leads are locked in the order of their ids before anything is written, as everywhere.

-- name: do_not_call_add
-- Put numbers on a list, and block their leads that are not finished; one with a call up is blocked too and keeps that status when the call ends (D14).
-- Returns how many numbers are new on the list, and how many leads were blocked.
SELECT FROM leads WHERE number = ANY (%(numbers)s::text[]) ORDER BY id FOR NO KEY UPDATE;
WITH added AS (
    INSERT INTO do_not_call (number, list, reason, added_by)
    SELECT DISTINCT number, %(list)s, %(reason)s, %(who)s FROM unnest(%(numbers)s::text[]) AS given (number) ORDER BY number
    ON CONFLICT DO NOTHING
    RETURNING number
),
noted AS (
    INSERT INTO audit (who, what, target, why, details)
    SELECT %(who)s, 'do_not_call_add', number, %(reason)s, jsonb_build_object('list', %(list)s::text) FROM added
),
blocked AS (
    UPDATE leads SET status = 'blocked', held_by = 'do_not_call',
        claimed_epoch = CASE WHEN status = 'in_progress' THEN claimed_epoch END, claimed_batch = CASE WHEN status = 'in_progress' THEN claimed_batch END
    WHERE number = ANY (%(numbers)s::text[]) AND status IN ('new', 'in_progress', 'retry', 'callback_scheduled')
    RETURNING id
)
SELECT (SELECT count(*) FROM added), (SELECT count(*) FROM blocked);

-- name: do_not_call_add_prefixes
-- The same for whole ranges of numbers, each given by what its numbers begin with. Reads all leads.
SELECT FROM leads
WHERE status IN ('new', 'in_progress', 'retry', 'callback_scheduled')
  AND EXISTS (SELECT FROM unnest(%(prefixes)s::text[]) AS given (prefix) WHERE starts_with(leads.number, given.prefix))
ORDER BY id FOR NO KEY UPDATE;
WITH added AS (
    INSERT INTO do_not_call_prefixes (prefix, list, reason, added_by)
    SELECT DISTINCT prefix, %(list)s, %(reason)s, %(who)s FROM unnest(%(prefixes)s::text[]) AS given (prefix) ORDER BY prefix
    ON CONFLICT DO NOTHING
    RETURNING prefix
),
noted AS (
    INSERT INTO audit (who, what, target, why, details)
    SELECT %(who)s, 'do_not_call_add', prefix || '*', %(reason)s, jsonb_build_object('list', %(list)s::text) FROM added
),
blocked AS (
    UPDATE leads SET status = 'blocked', held_by = 'do_not_call',
        claimed_epoch = CASE WHEN status = 'in_progress' THEN claimed_epoch END, claimed_batch = CASE WHEN status = 'in_progress' THEN claimed_batch END
    WHERE status IN ('new', 'in_progress', 'retry', 'callback_scheduled')
      AND EXISTS (SELECT FROM unnest(%(prefixes)s::text[]) AS given (prefix) WHERE starts_with(leads.number, given.prefix))
    RETURNING id
)
SELECT (SELECT count(*) FROM added), (SELECT count(*) FROM blocked);

-- name: do_not_call_remove
-- Take numbers off a list (NULL = all lists). Leads that were blocked and that no other entry forbids return: to in_progress while their call is up, to
-- the callback that was promised them, to retry when they were called before, else to new.
-- Returns how many entries went, and how many leads returned.
SELECT FROM leads WHERE number = ANY (%(numbers)s::text[]) ORDER BY id FOR NO KEY UPDATE;
WITH removed AS (
    DELETE FROM do_not_call WHERE number = ANY (%(numbers)s::text[]) AND (%(list)s::text IS NULL OR list = %(list)s)
    RETURNING number, list
),
noted AS (
    INSERT INTO audit (who, what, target, why, details)
    SELECT %(who)s, 'do_not_call_remove', number, %(reason)s, jsonb_build_object('list', list) FROM removed
),
returned AS (
    UPDATE leads
    SET held_by = '',
        status = CASE WHEN EXISTS (SELECT FROM attempts_open WHERE attempts_open.lead = leads.id) THEN 'in_progress'
                      WHEN ready_why = 'promised' THEN 'callback_scheduled'
                      WHEN attempts > 0 THEN 'retry'
                      ELSE 'new' END
    WHERE status = 'blocked' AND number IN (SELECT number FROM removed)
      AND NOT EXISTS (
          SELECT FROM do_not_call AS other
          WHERE other.number = leads.number AND (other.number, other.list) NOT IN (SELECT number, list FROM removed))
      AND NOT EXISTS (SELECT FROM do_not_call_prefixes WHERE starts_with(leads.number, prefix))
    RETURNING id
)
SELECT (SELECT count(*) FROM removed), (SELECT count(*) FROM returned);

-- name: do_not_call_remove_prefixes
-- The same for prefixes, each as it was given. Reads all leads.
SELECT FROM leads
WHERE status = 'blocked' AND EXISTS (SELECT FROM unnest(%(prefixes)s::text[]) AS given (prefix) WHERE starts_with(leads.number, given.prefix))
ORDER BY id FOR NO KEY UPDATE;
WITH removed AS (
    DELETE FROM do_not_call_prefixes WHERE prefix = ANY (%(prefixes)s::text[]) AND (%(list)s::text IS NULL OR list = %(list)s)
    RETURNING prefix, list
),
noted AS (
    INSERT INTO audit (who, what, target, why, details)
    SELECT %(who)s, 'do_not_call_remove', prefix || '*', %(reason)s, jsonb_build_object('list', list) FROM removed
),
returned AS (
    UPDATE leads
    SET held_by = '',
        status = CASE WHEN EXISTS (SELECT FROM attempts_open WHERE attempts_open.lead = leads.id) THEN 'in_progress'
                      WHEN ready_why = 'promised' THEN 'callback_scheduled'
                      WHEN attempts > 0 THEN 'retry'
                      ELSE 'new' END
    WHERE status = 'blocked' AND EXISTS (SELECT FROM removed WHERE starts_with(leads.number, removed.prefix))
      AND NOT EXISTS (SELECT FROM do_not_call WHERE do_not_call.number = leads.number)
      AND NOT EXISTS (
          SELECT FROM do_not_call_prefixes AS other
          WHERE starts_with(leads.number, other.prefix) AND (other.prefix, other.list) NOT IN (SELECT prefix, list FROM removed))
    RETURNING id
)
SELECT (SELECT count(*) FROM removed), (SELECT count(*) FROM returned);

-- name: do_not_call_list
-- Entries in the order of their numbers, a page at a time; a prefix ends with a star.
SELECT number, list, reason, added_by, extract(epoch FROM added_at)::float8
FROM (
    SELECT number, list, reason, added_by, added_at FROM do_not_call
    UNION ALL
    SELECT prefix || '*', list, reason, added_by, added_at FROM do_not_call_prefixes
) AS entries
WHERE (number, list) > (%(after_number)s, %(after_list)s) ORDER BY number, list LIMIT %(limit)s;
