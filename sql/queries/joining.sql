-- Contacts that become leads of a campaign, and leads that a clone takes over.
--
-- Where a query says /* source */ and /* condition */, db/joining.py puts one of its own texts for what follows: the group's members for the whole directory,
-- and a filter in parameters (db/filter_sql.py).

-- name: begin_joining
-- One who adds leads at a time, as imports do: two would wait for each other's numbers.
SELECT pg_advisory_xact_lock(7382354617959212404);

-- name: count_joining
-- How many contacts would become leads to be called, blocked and refused ones, and how many are leads of the campaign already.
WITH chosen AS MATERIALIZED (
    SELECT contacts.number, EXISTS (SELECT FROM leads WHERE leads.campaign = %(campaign)s AND leads.contact = contacts.id) AS known
    FROM /* source */ contacts
    WHERE /* condition */ true
),
judged AS (
    SELECT CASE
        WHEN known THEN 'known'
        WHEN EXISTS (SELECT FROM do_not_call WHERE do_not_call.number = chosen.number)
            OR EXISTS (SELECT FROM do_not_call_prefixes WHERE starts_with(chosen.number, prefix)) THEN 'blocked'
        WHEN EXISTS (SELECT FROM no_callback WHERE no_callback.number = chosen.number AND campaign IN ('', %(campaign)s) AND until > now()) THEN 'refused'
        ELSE 'new' END AS word
    FROM chosen
)
SELECT count(*) FILTER (WHERE word = 'new'), count(*) FILTER (WHERE word = 'blocked'), count(*) FILTER (WHERE word = 'refused'),
       count(*) FILTER (WHERE word = 'known')
FROM judged;

-- name: join_leads
-- Contacts become leads, in the order in which they came into the directory. A number on a do-not-call list joins as blocked, one that asked not to be
-- called for a while as refused until then (D16). A contact who is a lead of the campaign already, under whichever of its numbers, is left alone.
WITH chosen AS MATERIALIZED (
    SELECT contacts.id, contacts.number, contacts.zone_set,
           EXISTS (SELECT FROM leads WHERE leads.campaign = %(campaign)s AND leads.contact = contacts.id) AS known
    FROM /* source */ contacts
    WHERE /* condition */ true
),
judged AS MATERIALIZED (
    SELECT chosen.*,
           EXISTS (SELECT FROM do_not_call WHERE do_not_call.number = chosen.number)
               OR EXISTS (SELECT FROM do_not_call_prefixes WHERE starts_with(chosen.number, prefix)) AS forbidden,
           (
               SELECT max(until) FROM no_callback
               WHERE no_callback.number = chosen.number AND no_callback.campaign IN ('', %(campaign)s) AND until > now()
           ) AS left_alone_until,
           (
               SELECT coalesce(jsonb_agg(jsonb_build_array(contact_numbers.number, contact_numbers.zone_set) ORDER BY place), '[]')
               FROM contact_numbers WHERE contact_numbers.contact = chosen.id AND contact_numbers.number <> chosen.number
           ) AS other_numbers
    FROM chosen WHERE NOT known
),
joined AS (
    INSERT INTO leads (campaign, contact, number, zone_set, status, status_before, held_by, ready_at, ready_why, other_numbers, import)
    SELECT %(campaign)s, id, number, zone_set,
           CASE WHEN forbidden THEN 'blocked' WHEN left_alone_until IS NOT NULL THEN 'refused' ELSE 'new' END,
           CASE WHEN NOT forbidden AND left_alone_until IS NOT NULL THEN 'new' END,
           CASE WHEN forbidden THEN 'do_not_call' WHEN left_alone_until IS NOT NULL THEN 'no_callback' ELSE '' END,
           CASE WHEN forbidden THEN now() ELSE coalesce(left_alone_until, now()) END,
           CASE WHEN NOT forbidden AND left_alone_until IS NOT NULL THEN 'no_callback' ELSE '' END,
           other_numbers, %(import)s::bigint
    FROM judged
    ORDER BY id
    ON CONFLICT ON CONSTRAINT leads_once_per_campaign DO NOTHING
    RETURNING status, zone_set, other_numbers
),
zone_sets AS (
    INSERT INTO campaign_zone_sets (campaign, zone_set)
    SELECT %(campaign)s, zone_set FROM joined
    UNION
    SELECT %(campaign)s, other.value ->> 1 FROM joined, jsonb_array_elements(other_numbers) AS other
    ON CONFLICT DO NOTHING
)
SELECT count(*) FILTER (WHERE status = 'new'), count(*) FILTER (WHERE status = 'blocked'), count(*) FILTER (WHERE status = 'refused'),
       (SELECT count(*) FROM chosen) - count(*)
