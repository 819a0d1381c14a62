-- Attempts: opened through the last gate, closed once, found again after a crash.
--
-- Everything is looked up by key here, and the two big queries see to it that the planner does so too. By statistics of a minute ago attempts_open or
-- do_not_call may look empty, and reading all of it then seems cheap: hence enable_seqscan = off, look-ups as scalar subqueries (never hashed), and
-- conditions on claimed_epoch written so that no partial index fits.

-- name: open_attempts (prepared)
-- The last gate (D4, D8, D10, D16). Locks first, in a fixed order (the numbers too: two leads of one number have no row in common), then judges in a
-- statement that waits for nothing: it sees all that was committed while the locks were waited for. One verdict per attempt, in the order given: NULL =
-- committed, or already committed by a call whose answer was lost; and when it may be asked again, NULL = not by time alone. An attempt that was closed
-- before is not opened again: a statement whose connection was lost may be carried out long after everybody has forgotten it.
SET LOCAL enable_seqscan = off;
SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL FOR SHARE;
SELECT FROM campaigns WHERE name = ANY (%(campaigns)s::text[]) ORDER BY name FOR SHARE;
SELECT pg_advisory_xact_lock(1718838628, key)
FROM (SELECT DISTINCT hashtext(number) AS key FROM unnest(%(numbers)s::text[]) AS given (number) ORDER BY key) AS keys;
SELECT FROM leads WHERE id = ANY (%(leads)s::bigint[]) ORDER BY id FOR NO KEY UPDATE;
WITH given AS MATERIALIZED (
    SELECT given.*, row_number() OVER (PARTITION BY lead ORDER BY place) AS nth
    FROM unnest(
        %(ids)s::uuid[], %(campaigns)s::text[], %(revisions)s::integer[], %(leads)s::bigint[], %(legs)s::uuid[], %(numbers)s::text[],
        %(gateways)s::text[], %(caller_ids)s::text[], %(agents)s::text[], %(opened_ats)s::float8[], %(caps)s::jsonb[], %(gates)s::jsonb[],
        %(switches)s::text[]
    ) WITH ORDINALITY AS given (id, campaign, revision, lead, leg, number, gateway, caller_id, agent, opened_at, caps, gates, switch, place)
),
looked_up AS MATERIALIZED (
    SELECT given.*, campaigns.state, ours.status AS lead_status, ours.id IS NOT NULL AS ours, ours.claimed_batch,
        (SELECT open.id FROM attempts_open AS open WHERE open.lead = given.lead) AS already,
        (SELECT true FROM attempts_open AS open WHERE open.number = given.number AND open.lead <> given.lead LIMIT 1) AS in_call,
        (SELECT true FROM do_not_call WHERE do_not_call.number = given.number LIMIT 1) AS listed,
        (SELECT true FROM do_not_call_prefixes WHERE starts_with(given.number, prefix) LIMIT 1) AS prefix_listed,
        (
            SELECT extract(epoch FROM max(until))::float8 FROM no_callback
            WHERE no_callback.number = given.number AND no_callback.campaign IN (given.campaign, '') AND until > to_timestamp(given.opened_at)
        ) AS left_alone_until,
        CASE WHEN given.caps IS NOT NULL THEN number_cap_until(given.number, given.caps, given.opened_at) END AS cap_until,
        attempt_is_closed(given.id, to_timestamp(given.opened_at)) AS closed
    FROM given
    LEFT JOIN campaigns ON campaigns.name = given.campaign
    LEFT JOIN leads AS ours
        ON ours.id = given.lead AND ours.campaign = given.campaign AND ours.number = given.number
        AND coalesce(ours.claimed_epoch, 0) = %(epoch)s AND ours.status IN ('new', 'retry', 'callback_scheduled')
),
judged AS MATERIALIZED (
    SELECT looked_up.*,
        CASE
            WHEN NOT EXISTS (SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL) THEN 'epoch'
            WHEN already = id THEN 'opened'
            WHEN state IS DISTINCT FROM 'running' THEN 'campaign_paused'
            WHEN already IS NOT NULL OR nth > 1 OR closed THEN 'already_open'
            WHEN in_call THEN 'number_in_call'
            WHEN listed OR prefix_listed THEN 'do_not_call'
            WHEN left_alone_until IS NOT NULL THEN 'no_callback'
            WHEN cap_until IS NOT NULL THEN 'number_cap'
            WHEN NOT ours THEN 'lead_taken'
        END AS gate
    FROM looked_up
),
verdicts AS MATERIALIZED (
    SELECT judged.*,
        CASE WHEN gate IS NULL AND row_number() OVER (PARTITION BY number, gate IS NULL ORDER BY place) > 1 THEN 'number_in_call' ELSE gate END AS verdict
    FROM judged
),
opened AS (
    INSERT INTO attempts_open (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at, gates, switch)
    SELECT id, campaign, revision, lead, lead_status, %(epoch)s, leg, number, gateway, caller_id, agent, to_timestamp(opened_at), gates, switch
    FROM verdicts WHERE verdict IS NULL
),
dialled AS (
    UPDATE lead_takes SET dialled_at = to_timestamp(verdicts.opened_at)
    FROM verdicts
    WHERE verdict IS NULL AND lead_takes.lead = verdicts.lead AND lead_takes.lead = ANY (%(leads)s::bigint[])
      AND lead_takes.epoch = %(epoch)s AND lead_takes.batch = claimed_batch AND lead_takes.dialled_at IS NULL
),
in_progress AS (
    UPDATE leads SET status = 'in_progress', held_by = ''
    FROM verdicts WHERE verdict IS NULL AND leads.id = verdicts.lead
),
blocked AS (
    UPDATE leads SET status = 'blocked', held_by = 'do_not_call', claimed_epoch = NULL, claimed_batch = NULL
    FROM verdicts WHERE verdict = 'do_not_call' AND ours AND leads.id = verdicts.lead
),
refused AS (
    UPDATE leads
    SET status = 'refused', status_before = verdicts.lead_status, ready_at = to_timestamp(left_alone_until), ready_why = 'no_callback',
        held_by = 'no_callback', claimed_epoch = NULL, claimed_batch = NULL
    FROM verdicts WHERE verdict = 'no_callback' AND ours AND leads.id = verdicts.lead
)
SELECT nullif(verdict, 'opened'),
       CASE verdict WHEN 'number_in_call' THEN opened_at + 60 WHEN 'no_callback' THEN left_alone_until WHEN 'number_cap' THEN cap_until END
