-- What `fs-dialer explain` must know of leads, campaigns, caller ids and gateways. Reads only; all queries of one answer see the same moment.
--
-- The rules of dialling are the core's (core/leads.py): here is counted and looked up, and nothing judged. What the store's own last gate looks at
-- (do-not-call, marks, caps, calls that are up: open_attempts) is looked up by the same conditions.

-- name: explain_begin
-- First in a transaction: everything after it sees one moment. Compiling a query costs more than it saves here; sorts should stay in memory; and what several
-- processors count is a few thousand rows, whatever the planner expects, so that handing them over is no reason to count with one.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SET LOCAL jit = off;
SET LOCAL work_mem = '64MB';
SET LOCAL parallel_setup_cost = 100;
SET LOCAL parallel_tuple_cost = 0.001;

-- name: explain_campaign
-- A campaign at the revision that dials, who approved that, and who gave it its state when.
SELECT campaigns.name, campaigns.state, campaigns.started, campaigns.reason, campaigns.newest_revision, campaigns.approved_revision,
       revision.revision, revision.definition, coalesce(approval.who, ''), extract(epoch FROM approval.at)::float8,
       coalesce(newest.who, ''), extract(epoch FROM newest.at)::float8
FROM campaigns
JOIN campaign_revisions AS revision
    ON revision.campaign = campaigns.name AND revision.revision = coalesce(campaigns.approved_revision, campaigns.newest_revision)
LEFT JOIN LATERAL (
    SELECT who, at FROM audit
    WHERE target = campaigns.name AND what = 'campaign_state' AND details ->> 'to' IN ('approved', 'running', 'paused')
      AND (details ->> 'revision')::integer = campaigns.approved_revision
    ORDER BY id LIMIT 1
) AS approval ON true
LEFT JOIN LATERAL (
    SELECT who, at FROM audit
    WHERE target = campaigns.name AND what = 'campaign_state' AND details ->> 'from' <> details ->> 'to'
    ORDER BY id DESC LIMIT 1
) AS newest ON true
WHERE campaigns.name = %(campaign)s;

-- name: explain_campaign_names
-- For a name that nobody has, and for those who use a caller id or gateway: every campaign that has not ended, and of ended ones the name.
SELECT campaigns.name, campaigns.state, CASE WHEN campaigns.state <> 'ended' THEN revision.definition END
FROM campaigns
JOIN campaign_revisions AS revision
    ON revision.campaign = campaigns.name AND revision.revision = coalesce(campaigns.approved_revision, campaigns.newest_revision)
ORDER BY campaigns.name;

-- name: explain_installation
-- Its definition, no row before the first apply; and the caller ids that are defined by name.
SELECT installation.definition, ARRAY (SELECT name FROM definitions WHERE kind = 'caller_ids' ORDER BY name) FROM installation;

-- name: explain_leads_named
-- One lead by its id, or all that a number may mean: those which are called by it, and those of contacts who have it among their numbers.
WITH meant AS MATERIALIZED (
    SELECT id FROM leads WHERE id = %(lead)s::bigint
    UNION
    SELECT id FROM leads WHERE number = %(number)s::text
    UNION
    SELECT leads.id FROM contact_numbers JOIN leads ON leads.contact = contact_numbers.contact WHERE contact_numbers.number = %(number)s::text
    UNION
    SELECT leads.id FROM contacts JOIN leads ON leads.contact = contacts.id WHERE contacts.number = %(number)s::text
)
SELECT leads.id, leads.campaign, leads.number, leads.zone_set, leads.status, leads.attempts, leads.ours_in_row,
       extract(epoch FROM leads.ready_at)::float8, leads.ready_why, leads.agent, leads.caller_id, jsonb_array_length(leads.other_numbers),
       leads.held_by, leads.status_before, leads.claimed_epoch IS NOT NULL, leads.position, contacts.name, leads.last_outcome
FROM meant JOIN leads ON leads.id = meant.id JOIN contacts ON contacts.id = leads.contact
WHERE %(campaign)s::text IS NULL OR leads.campaign = %(campaign)s
ORDER BY leads.campaign, leads.id
LIMIT %(limit)s;

