-- What customers did in the flows of autocall campaigns, and how queues fared. Attempts of a month stand in one partition; `ivr` is read from there.

-- name: flow_answers
-- How often each answer was given at each node. What was entered digit by digit, and how long was recorded, is told one by one in the detail only: here it
-- counts as given or not. A recording with which the flow ended has a second word, which is no answer. Of persons, as far as their way is known.
-- Returns node, kind, name, answer, times, in how many calls, seconds recorded.
SELECT step.value ->> 0 AS node, step.value ->> 1 AS kind, step.value ->> 2 AS name,
       CASE WHEN step.value ->> 1 IN ('gather', 'record') THEN CASE WHEN step.value ->> 3 IN ('', '0') THEN '' ELSE 'given' END
            ELSE step.value ->> 3 END AS answer,
       count(*), count(DISTINCT attempts.id),
       coalesce(sum(CASE WHEN step.value ->> 1 = 'record' AND step.value ->> 3 ~ '^[0-9]{1,6}$' THEN (step.value ->> 3)::integer END), 0)::bigint
FROM attempts, jsonb_array_elements(attempts.ivr) AS step
WHERE NOT (step.value ->> 1 = 'record' AND step.value ->> 3 = 'success') AND outcome NOT IN ('machine', 'unknown') AND campaign = %(campaign)s AND opened_at >= to_timestamp(%(since)s) AND opened_at < to_timestamp(%(until)s)
  AND (%(agent)s::text IS NULL OR agent = %(agent)s)
  AND (%(caller_id)s::text IS NULL OR caller_id = %(caller_id)s)
  AND (%(gateway)s::text IS NULL OR gateway = %(gateway)s)
GROUP BY 1, 2, 3, 4
ORDER BY 1, 5 DESC, 4;

-- name: flow_left
-- Where people were when the call ended: '' = at an end of the flow. Of persons who answered and whose way is known.
SELECT left_at, count(*), count(*) FILTER (WHERE bridged_at IS NOT NULL)
FROM attempts
WHERE campaign = %(campaign)s AND opened_at >= to_timestamp(%(since)s) AND opened_at < to_timestamp(%(until)s)
  AND (%(agent)s::text IS NULL OR agent = %(agent)s)
  AND (%(caller_id)s::text IS NULL OR caller_id = %(caller_id)s)
  AND (%(gateway)s::text IS NULL OR gateway = %(gateway)s)
  AND answered_at IS NOT NULL AND outcome NOT IN ('machine', 'unknown') AND (ivr <> '[]' OR left_at <> '')
GROUP BY left_at
ORDER BY 2 DESC, 1;

-- name: flow_totals
-- Calls that were answered: by persons, by machines; and of persons: met an agent; left a message at one of these nodes; asked not to be called (as far as
-- that is known, whatever became of the call); came to an end that counts as success, or to a last node, which writes the same word.
SELECT count(*) FILTER (WHERE outcome NOT IN ('machine', 'unknown')), count(*) FILTER (WHERE outcome = 'machine'), count(*) FILTER (WHERE bridged_at IS NOT NULL),
       count(*) FILTER (WHERE outcome <> 'machine' AND EXISTS (
           SELECT FROM jsonb_array_elements(ivr) AS step
           WHERE step.value ->> 1 = 'record' AND step.value ->> 0 = ANY (%(messages)s::text[]) AND step.value ->> 3 ~ '^0*[1-9][0-9]*$')),
       count(*) FILTER (WHERE EXISTS (SELECT FROM jsonb_array_elements(ivr) AS step WHERE step.value ->> 1 = 'opt_out')),
       count(*) FILTER (WHERE outcome <> 'machine' AND EXISTS (SELECT FROM jsonb_array_elements(ivr) AS step WHERE step.value ->> 3 = 'success'))
FROM attempts
WHERE campaign = %(campaign)s AND opened_at >= to_timestamp(%(since)s) AND opened_at < to_timestamp(%(until)s)
  AND (%(agent)s::text IS NULL OR agent = %(agent)s)
  AND (%(caller_id)s::text IS NULL OR caller_id = %(caller_id)s)
  AND (%(gateway)s::text IS NULL OR gateway = %(gateway)s)
  AND answered_at IS NOT NULL;

-- name: queue_figures
-- Callers who came in a span, by queue (NULL = all): how each ended, waits of the served, how many of all were served within so many seconds.
SELECT queue, count(*), count(*) FILTER (WHERE served_at IS NOT NULL),
       count(*) FILTER (WHERE served_at IS NULL AND why = 'callback'), count(*) FILTER (WHERE served_at IS NULL AND why = 'voicemail'),
       count(*) FILTER (WHERE served_at IS NULL AND why = 'overflow'), count(*) FILTER (WHERE served_at IS NULL AND why = 'max_wait'),
       count(*) FILTER (WHERE served_at IS NULL AND why = 'hung_up'), count(*) FILTER (WHERE served_at IS NULL AND why = 'released'),
       count(*) FILTER (WHERE served_at IS NULL AND why IN ('', 'lost', 'served')),
       coalesce(avg(waited_s) FILTER (WHERE served_at IS NOT NULL), 0),
       coalesce(percentile_cont(0.9) WITHIN GROUP (ORDER BY waited_s) FILTER (WHERE served_at IS NOT NULL), 0),
       coalesce(max(waited_s), 0), count(*) FILTER (WHERE served_at IS NOT NULL AND waited_s <= %(within_s)s), coalesce(sum(talked_s), 0)
FROM callers
WHERE came_at >= to_timestamp(%(since)s) AND came_at < to_timestamp(%(until)s) AND (%(queue)s::text IS NULL OR queue = %(queue)s)
GROUP BY queue
ORDER BY queue;

-- name: queue_tickets
-- Tickets of queues (NULL = all): open now, by channel, and those of the span that were called back, served otherwise, expired.
SELECT queue, count(*) FILTER (WHERE closed_at IS NULL AND channel = 'callback'), count(*) FILTER (WHERE closed_at IS NULL AND channel = 'missed'),
       count(*) FILTER (WHERE closed_at IS NULL AND channel = 'voicemail'),
       count(*) FILTER (WHERE closed_how = 'called_back' AND coalesce(since, created_at) >= to_timestamp(%(since)s)
                              AND coalesce(since, created_at) < to_timestamp(%(until)s)),
       count(*) FILTER (WHERE closed_how = 'served' AND coalesce(since, created_at) >= to_timestamp(%(since)s)
                              AND coalesce(since, created_at) < to_timestamp(%(until)s)),
       count(*) FILTER (WHERE closed_how = 'expired' AND coalesce(since, created_at) >= to_timestamp(%(since)s)
                              AND coalesce(since, created_at) < to_timestamp(%(until)s))
FROM tickets
WHERE queue <> '' AND (%(queue)s::text IS NULL OR queue = %(queue)s)
GROUP BY queue
ORDER BY queue;

-- name: queue_callers
-- Callers of a queue in a span, the newest first.
SELECT id, queue, number, extract(epoch FROM came_at)::float8, extract(epoch FROM asked_at)::float8, extract(epoch FROM served_at)::float8,
       extract(epoch FROM left_at)::float8, why, agent, waited_s, talked_s, missed, switch, ticket
FROM callers
WHERE queue = %(queue)s AND came_at >= to_timestamp(%(since)s) AND came_at < to_timestamp(%(until)s)
ORDER BY came_at DESC, id
LIMIT %(limit)s;