FROM verdicts ORDER BY place;

-- name: close_attempts (prepared)
-- Write results and what they make of their leads, each once: an attempt that is closed already is left alone, and so is its lead. A lead that a person
-- stopped, blocked or refused meanwhile keeps that; what the call would have made of it is what a refused one returns to. A contact's next number comes
-- under a copy number that no other lead can have: copies made on purpose count up from the highest, and never that far. Marks not to be called back reach the
-- number's other leads here if nobody has them, else at the last gate. A lead whose agent chose a result while the
-- call was up is not told to be finished here (`untold`): his result decides. Returns the ids of attempts that are not open, of those with such results, and
-- of those that settle requests to be called back, or whose lead's were settled while they were up.
SET LOCAL enable_seqscan = off;
SELECT FROM leads WHERE id = ANY (%(leads)s::bigint[]) ORDER BY id FOR NO KEY UPDATE;
WITH given AS MATERIALIZED (
    SELECT DISTINCT ON (id) given.*
    FROM unnest(
        %(ids)s::uuid[], %(outcomes)s::text[], %(causes)s::text[], %(sip_statuses)s::integer[], %(agents)s::text[], %(rang_ats)s::float8[],
        %(answered_ats)s::float8[], %(bridged_ats)s::float8[], %(ended_ats)s::float8[], %(misseds)s::boolean[], %(leg_seens)s::boolean[],
        %(tickets)s::text[], %(decisions)s::text[], %(statuses)s::text[], %(attempts)s::integer[], %(ours_in_rows)s::integer[],
        %(ready_ats)s::float8[], %(ready_whys)s::text[], %(promised_tos)s::text[], %(caller_ids)s::text[], %(parameters)s::jsonb[],
        %(next_numbers)s::text[], %(leave_groups)s::boolean[], %(statuses_before)s::text[], %(no_callbacks)s::float8[],
        %(for_alls)s::boolean[], %(recorded_froms)s::float8[], %(recorded_untils)s::float8[], %(ivrs)s::jsonb[], %(left_ats)s::text[],
        %(switches)s::text[], %(recordings)s::text[]
    ) WITH ORDINALITY AS given (
        id, outcome, cause, sip_status, agent, rang_at, answered_at, bridged_at, ended_at, missed, leg_seen, ticket, decision, status, attempts,
        ours_in_row, ready_at, ready_why, promised_to, caller_id_seen, parameters, next_number, leave_group, status_before, no_callback, for_all,
        recorded_from, recorded_until, ivr, left_at, switch, recording, place)
    ORDER BY id, place
),
closed AS (
    DELETE FROM attempts_open WHERE id = ANY (%(ids)s::uuid[]) RETURNING *
),
results AS MATERIALIZED (
    SELECT given.*, closed.campaign, closed.revision, closed.lead, closed.lead_status, closed.epoch, closed.leg, closed.number, closed.gateway,
        closed.caller_id, closed.opened_at, closed.gates, closed.answers, closed.note, closed.disposition_kept,
        leads.contact, leads.status <> 'in_progress' AS kept,
        CASE WHEN given.status = 'in_progress' THEN closed.lead_status ELSE given.status END AS next_status,
        leads.status = 'in_progress' AND given.next_number <> '' AND jsonb_array_length(leads.other_numbers) > 0 AS rotates
    FROM closed
    JOIN given ON given.id = closed.id
    JOIN leads ON leads.id = closed.lead
),
written AS (
    INSERT INTO attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at, gates, outcome, cause,
                          sip_status, rang_at, answered_at, bridged_at, ended_at, missed, leg_seen, decision, answers, note, disposition_kept,
                          recorded_from, recorded_until, ivr, left_at, switch)
    SELECT id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at, gates, outcome, cause,
           sip_status, to_timestamp(rang_at), to_timestamp(answered_at), to_timestamp(bridged_at), to_timestamp(ended_at), missed, leg_seen, decision,
           answers, note,
           CASE WHEN NOT kept AND next_status NOT IN ('new', 'in_progress', 'retry', 'callback_scheduled') THEN disposition_kept || '{"untold": true}'
                ELSE disposition_kept END,
           to_timestamp(recorded_from), to_timestamp(recorded_until), ivr, left_at, switch
    FROM results
    ON CONFLICT DO NOTHING
),
freed AS (
    UPDATE leads
    SET status = CASE WHEN kept THEN leads.status ELSE next_status END,
        status_before = CASE
            WHEN kept AND leads.status <> 'refused' THEN leads.status_before
            WHEN next_status <> 'refused' THEN CASE WHEN kept THEN nullif(next_status, 'blocked') END
            WHEN results.status_before IN ('in_progress', 'refused', 'blocked') THEN lead_status
            ELSE coalesce(results.status_before, lead_status)
        END,
        attempts = results.attempts, ours_in_row = results.ours_in_row,
        ready_at = CASE WHEN kept AND leads.status = 'refused' THEN greatest(leads.ready_at, to_timestamp(no_callback))
                        WHEN kept AND leads.status = 'callback_scheduled' THEN leads.ready_at
                        WHEN next_status = 'refused' THEN to_timestamp(coalesce(no_callback, results.ready_at))
                        ELSE to_timestamp(results.ready_at) END,
        ready_why = CASE WHEN kept AND leads.status = 'callback_scheduled' THEN leads.ready_why
                         WHEN kept AND leads.status = 'refused' OR next_status = 'refused' THEN 'no_callback' ELSE results.ready_why END,
        held_by = CASE WHEN kept THEN leads.held_by WHEN next_status = 'refused' THEN 'no_callback' ELSE '' END,
        agent = CASE WHEN kept AND leads.status = 'callback_scheduled' THEN leads.agent ELSE promised_to END,
        caller_id = CASE WHEN caller_id_seen = '' THEN leads.caller_id ELSE caller_id_seen END,
        met = CASE WHEN outcome = 'connected' THEN coalesce(results.agent, leads.met) ELSE leads.met END,
        last_outcome = CASE WHEN outcome IN ('network', 'ours', 'cancelled', 'unknown') THEN leads.last_outcome ELSE outcome END,
        parameters = leads.parameters || results.parameters,
        number = CASE WHEN rotates THEN leads.other_numbers -> 0 ->> 0 ELSE leads.number END,
        zone_set = CASE WHEN rotates THEN leads.other_numbers -> 0 ->> 1 ELSE leads.zone_set END,
        copy = CASE WHEN rotates THEN leads.id << 20 ELSE leads.copy END,
        other_numbers = CASE WHEN NOT rotates THEN leads.other_numbers
                             WHEN next_number = 'drop' THEN leads.other_numbers - 0
                             ELSE (leads.other_numbers - 0) || jsonb_build_array(jsonb_build_array(leads.number, leads.zone_set)) END,
        claimed_epoch = NULL, claimed_batch = NULL
    FROM results
    WHERE leads.id = results.lead
    RETURNING leads.id, leads.campaign, leads.zone_set, leads.status, results.id AS attempt, results.number, outcome, place, kept, rotates, disposition_kept
),
zone_sets AS (
    INSERT INTO campaign_zone_sets (campaign, zone_set) SELECT DISTINCT campaign, zone_set FROM freed WHERE rotates ORDER BY 1, 2
    ON CONFLICT DO NOTHING
),
leaving AS MATERIALIZED (
    SELECT results.contact, revision.definition -> 'leads' ->> 'group' AS contact_group
    FROM results JOIN campaign_revisions AS revision ON revision.campaign = results.campaign AND revision.revision = results.revision
    WHERE leave_group
),
left_group AS (
    DELETE FROM group_members
    WHERE contact = ANY (ARRAY (SELECT contact FROM leaving)) AND (contact_group, contact) IN (SELECT contact_group, contact FROM leaving)
),
marked AS (
    INSERT INTO no_callback (number, campaign, until, reason, added_by)
    SELECT DISTINCT ON (number, scope) number, scope, to_timestamp(no_callback), decision, coalesce(agent, 'fs-dialer')
    FROM results, LATERAL (SELECT CASE WHEN for_all THEN '' ELSE campaign END AS scope) AS scopes
    WHERE no_callback IS NOT NULL
    ORDER BY number, scope, no_callback DESC
    ON CONFLICT (number, campaign) DO UPDATE
    SET until = greatest(no_callback.until, excluded.until), reason = excluded.reason, added_by = excluded.added_by, added_at = excluded.added_at
),
others AS MATERIALIZED (
    SELECT leads.id, results.no_callback
    FROM leads JOIN results ON results.number = leads.number AND (results.for_all OR results.campaign = leads.campaign)
    WHERE leads.number = ANY (ARRAY (SELECT number FROM results WHERE no_callback IS NOT NULL)) AND results.no_callback IS NOT NULL
      AND coalesce(leads.claimed_epoch, 0) = 0 AND leads.status IN ('new', 'retry', 'callback_scheduled')
      AND leads.id <> ALL (%(leads)s::bigint[])
    FOR NO KEY UPDATE OF leads SKIP LOCKED
),
left_alone AS (
    UPDATE leads
    SET status = 'refused', status_before = leads.status, ready_at = to_timestamp(until), ready_why = 'no_callback', held_by = 'no_callback'
    FROM (SELECT id, max(no_callback) AS until FROM others GROUP BY id) AS other
    WHERE leads.id = other.id
),
ticketed AS (
    INSERT INTO tickets (channel, campaign, lead, attempt, number, agent, outcome, recording)
    SELECT ticket, campaign, lead, id, number, agent, outcome, recording FROM results WHERE ticket <> '' ORDER BY place
    ON CONFLICT (attempt) DO NOTHING
    RETURNING id, channel, campaign, lead, attempt, number, outcome, queue
),
happened AS (
    INSERT INTO happenings (kind, data)
    SELECT kind, data
    FROM (
        SELECT 1 AS nth, place, 'attempt_ended' AS kind, jsonb_build_object(
            'campaign', campaign, 'lead', lead, 'attempt', id, 'number', number, 'outcome', outcome, 'missed', missed, 'agent', agent,
            'gateway', gateway, 'caller_id', caller_id) AS data
        FROM results WHERE heard('attempt_ended')
        UNION ALL
        SELECT 2, place, 'ticket_created', jsonb_build_object(
            'ticket', ticketed.id, 'channel', channel, 'campaign', ticketed.campaign, 'lead', ticketed.lead, 'attempt', attempt,
            'number', ticketed.number, 'outcome', ticketed.outcome, 'queue', queue)
        FROM ticketed JOIN results ON results.id = ticketed.attempt WHERE heard('ticket_created')
        UNION ALL
        SELECT 3, place, 'lead_finished', jsonb_build_object(
            'campaign', campaign, 'lead', id, 'attempt', attempt, 'number', number, 'outcome', outcome, 'status', status)
        FROM freed
        WHERE NOT kept AND status NOT IN ('new', 'in_progress', 'retry', 'callback_scheduled') AND disposition_kept IS NULL AND heard('lead_finished')
    ) AS what
    ORDER BY place, nth
    RETURNING id
)
SELECT ARRAY (SELECT id::text FROM given WHERE id NOT IN (SELECT id FROM closed)),
       (SELECT count(pg_notify('fs_dialer', 'happenings:')) FROM (SELECT FROM happened LIMIT 1) AS any_happened),
       ARRAY (SELECT id::text FROM results WHERE disposition_kept IS NOT NULL),
       ARRAY (
           SELECT id::text FROM results
           WHERE (outcome = 'connected' AND bridged_at IS NOT NULL AND EXISTS (
                     SELECT FROM tickets WHERE tickets.number = results.number AND closed_at IS NULL AND tickets.queue <> ''))
              OR EXISTS (SELECT FROM tickets WHERE tickets.lead = results.lead AND closed_how IN ('served', 'expired')));