-- name: explain_memory
-- What a campaign has learnt, as of its last save.
SELECT memory FROM campaign_memory WHERE campaign = %(campaign)s;

-- name: explain_lead_lists
-- The do-not-call entries that name a number, prefixes with a star.
SELECT list, number, reason, added_by, extract(epoch FROM added_at)::float8 FROM do_not_call WHERE number = %(number)s
UNION ALL
SELECT list, prefix || '*', reason, added_by, extract(epoch FROM added_at)::float8 FROM do_not_call_prefixes WHERE starts_with(%(number)s, prefix)
ORDER BY 5, 1;

-- name: explain_lists
-- Every do-not-call list with the time of its newest import, NULL = it was never imported; and its stale_after_s, NULL = none is set.
SELECT list, extract(epoch FROM max(at))::float8, max(stale_after_s)
FROM (
    SELECT name AS list, NULL::timestamptz AS at, (definition ->> 'stale_after_s')::float8 AS stale_after_s FROM definitions WHERE kind = 'dnc_lists'
    UNION ALL
    SELECT list, at, NULL FROM do_not_call_imports
    UNION ALL
    SELECT 'own', NULL, NULL WHERE EXISTS (SELECT FROM do_not_call WHERE list = 'own')
    UNION ALL
    SELECT DISTINCT list, NULL::timestamptz, NULL::float8 FROM do_not_call_prefixes
) AS known
GROUP BY list ORDER BY list;

-- name: explain_lead_facts
-- What the store's last gate would look at for one lead at a moment: until when its number is left alone and by whose word, the calls that count for each
-- cap with the moment the oldest that counts ages out, and whether another call to the number is up.
SELECT extract(epoch FROM mark.until)::float8, mark.campaign, mark.reason, mark.added_by, extract(epoch FROM mark.added_at)::float8,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_array(counted.calls, cap.most, cap.within_s, extract(epoch FROM nth.opened_at) + cap.within_s) ORDER BY place),
                        '[]')
        FROM (
            SELECT (item ->> 0)::integer AS most, (item ->> 1)::float8 AS within_s, place
            FROM jsonb_array_elements(%(caps)s::jsonb) WITH ORDINALITY AS given (item, place)
        ) AS cap
        CROSS JOIN LATERAL (
            SELECT (SELECT count(*) FROM attempts
                    WHERE number = %(number)s AND leg_seen AND opened_at > to_timestamp(%(at)s - cap.within_s))
                 + (SELECT count(*) FROM attempts_open WHERE number = %(number)s AND opened_at > to_timestamp(%(at)s - cap.within_s)) AS calls
        ) AS counted
        LEFT JOIN LATERAL (
            SELECT opened_at
            FROM (
                SELECT opened_at FROM attempts
                WHERE number = %(number)s AND leg_seen AND opened_at > to_timestamp(%(at)s - cap.within_s)
                UNION ALL
                SELECT opened_at FROM attempts_open
                WHERE number = %(number)s AND opened_at > to_timestamp(%(at)s - cap.within_s)
            ) AS calls
            ORDER BY opened_at DESC OFFSET cap.most - 1 LIMIT 1
        ) AS nth ON true
    ),
    EXISTS (SELECT FROM attempts_open WHERE number = %(number)s AND lead <> %(lead)s)
FROM (SELECT 1) AS one
LEFT JOIN LATERAL (
    SELECT * FROM no_callback
    WHERE number = %(number)s AND campaign IN (%(campaign)s, '') AND until > to_timestamp(%(at)s)
    ORDER BY until DESC LIMIT 1
) AS mark ON true;

-- name: explain_lead_attempts
-- A lead's newest tries, newest first: when, how it ended, what became of the lead.
SELECT extract(epoch FROM opened_at)::float8, outcome, cause, sip_status, extract(epoch FROM ended_at)::float8, decision, disposition, number
FROM all_attempts WHERE lead = %(lead)s ORDER BY opened_at DESC LIMIT %(limit)s;

