-- What a plan's words rest on, counted for all changed campaigns at once.

-- name: facts_calls
-- Calls in the air.
SELECT campaign, count(*) FROM attempts_open WHERE campaign = ANY (%(campaigns)s::text[]) GROUP BY campaign;

-- name: facts_gap
-- Leads that wait for the break after their last call: how many a new break makes ready at once, and how many wait longer than
-- now (by a second at least: a call's end is told a moment before its break begins).
SELECT given.campaign,
       count(*) FILTER (WHERE leads.ready_at > now() AND moved.ready_at <= now()),
       count(*) FILTER (WHERE moved.ready_at > greatest(now(), leads.ready_at + interval '1 second'))
FROM unnest(%(campaigns)s::text[], %(gaps)s::float8[], %(busy_gaps)s::float8[], %(recalls)s::float8[], %(backs)s::float8[])
         AS given (campaign, gap_s, busy_gap_s, recall_s, back_s)
JOIN leads ON leads.campaign = given.campaign AND leads.status = 'retry' AND leads.ready_why = 'gap'
     AND leads.ready_at > now() - make_interval(secs => given.back_s)
CROSS JOIN LATERAL (
    SELECT outcome, ended_at, missed FROM attempts WHERE attempts.lead = leads.id ORDER BY opened_at DESC LIMIT 1
) AS last
CROSS JOIN LATERAL (
    SELECT last.ended_at + make_interval(secs => greatest(
        CASE last.outcome WHEN 'busy' THEN given.busy_gap_s ELSE given.gap_s END, CASE WHEN last.missed THEN given.recall_s ELSE 0 END)) AS ready_at
) AS moved
WHERE last.outcome <> 'bad_number'
GROUP BY given.campaign;

-- name: facts_maximum
-- Leads that have had as many calls as a new maximum allows, and exhausted ones that have not.
SELECT given.campaign,
       count(*) FILTER (WHERE leads.status = 'retry' AND leads.attempts >= given.most),
       count(*) FILTER (WHERE leads.status = 'exhausted' AND leads.attempts < given.most)
FROM unnest(%(campaigns)s::text[], %(most)s::integer[]) AS given (campaign, most)
JOIN leads ON leads.campaign = given.campaign AND leads.status IN ('retry', 'exhausted')
GROUP BY given.campaign;

-- name: facts_zones
-- Unfinished leads by the zones of their number.
SELECT campaign, zone_set, count(*) FROM leads
WHERE campaign = ANY (%(campaigns)s::text[]) AND status IN ('new', 'in_progress', 'retry', 'callback_scheduled')
GROUP BY campaign, zone_set;

-- name: facts_missed
-- Answered by a person, and missed, by how many days ago; 0 = the last 24 hours.
SELECT given.campaign, floor(extract(epoch FROM now() - attempts.opened_at) / 86400)::integer AS age,
       count(*) FILTER (WHERE attempts.outcome = ANY (%(answered)s::text[])), count(*) FILTER (WHERE attempts.missed)
FROM unnest(%(campaigns)s::text[], %(overs)s::float8[]) AS given (campaign, over_s)
JOIN attempts ON attempts.campaign = given.campaign AND attempts.opened_at > now() - make_interval(secs => given.over_s)
GROUP BY given.campaign, age;

-- name: facts_lines
-- What running campaigns may use of the installation's lines, at the revision that dials; NULL = all of them.
SELECT campaigns.name, (revision.definition ->> 'lines')::integer
FROM campaigns
JOIN campaign_revisions AS revision ON revision.campaign = campaigns.name AND revision.revision = campaigns.approved_revision
WHERE campaigns.state = 'running';
