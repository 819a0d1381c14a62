-- Leads from a list: copied into a table of the transaction's own, then merged in one go.

-- name: begin_import
-- One import at a time (two would wait for each other's contacts), without a time limit; the campaign's zone and existence.
SET LOCAL statement_timeout = 0;
SELECT pg_advisory_xact_lock(7382354617959212404);
CREATE TEMP TABLE incoming (
    place      bigint GENERATED ALWAYS AS IDENTITY,
    number     text NOT NULL,
    zone_set   text NOT NULL,
    name       text NOT NULL,
    attributes jsonb NOT NULL,
    ready_at   timestamptz
) ON COMMIT DROP;
SELECT FROM campaigns WHERE name = %(campaign)s FOR KEY SHARE;

-- name: copy_incoming
-- Rows from the client, in the text form of COPY.
COPY incoming (number, zone_set, name, attributes, ready_at) FROM STDIN;

-- name: first_of_each_number
-- A number that stands twice in the list counts once: its first row. Returns all rows, and those that stay.
CREATE TEMP TABLE joining ON COMMIT DROP AS SELECT DISTINCT ON (number) * FROM incoming ORDER BY number, place;
ANALYZE joining;
SELECT (SELECT count(*) FROM incoming), (SELECT count(*) FROM joining);

-- name: merge_contacts
-- New contacts, and what the list knows better of old ones: an empty name or zone changes nothing, attributes are merged.
INSERT INTO contacts (number, name, zones, zone_set, attributes)
SELECT number, name, string_to_array(zone_set, '|'), zone_set, attributes FROM joining ORDER BY number
ON CONFLICT (number) DO UPDATE
SET name = CASE WHEN excluded.name = '' THEN contacts.name ELSE excluded.name END,
    zones = CASE WHEN excluded.zone_set = '' THEN contacts.zones ELSE excluded.zones END,
    zone_set = CASE WHEN excluded.zone_set = '' THEN contacts.zone_set ELSE excluded.zone_set END,
    attributes = contacts.attributes || excluded.attributes,
    updated_at = now()
WHERE (excluded.name <> '' AND contacts.name <> excluded.name)
   OR (excluded.zone_set <> '' AND contacts.zone_set <> excluded.zone_set)
   OR contacts.attributes || excluded.attributes <> contacts.attributes;

-- name: merge_leads
-- New leads in the list's order; a number on a do-not-call list joins as blocked. Returns how many joined to be called, and how many blocked.
WITH joined AS (
    INSERT INTO leads (campaign, contact, number, zone_set, status, held_by, ready_at)
    SELECT %(campaign)s, contacts.id, joining.number, joining.zone_set,
           CASE WHEN forbidden.number IS NULL THEN 'new' ELSE 'blocked' END,
           CASE WHEN forbidden.number IS NULL THEN '' ELSE 'do_not_call' END,
           coalesce(joining.ready_at, now())
    FROM joining
    JOIN contacts ON contacts.number = joining.number
    LEFT JOIN (SELECT DISTINCT number FROM do_not_call) AS forbidden ON forbidden.number = joining.number
    ORDER BY joining.place
    ON CONFLICT ON CONSTRAINT leads_once_per_campaign DO NOTHING
    RETURNING status, zone_set
),
zone_sets AS (
    INSERT INTO campaign_zone_sets (campaign, zone_set) SELECT DISTINCT %(campaign)s, zone_set FROM joined
    ON CONFLICT DO NOTHING
)
SELECT count(*) FILTER (WHERE status = 'new'), count(*) FILTER (WHERE status = 'blocked') FROM joined;

-- name: analyze_leads
-- The planner must know of a big import before autovacuum comes by.
ANALYZE leads;
ANALYZE contacts;