-- name: explain_ahead
-- How many leads of the open zone sets would be claimed before this one; counting stops at `limit`. Promised callbacks and remedies (`first`) that are ready
-- come before all others.
SELECT count(*) FROM (
    SELECT FROM leads
    WHERE campaign = %(campaign)s AND zone_set = ANY (%(zone_sets)s::text[]) AND ready_at <= to_timestamp(%(ready_at)s)
      AND (ready_at, position) < (to_timestamp(%(ready_at)s), %(position)s)
      AND claimed_epoch IS NULL AND status IN ('new', 'retry', 'callback_scheduled')
      AND (ready_why IN ('promised', 'remedy')) = %(first)s
    UNION ALL
    SELECT FROM leads
    WHERE NOT %(first)s AND campaign = %(campaign)s AND zone_set = ANY (%(zone_sets)s::text[]) AND ready_at <= to_timestamp(greatest(%(now)s::float8, %(ready_at)s))
      AND claimed_epoch IS NULL AND status IN ('new', 'retry', 'callback_scheduled') AND ready_why IN ('promised', 'remedy')
    LIMIT %(limit)s
) AS before;

-- name: explain_zone_sets
-- The zone sets that a campaign's leads have.
SELECT zone_set FROM campaign_zone_sets WHERE campaign = %(campaign)s ORDER BY zone_set;

-- name: explain_numbers
-- The numbers of a campaign's leads of which the store's last gate knows what no lead's own row says: on a list although the lead is not blocked yet; not to
-- be called back for a while, and until when; called so often that a cap of the profile is reached, and until when; with a call up, from which to which lead
-- (the same where it is one). Usually few. One row of arrays, as texts: they are handed on to the next two, which must not read a CTE (that would keep them
-- from using more than one processor). Last, the do-not-call prefixes: those two compare them with every number.
WITH caps AS MATERIALIZED (
    SELECT (item ->> 0)::integer AS most, (item ->> 1)::float8 AS within_s FROM jsonb_array_elements(%(caps)s::jsonb) AS item
),
calls AS MATERIALIZED (
    SELECT number, opened_at FROM attempts
    WHERE leg_seen AND (SELECT true FROM caps LIMIT 1) AND opened_at > to_timestamp(%(at)s::float8 - %(longest_cap_s)s::float8)
    UNION ALL
    SELECT number, opened_at FROM attempts_open WHERE (SELECT true FROM caps LIMIT 1)
),
often AS MATERIALIZED (
    SELECT number, opened_at FROM calls
    WHERE number IN (SELECT number FROM calls GROUP BY number HAVING count(*) >= (SELECT min(most) FROM caps))
),
known AS (
    SELECT number, NULL::timestamptz AS alone_until, max(opened_at + within_s * interval '1 second') AS capped_until,
           NULL::bigint AS first_lead, NULL::bigint AS last_lead, false AS listed
    FROM (
        SELECT number, opened_at, most, within_s, row_number() OVER (PARTITION BY most, within_s, number ORDER BY opened_at DESC) AS nth
        FROM caps JOIN often ON opened_at > to_timestamp(%(at)s - within_s)
    ) AS counted
    WHERE nth = most
    GROUP BY number
    UNION ALL
    SELECT number, until, NULL, NULL, NULL, false FROM no_callback WHERE campaign IN (%(campaign)s, '') AND until > to_timestamp(%(at)s)
    UNION ALL
    SELECT number, NULL, NULL, lead, lead, false FROM attempts_open
    UNION ALL
    SELECT number, NULL, NULL, NULL, NULL, true FROM leads
    WHERE campaign = %(campaign)s AND status IN ('new', 'in_progress', 'retry', 'callback_scheduled', 'refused')
      AND EXISTS (SELECT FROM do_not_call WHERE do_not_call.number = leads.number)
),
numbers AS (
    SELECT number, max(alone_until) AS alone_until, max(capped_until) AS capped_until, min(first_lead) AS first_lead, max(last_lead) AS last_lead,
           bool_or(listed) AS listed
    FROM known GROUP BY number
)
SELECT coalesce(array_agg(number), '{}')::text, coalesce(array_agg(alone_until), '{}')::text, coalesce(array_agg(capped_until), '{}')::text,
       coalesce(array_agg(first_lead), '{}')::text, coalesce(array_agg(last_lead), '{}')::text, coalesce(array_agg(listed), '{}')::text,
       (SELECT coalesce(array_agg(DISTINCT prefix), '{}')::text FROM do_not_call_prefixes)
