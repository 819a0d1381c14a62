-- Figures of reports. Attempts are counted in groups of equals, and what a figure means stands in fs_dialer/core/figures.py. Open attempts count too.

-- name: campaign_zones
-- Every campaign with its time zone, at the revision that dials.
SELECT campaigns.name, coalesce(revision.definition #>> '{window,zone}', 'UTC')
FROM campaigns
JOIN campaign_revisions AS revision
    ON revision.campaign = campaigns.name AND revision.revision = coalesce(campaigns.approved_revision, campaigns.newest_revision)
ORDER BY campaigns.name;

-- name: figure_groups
-- Attempts of campaigns with one zone and span, in groups: by campaign, by place among `edges` (1 = from the first on), by up to two of the columns named,
-- and by all that figures are made of. Times in whole microseconds, so that the sums of parts are the sum of the whole.
SELECT campaign, width_bucket(extract(epoch FROM opened_at)::float8, %(edges)s::float8[]) AS place,
       CASE %(by_1)s WHEN 'agent' THEN agent WHEN 'caller_id' THEN caller_id WHEN 'gateway' THEN gateway WHEN 'revision' THEN revision::text
                     WHEN 'outcome' THEN outcome WHEN 'cause' THEN cause WHEN 'sip_status' THEN sip_status::text WHEN 'disposition' THEN disposition
       END AS key_1,
       CASE %(by_2)s WHEN 'agent' THEN agent WHEN 'caller_id' THEN caller_id WHEN 'gateway' THEN gateway WHEN 'revision' THEN revision::text
                     WHEN 'outcome' THEN outcome WHEN 'cause' THEN cause WHEN 'sip_status' THEN sip_status::text WHEN 'disposition' THEN disposition
       END AS key_2,
       outcome, coalesce(missed, false) AS missed, bridged_at IS NOT NULL AS bridged, coalesce(leg_seen, true) AS leg_seen,
       coalesce(disposition, '') AS disposition, count(*),
       coalesce(sum(1000000 * extract(epoch FROM greatest(bridged_at - answered_at, interval '0'))), 0)::bigint,
       coalesce(sum(1000000 * extract(epoch FROM greatest(ended_at - bridged_at, interval '0'))), 0)::bigint
FROM all_attempts
WHERE campaign = ANY (%(campaigns)s::text[]) AND opened_at >= to_timestamp(%(since)s) AND opened_at < to_timestamp(%(until)s)
  AND (%(agent)s::text IS NULL OR agent = %(agent)s)
  AND (%(caller_id)s::text IS NULL OR caller_id = %(caller_id)s)
  AND (%(gateway)s::text IS NULL OR gateway = %(gateway)s)
GROUP BY campaign, place, key_1, key_2, outcome, missed, bridged, leg_seen, disposition;

-- name: missed_counts
-- Answered by a person, missed (D1), hung up early: of each campaign in the three windows that end at its `until`.
SELECT given.campaign, counts.*
FROM unnest(%(campaigns)s::text[], %(todays)s::float8[], %(last_24_hs)s::float8[], %(last_30_days)s::float8[], %(untils)s::float8[])
         AS given (campaign, today, last_24_h, last_30_days, until),
     LATERAL (
         SELECT count(*) FILTER (WHERE at >= to_timestamp(today)),
                count(*) FILTER (WHERE at >= to_timestamp(today) AND missed),
                count(*) FILTER (WHERE at >= to_timestamp(today) AND early),
                count(*) FILTER (WHERE at >= to_timestamp(last_24_h)),
                count(*) FILTER (WHERE at >= to_timestamp(last_24_h) AND missed),
                count(*) FILTER (WHERE at >= to_timestamp(last_24_h) AND early),
                count(*), count(*) FILTER (WHERE missed), count(*) FILTER (WHERE early)
         FROM (
             SELECT opened_at AS at, attempts.missed OR outcome = 'missed' AS missed, outcome = 'early_hangup' AS early
             FROM attempts
             WHERE attempts.campaign = given.campaign AND outcome IN ('connected', 'missed', 'early_hangup')
               AND opened_at >= to_timestamp(last_30_days) AND opened_at < to_timestamp(until)
         ) AS persons
     ) AS counts;

-- name: attempts_of_report
-- A campaign's attempts of a span, in the order in which they were opened; for a cursor.
SELECT id::text, campaign, revision, lead, lead_status, epoch, leg::text, number, gateway, caller_id, agent, extract(epoch FROM opened_at)::float8, gates,
       outcome, cause, sip_status, extract(epoch FROM rang_at)::float8, extract(epoch FROM answered_at)::float8, extract(epoch FROM bridged_at)::float8,
       extract(epoch FROM ended_at)::float8, missed, leg_seen, extract(epoch FROM closed_at)::float8, decision, disposition, disposed_by,
       extract(epoch FROM disposed_at)::float8, answers, note, ivr, left_at, switch
FROM all_attempts
WHERE campaign = %(campaign)s AND opened_at >= to_timestamp(%(since)s) AND opened_at < to_timestamp(%(until)s)
  AND (%(agent)s::text IS NULL OR agent = %(agent)s)
  AND (%(caller_id)s::text IS NULL OR caller_id = %(caller_id)s)
  AND (%(gateway)s::text IS NULL OR gateway = %(gateway)s)
ORDER BY opened_at, id;

-- name: leads_of_attempts
-- Who was called: of each lead its contact's name and attributes, its own parameters, its status now.
SELECT leads.id, contacts.name, contacts.attributes, leads.parameters, leads.status
FROM leads JOIN contacts ON contacts.id = leads.contact
WHERE leads.id = ANY (%(leads)s::bigint[]);

-- name: tickets_of_attempts
-- The tickets made for attempts (S15).
SELECT attempt::text, id FROM tickets WHERE attempt = ANY (%(attempts)s::uuid[]);

-- name: known_to_attempts
-- Whom or what attempts name since a moment: agents, caller ids, gateways.
SELECT DISTINCT CASE %(kind)s WHEN 'agent' THEN agent WHEN 'caller_id' THEN caller_id ELSE gateway END
FROM all_attempts
WHERE opened_at >= to_timestamp(%(since)s) AND CASE %(kind)s WHEN 'agent' THEN agent WHEN 'caller_id' THEN caller_id ELSE gateway END IS NOT NULL
ORDER BY 1;

-- name: troubles
-- What an operator should look at, by the database alone: since when the active daemon is, open attempts, those left open by daemons before it (what
-- this one has taken over ends within minutes, mostly), webhook messages given up, commands that nobody has answered for 10 s, clock.
SELECT (SELECT extract(epoch FROM started_at)::float8 FROM epochs WHERE ended_at IS NULL),
       (SELECT count(*) FROM attempts_open),
       (SELECT coalesce(jsonb_object_agg(campaign, many), '{}')
        FROM (SELECT campaign, count(*) AS many FROM attempts_open JOIN epochs ON epochs.id = epoch
              WHERE ended_at IS NOT NULL AND opened_at < now() - interval '10 minutes' GROUP BY campaign) AS left_open),
       (SELECT coalesce(jsonb_object_agg(webhook, many), '{}')
        FROM (SELECT webhook, count(*) AS many FROM outbox WHERE given_up AND sent_at IS NULL GROUP BY webhook) AS unsent),
       (SELECT count(*) FROM commands WHERE replied_at IS NULL AND created_at < now() - interval '10 s'),
       extract(epoch FROM clock_timestamp())::float8;

-- name: failing_webhooks
-- Webhooks of which the oldest waiting message was tried in vain and is more than 5 minutes old: for how many seconds, and what the last try said.
SELECT webhook, extract(epoch FROM now() - created_at)::float8, last_error
FROM (SELECT DISTINCT ON (webhook) webhook, created_at, last_error FROM outbox WHERE sent_at IS NULL AND NOT given_up ORDER BY webhook, id) AS oldest
WHERE last_error <> '' AND created_at < now() - interval '5 minutes'
ORDER BY webhook;

-- name: refused_imports
-- Files of the last day of which rows were refused, newest first.
SELECT name, file, coalesce(campaign, ''), (counts ->> 'refused')::bigint
FROM imports
WHERE created_at > now() - interval '24 hours' AND undone_at IS NULL AND coalesce((counts ->> 'refused')::bigint, 0) > 0
ORDER BY id DESC;