FROM joined;

-- name: count_copies
-- How many leads a clone would take over.
SELECT count(*) FROM leads WHERE campaign = %(campaign)s AND status = ANY (%(statuses)s::text[]);

-- name: copy_leads
-- A campaign's leads begin anew in another, in the same order, on the number that was last found right; a wrong number stays one.
WITH judged AS MATERIALIZED (
    SELECT leads.*,
           EXISTS (SELECT FROM do_not_call WHERE do_not_call.number = leads.number)
               OR EXISTS (SELECT FROM do_not_call_prefixes WHERE starts_with(leads.number, prefix)) AS forbidden,
           (
               SELECT max(until) FROM no_callback
               WHERE no_callback.number = leads.number AND no_callback.campaign IN ('', %(campaign)s) AND until > now()
           ) AS left_alone_until
    FROM leads
    WHERE leads.campaign = %(source)s AND leads.status = ANY (%(statuses)s::text[])
),
joined AS (
    INSERT INTO leads (campaign, contact, number, zone_set, status, status_before, held_by, ready_at, ready_why, other_numbers, parameters, copy)
    SELECT %(campaign)s, contact, number, zone_set,
           CASE WHEN forbidden THEN 'blocked' WHEN status = 'invalid' THEN 'invalid' WHEN left_alone_until IS NOT NULL THEN 'refused' ELSE 'new' END,
           CASE WHEN NOT forbidden AND status <> 'invalid' AND left_alone_until IS NOT NULL THEN 'new' END,
           CASE WHEN forbidden THEN 'do_not_call' WHEN status <> 'invalid' AND left_alone_until IS NOT NULL THEN 'no_callback' ELSE '' END,
           CASE WHEN forbidden OR status = 'invalid' THEN now() ELSE coalesce(left_alone_until, now()) END,
           CASE WHEN NOT forbidden AND status <> 'invalid' AND left_alone_until IS NOT NULL THEN 'no_callback' ELSE '' END,
           other_numbers, parameters, copy
    FROM judged
    ORDER BY position
    ON CONFLICT ON CONSTRAINT leads_once_per_campaign DO NOTHING
    RETURNING status
),
zone_sets AS (
    INSERT INTO campaign_zone_sets (campaign, zone_set) SELECT %(campaign)s, zone_set FROM campaign_zone_sets WHERE campaign = %(source)s
    ON CONFLICT DO NOTHING
)
SELECT count(*) FILTER (WHERE status = 'new'), count(*) FILTER (WHERE status = 'blocked'), count(*) FILTER (WHERE status = 'refused'),
       (SELECT count(*) FROM judged) - count(*)
FROM joined;

-- name: live_sources
-- Campaigns that are not over, at the revision that dials: which of them draw their leads from the directory.
SELECT campaigns.name, revision.definition -> 'leads', revision.definition #>> '{window,zone}'
FROM campaigns
JOIN campaign_revisions AS revision
    ON revision.campaign = campaigns.name AND revision.revision = coalesce(campaigns.approved_revision, campaigns.newest_revision)
WHERE campaigns.state NOT IN ('draining', 'ended') AND revision.definition #>> '{leads,new_rows}' = 'join'
  AND (coalesce(revision.definition #>> '{leads,group}', '') <> '' OR coalesce(revision.definition #>> '{leads,filter}', '') <> '')
ORDER BY campaigns.name;
