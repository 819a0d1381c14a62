-- Attempts: opened through the last gate, closed once, found again after a crash.
--
-- Leads are looked up by id here, and the conditions on claimed_epoch are written so that no partial index fits: by statistics of a minute ago the planner
-- may think that leads_in_hand is empty, and read all of it for one lead.

-- name: open_attempts (prepared)
-- The last gate (D4, D8). Locks first, in a fixed order, then judges in a statement that waits for nothing: it sees all that was committed while
-- the locks were waited for. One verdict per attempt, in the order given: NULL = committed, or already committed by a call whose answer was lost.
SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL FOR SHARE;
SELECT FROM campaigns WHERE name = ANY (%(campaigns)s::text[]) ORDER BY name FOR SHARE;
SELECT FROM leads WHERE id = ANY (%(leads)s::bigint[]) ORDER BY id FOR NO KEY UPDATE;
WITH given AS MATERIALIZED (
    SELECT given.*, row_number() OVER (PARTITION BY lead ORDER BY place) AS nth
    FROM unnest(
        %(ids)s::uuid[], %(campaigns)s::text[], %(revisions)s::integer[], %(leads)s::bigint[], %(legs)s::uuid[], %(numbers)s::text[],
        %(gateways)s::text[], %(caller_ids)s::text[], %(agents)s::text[], %(opened_ats)s::float8[]
    ) WITH ORDINALITY AS given (id, campaign, revision, lead, leg, number, gateway, caller_id, agent, opened_at, place)
),
judged AS MATERIALIZED (
    SELECT given.*, ours.status AS lead_status,
        CASE
            WHEN NOT EXISTS (SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL) THEN 'epoch'
            WHEN already.id = given.id THEN 'opened'
            WHEN campaigns.state IS DISTINCT FROM 'running' THEN 'campaign_paused'
            WHEN already.id IS NOT NULL OR given.nth > 1 THEN 'already_open'
            WHEN EXISTS (SELECT FROM do_not_call WHERE do_not_call.number = given.number) THEN 'do_not_call'
            WHEN ours.id IS NULL THEN 'lead_taken'
        END AS gate,
        ours.id IS NOT NULL AS ours
    FROM given
    LEFT JOIN campaigns ON campaigns.name = given.campaign
    LEFT JOIN leads AS ours
        ON ours.id = given.lead AND ours.campaign = given.campaign
        AND coalesce(ours.claimed_epoch, 0) = %(epoch)s AND ours.status IN ('new', 'retry', 'callback_scheduled')
    LEFT JOIN attempts AS already ON already.lead = given.lead AND already.closed_at IS NULL
),
opened AS (
    INSERT INTO attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at)
    SELECT id, campaign, revision, lead, lead_status, %(epoch)s, leg, number, gateway, caller_id, agent, to_timestamp(opened_at)
    FROM judged WHERE gate IS NULL
),
in_progress AS (
    UPDATE leads SET status = 'in_progress', held_by = ''
    FROM judged WHERE judged.gate IS NULL AND leads.id = judged.lead
),
blocked AS (
    UPDATE leads SET status = 'blocked', held_by = 'do_not_call', claimed_epoch = NULL, claimed_batch = NULL
    FROM judged
    WHERE judged.gate = 'do_not_call' AND judged.ours AND leads.id = judged.lead
)
SELECT nullif(gate, 'opened') FROM judged ORDER BY place;

-- name: close_attempts (prepared)
-- Write results and what they make of their leads, each once: an attempt that is closed already is left alone, and so is its lead. A lead that a person
-- stopped or blocked meanwhile keeps that status. Returns the ids that name no attempt.
SELECT FROM leads WHERE id = ANY (%(leads)s::bigint[]) ORDER BY id FOR NO KEY UPDATE;
WITH given AS MATERIALIZED (
    SELECT DISTINCT ON (id) given.*
    FROM unnest(
        %(ids)s::uuid[], %(outcomes)s::text[], %(causes)s::text[], %(sip_statuses)s::integer[], %(agents)s::text[], %(rang_ats)s::float8[],
        %(answered_ats)s::float8[], %(bridged_ats)s::float8[], %(ended_ats)s::float8[], %(misseds)s::boolean[], %(leg_seens)s::boolean[],
        %(statuses)s::text[], %(attempts)s::integer[], %(ours_in_rows)s::integer[], %(ready_ats)s::float8[]
    ) WITH ORDINALITY AS given (
        id, outcome, cause, sip_status, agent, rang_at, answered_at, bridged_at, ended_at, missed, leg_seen, status, attempts, ours_in_row, ready_at, place)
    ORDER BY id, place
),
closed AS (
    UPDATE attempts
    SET outcome = given.outcome, cause = given.cause, sip_status = given.sip_status, agent = given.agent, missed = given.missed,
        leg_seen = given.leg_seen, rang_at = to_timestamp(given.rang_at), answered_at = to_timestamp(given.answered_at),
        bridged_at = to_timestamp(given.bridged_at), ended_at = to_timestamp(given.ended_at), closed_at = now()
    FROM given
    WHERE attempts.id = given.id AND attempts.outcome IS NULL
    RETURNING attempts.id, attempts.lead, attempts.lead_status
),
freed AS (
    UPDATE leads
    SET status = CASE WHEN leads.status <> 'in_progress' THEN leads.status
                      WHEN given.status = 'in_progress' THEN closed.lead_status
                      ELSE given.status END,
        attempts = given.attempts, ours_in_row = given.ours_in_row, ready_at = to_timestamp(given.ready_at),
        held_by = '', claimed_epoch = NULL, claimed_batch = NULL
    FROM closed JOIN given ON given.id = closed.id
    WHERE leads.id = closed.lead
)
SELECT given.id::text FROM given WHERE NOT EXISTS (SELECT FROM attempts WHERE attempts.id = given.id);

-- name: open_attempts_found
-- Every attempt without a result, with its lead as it stood when it was claimed.
SELECT attempts.id::text, attempts.campaign, attempts.revision, attempts.lead, attempts.leg::text, attempts.number, attempts.gateway,
       attempts.caller_id, attempts.agent, extract(epoch FROM attempts.opened_at)::float8,
       leads.number, leads.zone_set, attempts.lead_status, leads.attempts, leads.ours_in_row, extract(epoch FROM leads.ready_at)::float8
FROM attempts JOIN leads ON leads.id = attempts.lead
WHERE attempts.closed_at IS NULL
ORDER BY attempts.opened_at, attempts.id;