FROM numbers;

-- name: explain_classes
-- A campaign's leads but those of the numbers above, by all that its gates can tell apart, in one pass: how many are due, how many are not and the first
-- of these. Grouped by plain columns only, of which the planner knows that they hold few values: of anything made from ready_at it would expect a million
-- groups, and let one processor sort them. IS NOT TRUE: a plain NOT would be compared with one number after the other (PostgreSQL 14).
SELECT status, zone_set, attempts, ready_why, held_by, coalesce(status_before, ''), agent IS NOT NULL, claimed_epoch IS NOT NULL,
       number ^@ ANY (%(prefixes)s::text[]),
       count(*) FILTER (WHERE ready_at <= to_timestamp(%(at)s)), extract(epoch FROM min(ready_at))::float8,
       count(*) FILTER (WHERE ready_at > to_timestamp(%(at)s)),
       extract(epoch FROM min(ready_at) FILTER (WHERE ready_at > to_timestamp(%(at)s)))::float8
FROM leads
WHERE campaign = %(campaign)s AND (number = ANY (%(numbers)s::text[])) IS NOT TRUE
GROUP BY status, zone_set, attempts, ready_why, held_by, status_before, agent, claimed_epoch, number ^@ ANY (%(prefixes)s::text[]);

-- name: explain_classes_of_numbers
-- The same of the numbers above, with what is known of them. opens_at: the earliest moment at which one lead's own time, mark and caps are all past.
SELECT status, zone_set, attempts, ready_why, held_by, coalesce(status_before, ''), agent IS NOT NULL, claimed_epoch IS NOT NULL,
       known.listed OR leads.number ^@ ANY (%(prefixes)s::text[]),
       ready_at <= to_timestamp(%(at)s), coalesce(known.first_lead <> leads.id OR known.last_lead <> leads.id, false),
       count(*), extract(epoch FROM min(ready_at))::float8, extract(epoch FROM min(known.alone_until))::float8,
       extract(epoch FROM min(known.capped_until))::float8,
       extract(epoch FROM min(greatest(ready_at, known.alone_until, known.capped_until)))::float8
FROM unnest(%(numbers)s::text[], %(alone_untils)s::timestamptz[], %(capped_untils)s::timestamptz[], %(first_leads)s::bigint[], %(last_leads)s::bigint[],
            %(listed)s::boolean[]) AS known (number, alone_until, capped_until, first_lead, last_lead, listed)
JOIN leads ON leads.number = known.number
WHERE leads.campaign = %(campaign)s AND leads.number = ANY (%(numbers)s::text[])
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, known.alone_until IS NULL, known.capped_until IS NULL;

-- name: explain_calls_over
-- The newest calls of these campaigns since a moment that went by a gateway or (NULL = any) showed a caller id, newest first. Campaign by campaign, as the
-- index has them.
SELECT calls.* FROM unnest(%(campaigns)s::text[]) AS given (campaign)
CROSS JOIN LATERAL (
    SELECT extract(epoch FROM opened_at)::float8 AS at, attempts.campaign, gateway, caller_id, outcome, cause, sip_status FROM attempts
    WHERE attempts.campaign = given.campaign AND opened_at >= to_timestamp(%(since)s)
      AND (%(gateway)s::text IS NULL OR gateway = %(gateway)s) AND (%(caller_id)s::text IS NULL OR caller_id = %(caller_id)s)
    ORDER BY opened_at DESC LIMIT %(limit)s
) AS calls
ORDER BY at DESC LIMIT %(limit)s;

-- name: explain_deferred
-- Leads of these campaigns that were put back because no caller id or trunk was healthy (S57), and the earliest moment at which one is asked again.
SELECT campaign, count(*), extract(epoch FROM min(ready_at))::float8 FROM leads
WHERE campaign = ANY (%(campaigns)s::text[]) AND held_by = 'caller_id' AND ready_at > to_timestamp(%(at)s)
  AND status IN ('new', 'retry', 'callback_scheduled')
GROUP BY campaign ORDER BY campaign;