-- name: attempts_closed
-- Which of these attempts are over.
SELECT id::text FROM attempts WHERE id = ANY (%(ids)s::uuid[]);

-- name: open_attempts_found
-- Every attempt without a result, with its lead as it stood when it was claimed, and the definition it was dialled under where another one dials now.
SELECT attempts.id::text, attempts.campaign, attempts.revision, attempts.lead, attempts.leg::text, attempts.number, attempts.gateway,
       attempts.caller_id, attempts.agent, extract(epoch FROM attempts.opened_at)::float8, attempts.gates,
       leads.number, leads.zone_set, attempts.lead_status, leads.attempts, leads.ours_in_row, extract(epoch FROM leads.ready_at)::float8,
       leads.ready_why, leads.agent, leads.caller_id, jsonb_array_length(leads.other_numbers), leads.met, leads.last_outcome, attempts.switch,
       revision.definition
FROM attempts_open AS attempts
JOIN leads ON leads.id = attempts.lead
JOIN campaigns ON campaigns.name = attempts.campaign
LEFT JOIN campaign_revisions AS revision
    ON revision.campaign = attempts.campaign AND revision.revision = attempts.revision
   AND attempts.revision <> coalesce(campaigns.approved_revision, campaigns.newest_revision)
ORDER BY attempts.opened_at, attempts.id;
