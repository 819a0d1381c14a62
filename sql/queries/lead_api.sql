-- Leads that come over HTTP (M22): a thousand rows at most, in one transaction, by the rules of an import. Rows come as arrays: COPY does not work in the
-- daemon's process.

-- name: api_answer_of
-- What was answered to this key of this token, or no row. Whoever asks with the same key at the same time waits.
SELECT pg_advisory_xact_lock(hashtextextended(%(token)s::text || ' ' || %(key)s::text, 7382354617959212405));
SELECT request, status, response FROM api_requests WHERE token = %(token)s AND key = %(key)s;

-- name: api_answered
-- Keep an answer for its key.
INSERT INTO api_requests (token, key, request, status, response)
VALUES (%(token)s, %(key)s, %(request)s, %(status)s, %(response)s::jsonb);

-- name: api_campaign
-- Where leads are to join: the campaign's state, and what its dialling revision says of doubles; or no row. Several requests may add leads at a time, for
-- they lock contacts in one order, but none does beside an import, which has its own (begin_joining).
SET LOCAL lock_timeout = '3s';
SELECT pg_advisory_xact_lock_shared(7382354617959212404);
SELECT campaigns.state, coalesce(revision.definition -> 'leads' ->> 'twice', 'keep-first')
FROM campaigns
JOIN campaign_revisions AS revision
    ON revision.campaign = campaigns.name AND revision.revision = coalesce(campaigns.approved_revision, campaigns.newest_revision)
WHERE campaigns.name = %(campaign)s
FOR KEY SHARE OF campaigns;

-- name: api_known_agents
-- Which of these agents there are.
SELECT id FROM agents WHERE id = ANY (%(agents)s::text[]);

-- name: api_contacts
-- New contacts, and what the rows know better of old ones: an empty name, zone or owner changes nothing, attributes are merged. Where the first row of a
-- number is the one that counts, a contact who is in the campaign already is left as he is. Every contact's row is locked, in the order of numbers.
INSERT INTO contacts (number, name, zones, zone_set, attributes, owner)
SELECT number, name, string_to_array(zone_set, '|'), zone_set, attributes, owner
FROM unnest(%(numbers)s::text[], %(names)s::text[], %(zone_sets)s::text[], %(attributes)s::jsonb[], %(owners)s::text[])
     AS given (number, name, zone_set, attributes, owner)
ORDER BY number
ON CONFLICT (number) DO UPDATE
SET name = CASE WHEN excluded.name = '' THEN contacts.name ELSE excluded.name END,
    zones = CASE WHEN excluded.zone_set = '' THEN contacts.zones ELSE excluded.zones END,
    zone_set = CASE WHEN excluded.zone_set = '' THEN contacts.zone_set ELSE excluded.zone_set END,
    owner = CASE WHEN excluded.owner = '' THEN contacts.owner ELSE excluded.owner END,
    attributes = contacts.attributes || excluded.attributes,
    updated_at = now()
WHERE (%(twice)s <> 'keep-first' OR NOT EXISTS (
          SELECT FROM leads WHERE leads.campaign = %(campaign)s AND (leads.number = excluded.number OR leads.contact = contacts.id)))
  AND ((excluded.name <> '' AND contacts.name <> excluded.name)
    OR (excluded.zone_set <> '' AND contacts.zone_set <> excluded.zone_set)
    OR (excluded.owner <> '' AND contacts.owner <> excluded.owner)
    OR contacts.attributes || excluded.attributes <> contacts.attributes);

-- name: api_numbers
-- Further numbers of contacts, behind those that each has already.
INSERT INTO contact_numbers (contact, place, number, kind, zone_set)
SELECT contacts.id,
       coalesce((SELECT max(place) FROM contact_numbers WHERE contact = contacts.id), 0) + row_number() OVER (PARTITION BY contacts.id ORDER BY given.place),
       given.number, given.kind, given.zone_set
FROM (
    SELECT DISTINCT ON (first, number) * FROM unnest(%(firsts)s::text[], %(numbers)s::text[], %(kinds)s::text[], %(zone_sets)s::text[])
        WITH ORDINALITY AS given (first, number, kind, zone_set, place)
    ORDER BY first, number, place
) AS given
JOIN contacts ON contacts.number = given.first
WHERE given.number <> contacts.number
  AND NOT EXISTS (SELECT FROM contact_numbers WHERE contact = contacts.id AND contact_numbers.number = given.number)
  AND (%(twice)s <> 'keep-first' OR NOT EXISTS (
      SELECT FROM leads WHERE leads.campaign = %(campaign)s AND (leads.number = given.first OR leads.contact = contacts.id)))
ON CONFLICT DO NOTHING;

-- name: api_leads
-- New leads in the order of the rows; a contact who is in the campaign already, under whichever number, brings none, unless every row is a lead of its
-- own. A number on a do-not-call list joins as blocked; one that asked not to be called for a while, as refused until then (D16). Returns how many joined,
-- by status.
WITH given AS MATERIALIZED (
    SELECT given.*, row_number() OVER (PARTITION BY number ORDER BY place) - 1 AS nth
    FROM unnest(%(numbers)s::text[], %(zone_sets)s::text[], %(ready_ats)s::float8[], %(parameters)s::jsonb[])
        WITH ORDINALITY AS given (number, zone_set, ready_at, parameters, place)
),
judged AS MATERIALIZED (
    SELECT given.*, contacts.id AS contact,
           EXISTS (
               SELECT FROM leads WHERE leads.campaign = %(campaign)s AND (leads.number = given.number OR leads.contact = contacts.id)) AS known,
           (SELECT max(copy) FROM leads WHERE leads.number = given.number AND leads.campaign = %(campaign)s) AS highest,
           EXISTS (SELECT FROM do_not_call WHERE do_not_call.number = given.number)
               OR EXISTS (SELECT FROM do_not_call_prefixes WHERE starts_with(given.number, prefix)) AS forbidden,
           (
               SELECT max(until) FROM no_callback
               WHERE no_callback.number = given.number AND no_callback.campaign IN ('', %(campaign)s) AND until > now()
           ) AS quiet_until
    FROM given JOIN contacts ON contacts.number = given.number
),
joined AS (
    INSERT INTO leads (campaign, contact, number, zone_set, status, status_before, held_by, ready_at, ready_why, copy, parameters, other_numbers)
    SELECT %(campaign)s, contact, number, zone_set,
           CASE WHEN forbidden THEN 'blocked' WHEN quiet_until IS NOT NULL THEN 'refused' ELSE 'new' END,
           CASE WHEN NOT forbidden AND quiet_until IS NOT NULL THEN 'new' END,
           CASE WHEN forbidden THEN 'do_not_call' WHEN quiet_until IS NOT NULL THEN 'no_callback' ELSE '' END,
           greatest(now(), to_timestamp(ready_at), CASE WHEN NOT forbidden THEN quiet_until END),
           CASE WHEN NOT forbidden AND quiet_until IS NOT NULL THEN 'no_callback' WHEN to_timestamp(ready_at) > now() THEN 'not_before' ELSE '' END,
           coalesce(highest + 1, 0) + nth, parameters,
           (
               SELECT coalesce(jsonb_agg(jsonb_build_array(other.number, other.zone_set) ORDER BY other.place), '[]')
               FROM contact_numbers AS other WHERE other.contact = judged.contact
           )
    FROM judged
    WHERE NOT known OR %(twice)s = 'keep-all'
    ORDER BY place
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
SELECT status, count(*) FROM joined GROUP BY status;
