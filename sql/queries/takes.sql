-- Manual campaigns: leads that agents take, and their quotas (S29–S34, D16). One transaction, in this order; what refuses an agent is core/taking.py's.

-- name: take_begin
-- Under the epoch, one take of an agent at a time: two clicks never pass a quota together. The campaign's zone, where its day begins, and its maximum of
-- calls; no row when another daemon has taken over, or there is no such campaign.
SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL FOR SHARE;
SELECT FROM agents WHERE id = %(agent)s FOR NO KEY UPDATE;
SELECT coalesce(revision.definition #>> '{window,zone}', 'UTC'), coalesce((revision.definition #>> '{attempts,max}')::integer, 1)
FROM campaigns
JOIN campaign_revisions AS revision
    ON revision.campaign = campaigns.name AND revision.revision = coalesce(campaigns.approved_revision, campaigns.newest_revision)
WHERE campaigns.name = %(campaign)s AND EXISTS (SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL);

-- name: customers_taken
-- The customers who count against an agent's quota since his day began, and whether one of them is of this campaign: dialled, or still in his hands.
SELECT takes.contact, bool_or(takes.campaign = %(campaign)s)
FROM lead_takes AS takes LEFT JOIN leads ON leads.id = takes.lead
WHERE takes.agent = %(agent)s AND takes.taken_at >= to_timestamp(%(day)s)
  AND (takes.dialled_at IS NOT NULL OR (leads.claimed_epoch = takes.epoch AND leads.claimed_batch = takes.batch))
GROUP BY takes.contact;

-- name: lead_to_take
-- The lead that an agent has named, under lock, and whether it is in his own hands already; no row when there is none of that id.
SELECT id, number, zone_set, status, attempts, ours_in_row, extract(epoch FROM ready_at)::float8, position, ready_why, agent, caller_id,
       jsonb_array_length(other_numbers), met, last_outcome, contact, campaign, coalesce(claimed_epoch = %(epoch)s, false),
       EXISTS (SELECT FROM lead_takes AS takes
               WHERE takes.lead = leads.id AND takes.agent = %(agent)s AND takes.epoch = claimed_epoch AND takes.batch = claimed_batch)
FROM leads WHERE id = %(lead)s
FOR NO KEY UPDATE;

-- name: take_next
-- Claim the lead that is first among those ready in open zone sets, as claim_leads would; callbacks promised to others stay theirs until they are overdue.
SET LOCAL enable_seqscan = off;
WITH urgent AS MATERIALIZED (
    SELECT ctid AS place, ready_at, position FROM leads
    WHERE campaign = %(campaign)s AND ready_at <= to_timestamp(%(now)s) AND zone_set = ANY (%(zone_sets)s::text[])
      AND coalesce(claimed_epoch, 0) = 0 AND status IN ('retry', 'callback_scheduled') AND ready_why IN ('promised', 'remedy')
      AND (agent IS NULL OR agent = %(agent)s OR ready_at <= to_timestamp(%(overdue)s))
    ORDER BY ready_at, position
    LIMIT %(few)s
),
few AS MATERIALIZED (
    SELECT look.place, look.ready_at, look.position
    FROM unnest(%(zone_sets)s::text[]) AS open (zone_set),
         LATERAL (
             SELECT ctid AS place, ready_at, position FROM leads
             WHERE campaign = %(campaign)s AND zone_set = open.zone_set AND ready_at <= to_timestamp(%(now)s)
               AND claimed_epoch IS NULL AND status IN ('new', 'retry', 'callback_scheduled')
               AND (agent IS NULL OR agent = %(agent)s OR ready_at <= to_timestamp(%(overdue)s))
             ORDER BY ready_at, position
             LIMIT %(few)s
         ) AS look
),
first AS MATERIALIZED (
    SELECT place FROM urgent
    UNION
    (SELECT place FROM few ORDER BY ready_at, position LIMIT %(few)s)
),
mine AS MATERIALIZED (
    SELECT ctid AS place FROM leads
    WHERE ctid = ANY (ARRAY (SELECT place FROM first)) AND coalesce(claimed_epoch, 0) = 0 AND status IN ('new', 'retry', 'callback_scheduled')
    ORDER BY ready_why NOT IN ('promised', 'remedy'), ready_at, position
    LIMIT 1
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE leads SET claimed_epoch = %(epoch)s, claimed_batch = %(batch)s
WHERE ctid = ANY (ARRAY (SELECT place FROM mine))
RETURNING leads.id, leads.number, leads.zone_set, leads.status, leads.attempts, leads.ours_in_row,
          extract(epoch FROM leads.ready_at)::float8, leads.position, leads.ready_why, leads.agent, leads.caller_id,
          jsonb_array_length(leads.other_numbers), leads.met, leads.last_outcome, leads.contact;

-- name: next_to_take
-- When the next lead of an open zone set will be ready; NULL = none will. And whether the epoch is still ours.
SELECT (
           SELECT extract(epoch FROM min(first.ready_at))::float8
           FROM unnest(%(zone_sets)s::text[]) AS open (zone_set),
                LATERAL (
                    SELECT ready_at FROM leads
                    WHERE campaign = %(campaign)s AND zone_set = open.zone_set AND ready_at > to_timestamp(%(now)s)
                      AND claimed_epoch IS NULL AND status IN ('new', 'retry', 'callback_scheduled')
                    ORDER BY ready_at
                    LIMIT 1
                ) AS first
       ),
       EXISTS (SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL);

-- name: take_named
-- Claim a lead that is under lock.
UPDATE leads SET claimed_epoch = %(epoch)s, claimed_batch = %(batch)s WHERE id = %(lead)s;

-- name: pass_forbidden
-- A lead that must not be called is not handed out: it becomes what the last gate would make of it. `until`: NULL = its number is on a do-not-call list.
UPDATE leads
SET status_before = CASE WHEN %(until)s::float8 IS NULL THEN status_before ELSE status END,
    status = CASE WHEN %(until)s::float8 IS NULL THEN 'blocked' ELSE 'refused' END,
    ready_at = coalesce(to_timestamp(%(until)s), ready_at), ready_why = CASE WHEN %(until)s::float8 IS NULL THEN ready_why ELSE 'no_callback' END,
    held_by = CASE WHEN %(until)s::float8 IS NULL THEN 'do_not_call' ELSE 'no_callback' END,
    claimed_epoch = NULL, claimed_batch = NULL
WHERE id = %(lead)s;

-- name: record_take
-- Who took whom, when; and the customer's account is his now, where the campaign says so (S34).
WITH taken AS (
    INSERT INTO lead_takes (agent, campaign, lead, contact, taken_at, epoch, batch)
    VALUES (%(agent)s, %(campaign)s, %(lead)s, %(contact)s, to_timestamp(%(now)s), %(epoch)s, %(batch)s)
),
before AS MATERIALIZED (
    SELECT id, number, owner FROM contacts WHERE id = %(contact)s AND %(own_customer)s AND owner <> %(agent)s FOR NO KEY UPDATE
),
owned AS (
    UPDATE contacts SET owner = %(agent)s, updated_at = now() FROM before WHERE contacts.id = before.id
)
INSERT INTO audit (who, what, target, why, details)
SELECT %(agent)s, 'set_contact', number, 'took the customer',
       jsonb_build_object('contact', id, 'campaign', %(campaign)s::text, 'lead', %(lead)s::bigint, 'fields', jsonb_build_array('owner'),
                          'owner', %(agent)s::text, 'owner_before', owner)
FROM before;
