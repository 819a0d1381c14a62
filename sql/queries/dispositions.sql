-- Results that people give to calls (M12, M24), and calls looked at one by one or exported with their evidence (X8).

-- name: attempt_to_dispose
-- A call by its id: whose it is, how it ended, what was said of it so far; whether it is over, and whether it is its lead's newest.
SELECT id::text, campaign, revision, lead, number, agent, outcome, rang_at IS NOT NULL, missed, disposition, disposed_by, answers, opened_at,
       NOT EXISTS (
           SELECT FROM all_attempts AS later WHERE later.lead = found.lead AND (later.opened_at, later.id) > (found.opened_at, found.id)),
       closed_at IS NOT NULL, note, disposition_kept, extract(epoch FROM ended_at)::float8
FROM all_attempts AS found
WHERE id = %(attempt)s::uuid;

-- name: lock_attempt
-- The same call's row, until the end of the transaction.
SELECT FROM attempts WHERE id = %(attempt)s::uuid AND opened_at = %(opened_at)s FOR NO KEY UPDATE;

-- name: revision_of_campaign
-- A campaign's definition at the revision that a call was made under.
SELECT definition FROM campaign_revisions WHERE campaign = %(campaign)s AND revision = %(revision)s;

-- name: keep_disposition
-- What agents chose while the call is up, with answers and note: filed when it ends. No row: it has ended meanwhile.
UPDATE attempts_open SET disposition_kept = %(kept)s::jsonb, answers = %(answers)s::jsonb, note = %(note)s WHERE id = %(attempt)s::uuid RETURNING id;

-- name: keep_answers
-- Answers and note so far, of a call that is up or over. No row: there is no such call any more.
WITH up AS (
    UPDATE attempts_open SET answers = %(answers)s::jsonb, note = %(note)s WHERE id = %(attempt)s::uuid RETURNING id
),
over AS (
    UPDATE attempts SET answers = %(answers)s::jsonb, note = %(note)s
    WHERE id = %(attempt)s::uuid AND opened_at = %(opened_at)s RETURNING id
)
SELECT id FROM up UNION ALL SELECT id FROM over;

-- name: lock_open_attempt
-- A call that is up, until the end of the transaction; no row when it is over.
SELECT answers, note FROM attempts_open WHERE id = %(attempt)s::uuid FOR NO KEY UPDATE;

-- name: drop_kept
-- Results chosen during the call are not to be filed: nobody met, or somebody has set another meanwhile.
UPDATE attempts SET disposition_kept = NULL WHERE id = %(attempt)s::uuid AND opened_at = %(opened_at)s;

-- name: kept_dispositions
-- A page of calls that are over and whose agents chose a result before, the oldest first, behind one of them.
SELECT id::text, opened_at FROM attempts
WHERE disposition_kept IS NOT NULL AND NOT disposition_kept ? 'failed'
  AND (%(opened_at)s::timestamptz IS NULL OR (opened_at, id) > (%(opened_at)s, %(id)s::uuid))
ORDER BY opened_at, id LIMIT %(limit)s;

-- name: set_kept_aside
-- A choice that cannot be filed: kept, with why, and asked about no more.
UPDATE attempts SET disposition_kept = jsonb_build_object('failed', %(error)s::text, 'kept', disposition_kept)
WHERE id = %(attempt)s::uuid AND disposition_kept IS NOT NULL;

-- name: last_said
-- What was said last of a call, whatever it did.
SELECT details FROM audit
WHERE what = 'dispose_attempt' AND target = %(number)s AND details ->> 'attempt' = %(attempt)s
ORDER BY id DESC LIMIT 1;

-- name: last_disposition
-- What the last result of a call did that changed the lead, and how long ago it was, in seconds by the database's clock. No row: none did.
SELECT details, extract(epoch FROM now() - at)::float8 FROM audit
WHERE what = 'dispose_attempt' AND target = %(number)s AND details ->> 'attempt' = %(attempt)s AND details ? 'before'
ORDER BY id DESC LIMIT 1;

-- name: last_mark
-- What a person marked a lead as, last, since a call to it began.
SELECT details ->> 'mark', who FROM audit
WHERE what = 'lead_mark' AND target = ANY (%(numbers)s::text[]) AND (details ->> 'lead')::bigint = %(lead)s AND at > %(since)s
ORDER BY id DESC LIMIT 1;

