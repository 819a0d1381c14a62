-- What the back office shows. Counts are taken from the rows when asked; nothing is kept twice.

-- name: campaign_rows
-- Every campaign, or the one named, at the revision that dials.
SELECT campaigns.name, campaigns.state, campaigns.started, campaigns.reason, revision.revision, campaigns.newest_revision, campaigns.approved_revision,
       revision.type, revision.definition, extract(epoch FROM campaigns.updated_at)::float8
FROM campaigns
JOIN campaign_revisions AS revision
    ON revision.campaign = campaigns.name AND revision.revision = coalesce(campaigns.approved_revision, campaigns.newest_revision)
WHERE %(name)s::text IS NULL OR campaigns.name = %(name)s
ORDER BY campaigns.name;

-- name: lead_counts
-- Leads by campaign and status.
SELECT campaign, status, count(*) FROM leads WHERE %(name)s::text IS NULL OR campaign = %(name)s GROUP BY campaign, status;

-- name: attempt_counts
-- Attempts opened since a moment of each campaign's own, by outcome; NULL = open. How many of them were missed (D1).
SELECT given.campaign, attempts.outcome, count(*), count(*) FILTER (WHERE attempts.missed)
FROM unnest(%(campaigns)s::text[], %(sinces)s::float8[]) AS given (campaign, since)
JOIN all_attempts AS attempts ON attempts.campaign = given.campaign AND attempts.opened_at >= to_timestamp(given.since)
GROUP BY given.campaign, attempts.outcome;

-- name: outcome_totals
-- Closed attempts of a campaign (NULL = all) by outcome, opened in [since, until).
SELECT outcome, count(*) FROM attempts
WHERE (%(campaign)s::text IS NULL OR campaign = %(campaign)s)
  AND opened_at >= to_timestamp(%(since)s) AND opened_at < to_timestamp(%(until)s)
GROUP BY outcome;

-- name: attempts_count
-- Attempts of a campaign (NULL = all): how many in all, how many of them open.
SELECT count(*), count(*) FILTER (WHERE closed_at IS NULL) FROM all_attempts WHERE %(campaign)s::text IS NULL OR campaign = %(campaign)s;

-- name: lead_rows
-- A page of a campaign's leads (NULL = of all), in the order of their ids, perhaps of one status or number only.
SELECT leads.id, leads.campaign, leads.number, contacts.name, leads.zone_set, leads.status, leads.attempts, leads.ours_in_row,
       extract(epoch FROM leads.ready_at)::float8, leads.held_by, leads.claimed_epoch IS NOT NULL, contacts.attributes
FROM leads JOIN contacts ON contacts.id = leads.contact
WHERE leads.id > %(after)s
  AND (%(campaign)s::text IS NULL OR leads.campaign = %(campaign)s)
  AND (%(status)s::text IS NULL OR leads.status = %(status)s)
  AND (%(number)s::text IS NULL OR leads.number = %(number)s)
ORDER BY leads.id
LIMIT %(limit)s;

-- name: lead_row
-- One lead.
SELECT leads.id, leads.campaign, leads.number, contacts.name, leads.zone_set, leads.status, leads.attempts, leads.ours_in_row,
       extract(epoch FROM leads.ready_at)::float8, leads.held_by, leads.claimed_epoch IS NOT NULL, contacts.attributes
FROM leads JOIN contacts ON contacts.id = leads.contact
WHERE leads.id = %(lead)s;

-- name: attempts_of_lead
-- A lead's history, oldest first.
SELECT id::text, revision, leg::text, number, gateway, caller_id, agent, extract(epoch FROM opened_at)::float8, outcome, cause, sip_status,
       extract(epoch FROM rang_at)::float8, extract(epoch FROM answered_at)::float8, extract(epoch FROM bridged_at)::float8,
       extract(epoch FROM ended_at)::float8, missed
FROM all_attempts WHERE lead = %(lead)s ORDER BY opened_at, id;

-- name: agent_rows
-- Every agent.
SELECT id, definition, status, reason, extract(epoch FROM status_at)::float8 FROM agents ORDER BY id;

-- name: audit_lines
-- The newest entries of the audit (NULL = of everything), newest first.
SELECT extract(epoch FROM at)::float8, who, what, target, why, details FROM audit
WHERE %(target)s::text IS NULL OR target = %(target)s ORDER BY id DESC LIMIT %(limit)s;

-- name: marks_of_campaign
-- The newest marks on a campaign's leads, newest first; the audit keeps them by number.
SELECT extract(epoch FROM at)::float8, who, what, target, why, details FROM audit
WHERE what = 'lead_mark' AND details ->> 'campaign' = %(campaign)s ORDER BY id DESC LIMIT %(limit)s;