-- name: dispose
-- Write a result down; a decision of '' leaves what the call's end said of the lead.
UPDATE attempts
SET disposition = %(disposition)s, disposed_by = %(who)s, disposed_at = now(), answers = %(answers)s::jsonb, note = %(note)s, disposition_kept = NULL,
    decision = CASE WHEN %(decision)s = '' THEN decision ELSE %(decision)s END
WHERE id = %(attempt)s::uuid AND opened_at = %(opened_at)s
RETURNING id;

-- name: disposition_happened
-- For triggers that listen.
WITH happened AS (
    INSERT INTO happenings (kind, data) SELECT 'disposition_set', %(data)s::jsonb WHERE heard('disposition_set') RETURNING id
)
SELECT pg_notify('fs_dialer', 'happenings:') FROM happened;

-- name: leave_group
-- A contact leaves the group that its campaign draws from (M11). Returns the group, where he was in it.
DELETE FROM group_members WHERE contact = %(contact)s AND contact_group = %(group)s AND %(group)s <> '' RETURNING contact_group;

-- name: back_into_group
-- And comes back.
INSERT INTO group_members (contact_group, contact) VALUES (%(group)s, %(contact)s) ON CONFLICT DO NOTHING;

-- name: no_callback_until
-- Until when a number is left alone by one campaign ('' = by all), by that mark alone; no row: there is none.
SELECT extract(epoch FROM until)::float8 FROM no_callback WHERE number = %(number)s AND campaign = %(campaign)s;

-- --- looking

-- name: attempt_page
-- Calls of a campaign or lead, newest first, NULL = of any.
SELECT id::text, campaign, revision, lead, number, gateway, caller_id, agent, extract(epoch FROM opened_at)::float8, outcome, cause, sip_status,
       extract(epoch FROM rang_at)::float8, extract(epoch FROM answered_at)::float8, extract(epoch FROM bridged_at)::float8,
       extract(epoch FROM ended_at)::float8, missed, decision, disposition, disposed_by, extract(epoch FROM disposed_at)::float8, answers
FROM all_attempts
WHERE (%(campaign)s::text IS NULL OR campaign = %(campaign)s)
  AND (%(lead)s::bigint IS NULL OR lead = %(lead)s)
  AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
  AND (%(disposition)s::text IS NULL OR disposition = %(disposition)s)
  AND (%(since)s::float8 IS NULL OR opened_at >= to_timestamp(%(since)s))
  AND (%(until)s::float8 IS NULL OR opened_at < to_timestamp(%(until)s))
ORDER BY opened_at DESC, id DESC
LIMIT %(limit)s;

-- name: attempt_evidence
-- One call with all that is known of it.
SELECT id::text, campaign, revision, lead, number, gateway, caller_id, agent, extract(epoch FROM opened_at)::float8, outcome, cause, sip_status,
       extract(epoch FROM rang_at)::float8, extract(epoch FROM answered_at)::float8, extract(epoch FROM bridged_at)::float8,
       extract(epoch FROM ended_at)::float8, missed, decision, disposition, disposed_by, extract(epoch FROM disposed_at)::float8, answers,
       leg::text, leg_seen, lead_status, epoch, gates, extract(epoch FROM closed_at)::float8
FROM all_attempts WHERE id = %(attempt)s::uuid;

-- name: declare_evidence
-- A campaign's calls that are over, oldest first, as a cursor: however many there are, few are in memory. Inside a transaction.
DECLARE evidence NO SCROLL CURSOR FOR
SELECT id::text, campaign, revision, lead, number, gateway, caller_id, agent, extract(epoch FROM opened_at)::float8, outcome, cause, sip_status,
       extract(epoch FROM rang_at)::float8, extract(epoch FROM answered_at)::float8, extract(epoch FROM bridged_at)::float8,
       extract(epoch FROM ended_at)::float8, missed, decision, disposition, disposed_by, extract(epoch FROM disposed_at)::float8, answers,
       leg::text, leg_seen, lead_status, epoch, gates, extract(epoch FROM closed_at)::float8
FROM attempts
WHERE campaign = %(campaign)s
  AND (%(since)s::float8 IS NULL OR opened_at >= to_timestamp(%(since)s))
  AND (%(until)s::float8 IS NULL OR opened_at < to_timestamp(%(until)s))
ORDER BY opened_at, id;

-- name: fetch_evidence
-- The next of them.
FETCH FORWARD 1000 FROM evidence;
