-- Files of leads: copied in lots into a table of the transaction's own, judged there, then written to the directory, a group and a campaign.
--
-- Every look-up of a row is a scalar subquery, which is never hashed: a lot is small beside the tables it is compared with, and those have no statistics of
-- what this transaction itself wrote. Nothing here touches a lead that was there before, but for its zone in the end: whoever dials does not wait.

-- name: import_lock
-- One who adds leads at a time (two would wait for each other's contacts). Without a time limit.
SET LOCAL statement_timeout = 0;
SELECT pg_advisory_xact_lock(7382354617959212404);

-- name: import_try_lock
-- The same without waiting; false = somebody else has it.
SET LOCAL statement_timeout = 0;
SELECT pg_try_advisory_xact_lock(7382354617959212404);

-- name: import_campaign
-- The campaign that leads are to join, held so that it does not go; no row when there is none.
SELECT state FROM campaigns WHERE name = %(campaign)s FOR KEY SHARE;

-- name: imported_before
-- The same file into the same place, by whom and when; no row when it is new or was undone.
SELECT name, extract(epoch FROM created_at)::float8, who, counts FROM imports
WHERE hash = %(hash)s AND coalesce(campaign, '') = coalesce(%(campaign)s, '') AND contact_group = %(group)s AND undone_at IS NULL;

-- name: new_import
-- An import gets its name; no row when the name is taken.
INSERT INTO imports (name, file, hash, campaign, contact_group, who, counts)
VALUES (%(name)s, %(file)s, %(hash)s, %(campaign)s, %(group)s, %(who)s, '{}')
ON CONFLICT (name) DO NOTHING
RETURNING id;

-- name: import_tables
-- Where a lot lies while it is worked on; its queries are many and short, so that compiling them costs more than it saves. `word`: new, blocked, refused
-- (all three join the campaign) or known; `met`: 2 = it has a lead there that is not finished, 1 = one that is, 0 = none. `changed`: contacts who were there
-- and of whom the lot knows better.
SET LOCAL jit = off;
CREATE TEMP TABLE incoming (
    place        bigint  NOT NULL,
    number       text    NOT NULL,
    zone_set     text    NOT NULL,
    has_own_zone boolean NOT NULL,
    name         text    NOT NULL,
    attributes   jsonb   NOT NULL,
    owner        text    NOT NULL,
    ready_at     timestamptz,
    further      jsonb,
    copy         integer NOT NULL,
    twice        boolean NOT NULL
) ON COMMIT DROP;
CREATE TEMP TABLE judged (
    place        bigint,
    number       text,
    zone_set     text,
    has_own_zone boolean,
    name         text,
    attributes   jsonb,
    owner        text,
    ready_at     timestamptz,
    further      jsonb,
    copy         integer,
    contact      bigint,
    fresh        boolean,
    member       boolean,
    met          integer,
    quiet_until  timestamptz,
    word         text,
    lead         bigint,
    position     bigint
) ON COMMIT DROP;
CREATE TEMP TABLE changed (contact bigint, place bigint, more jsonb, moves boolean) ON COMMIT DROP;
CREATE TEMP TABLE moved (contact bigint, number text, zone_set text) ON COMMIT DROP;
CREATE TEMP TABLE zone_sets_seen (zone_set text PRIMARY KEY) ON COMMIT DROP;

-- name: import_facts
-- What need not be asked for every row: how long do-not-call prefixes are (a number's own first digits are then looked up, instead of comparing it with
-- every prefix), and whether the campaign has any lead.
SELECT (SELECT coalesce(array_agg(DISTINCT length(prefix)), '{}') FROM do_not_call_prefixes),
       EXISTS (SELECT FROM campaign_zone_sets WHERE campaign = %(campaign)s) OR EXISTS (SELECT FROM leads WHERE campaign = %(campaign)s);

-- name: next_lot
-- Room for the next lot.
TRUNCATE incoming, judged, changed;

-- name: copy_incoming
-- Rows from the client, in the text form of COPY.
COPY incoming (place, number, zone_set, has_own_zone, name, attributes, owner, ready_at, further, copy, twice) FROM STDIN;

-- name: merge_twice
-- Where later rows of a number bring newer facts: the first row says what all of them say together, the later word over the earlier.
ANALYZE incoming;
UPDATE incoming
SET zone_set = CASE WHEN together.own_zone IS NULL THEN incoming.zone_set ELSE together.own_zone END,
    has_own_zone = together.own_zone IS NOT NULL,
    name = coalesce(together.name, ''), owner = coalesce(together.owner, ''), attributes = together.attributes,
    ready_at = together.ready_at, further = together.further
FROM (
    SELECT number,
           (array_agg(zone_set ORDER BY place DESC) FILTER (WHERE has_own_zone))[1] AS own_zone,
           (array_agg(name ORDER BY place DESC) FILTER (WHERE name <> ''))[1] AS name,
           (array_agg(owner ORDER BY place DESC) FILTER (WHERE owner <> ''))[1] AS owner,
           (array_agg(ready_at ORDER BY place DESC) FILTER (WHERE ready_at IS NOT NULL))[1] AS ready_at,
           (
               SELECT coalesce(jsonb_object_agg(each.key, each.value ORDER BY said.place), '{}')
               FROM incoming AS said, jsonb_each(said.attributes) AS each
               WHERE said.number = several.number
           ) AS attributes,
           (
               SELECT jsonb_agg(each ORDER BY place, nth)
               FROM (
                   SELECT DISTINCT ON (each.value ->> 0) each.value AS each, said.place, each.nth
                   FROM incoming AS said, jsonb_array_elements(said.further) WITH ORDINALITY AS each (value, nth)
                   WHERE said.number = several.number
                   ORDER BY each.value ->> 0, said.place, each.nth
               ) AS numbers
           ) AS further
    FROM incoming AS several
    WHERE number IN (SELECT number FROM incoming WHERE twice)
    GROUP BY number
) AS together
WHERE incoming.number = together.number AND NOT incoming.twice;
DELETE FROM incoming WHERE twice;

-- name: judge_lot
-- What each row is: whose it is, whether he is in the group and in the campaign, whether he may be called. Ids and places in the line are given here, in
-- the order of the file (rows that were merged have moved in their table): the rows themselves are written in the order of numbers. A contact who is a lead
-- of the campaign already is known, under whichever of his numbers; unless every row is to be a lead of its own, or his leads there are all finished and he
-- is wanted again and may be called (D12). Leads of this import itself do not count: their rows stand higher up in the same file.
INSERT INTO judged
SELECT place, number, zone_set, has_own_zone, name, attributes, owner, ready_at, further, copy,
       coalesce(old, CASE WHEN %(writes)s AND copy = 0 THEN nextval('contacts_id_seq') END), old IS NULL, member, met, quiet_until, word,
       CASE WHEN %(writes)s AND %(campaign)s::text IS NOT NULL AND word <> 'known' THEN nextval('leads_id_seq') END,
       CASE WHEN %(writes)s AND %(campaign)s::text IS NOT NULL AND word <> 'known' THEN nextval('lead_position') END
FROM (
    SELECT place, number,
           CASE WHEN old IS NULL OR (has_own_zone AND %(known)s <> 'keep') THEN zone_set
                ELSE coalesce(nullif((SELECT contacts.zone_set FROM contacts WHERE contacts.id = old), ''), zone_set) END AS zone_set,
           has_own_zone, name, attributes, owner, ready_at, further, copy, old, member, met, quiet_until,
           CASE
               WHEN %(campaign)s::text IS NULL THEN CASE WHEN old IS NULL THEN 'new' ELSE 'known' END
               WHEN met > 0 AND %(twice)s <> 'keep-all' AND NOT (%(known)s = 'again' AND met = 1 AND NOT forbidden AND quiet_until IS NULL) THEN 'known'
               WHEN forbidden THEN 'blocked'
               WHEN quiet_until IS NOT NULL THEN 'refused'
               ELSE 'new'
           END AS word
    FROM (
        SELECT looked_up.*,
               CASE WHEN %(group)s <> '' AND old IS NOT NULL THEN coalesce(
                   (SELECT true FROM group_members WHERE contact_group = %(group)s AND group_members.contact = old), false) ELSE false END AS member,
               greatest(coalesce(met_by_number, 0), coalesce(CASE WHEN old IS NOT NULL AND %(has_leads)s THEN (
                   SELECT max(CASE WHEN status IN ('new', 'in_progress', 'retry', 'callback_scheduled') THEN 2 ELSE 1 END)
                   FROM leads WHERE leads.contact = old AND leads.campaign = %(campaign)s AND coalesce(leads.import, 0) <> %(import)s) END, 0)) AS met
        FROM (
            SELECT incoming.*,
                   (SELECT contacts.id FROM contacts WHERE contacts.number = incoming.number) AS old,
                   CASE WHEN %(has_leads)s THEN (
                       SELECT max(CASE WHEN status IN ('new', 'in_progress', 'retry', 'callback_scheduled') THEN 2 ELSE 1 END)
                       FROM leads
                       WHERE leads.number = incoming.number AND leads.campaign = %(campaign)s AND coalesce(leads.import, 0) <> %(import)s) END AS met_by_number,
                   %(campaign)s::text IS NOT NULL AND coalesce(
                       (SELECT true FROM do_not_call WHERE do_not_call.number = incoming.number LIMIT 1),
                       CASE WHEN %(prefix_lengths)s::integer[] <> '{}' THEN (
                           SELECT true FROM unnest(%(prefix_lengths)s::integer[]) AS lengths (length)
                           JOIN do_not_call_prefixes ON do_not_call_prefixes.prefix = left(incoming.number, lengths.length) LIMIT 1) END,
                       false) AS forbidden,
                   CASE WHEN %(campaign)s::text IS NOT NULL THEN (
                       SELECT max(until) FROM no_callback
                       WHERE no_callback.number = incoming.number AND no_callback.campaign IN ('', %(campaign)s) AND until > now()) END AS quiet_until
            FROM incoming
            ORDER BY place
        ) AS looked_up
        OFFSET 0
    ) AS seen
    OFFSET 0
) AS worded;

-- name: find_changes
-- Contacts who were there before, and of whom the lot knows better: an empty name, owner or zone changes nothing, attributes are merged, further numbers
-- come behind those that are there. Returns how many.
INSERT INTO changed
SELECT contact, place, more, moves
FROM (
    SELECT judged.contact, judged.place,
           (
               SELECT jsonb_agg(each.value ORDER BY each.nth)
               FROM jsonb_array_elements(judged.further) WITH ORDINALITY AS each (value, nth)
               WHERE each.value ->> 0 <> contacts.number AND NOT EXISTS (
                   SELECT FROM contact_numbers WHERE contact_numbers.contact = contacts.id AND contact_numbers.number = each.value ->> 0)
           ) AS more,
           contacts.zone_set <> judged.zone_set AS moves,
           contacts.zone_set <> judged.zone_set OR (judged.name <> '' AND contacts.name <> judged.name)
               OR (judged.owner <> '' AND contacts.owner <> judged.owner) OR contacts.attributes || judged.attributes <> contacts.attributes AS differs
    FROM judged JOIN contacts ON contacts.id = judged.contact
    WHERE NOT judged.fresh AND judged.copy = 0
) AS compared
WHERE differs OR more IS NOT NULL;
SELECT count(*) FROM changed;

-- name: write_changes
-- Those changes, and what was there before, for an undo. Locked in the order of numbers, as by all who change many contacts.
SELECT FROM contacts WHERE id IN (SELECT contact FROM changed) ORDER BY number FOR NO KEY UPDATE;
INSERT INTO import_changes (import, contact, before)
SELECT %(import)s, contacts.id, jsonb_build_object(
    'name', contacts.name, 'zone_set', contacts.zone_set, 'owner', contacts.owner, 'attributes', contacts.attributes,
    'numbers', coalesce((SELECT jsonb_agg(each -> 0) FROM jsonb_array_elements(changed.more) AS each), '[]'))
FROM changed JOIN contacts ON contacts.id = changed.contact;
UPDATE contacts
SET name = CASE WHEN judged.name = '' THEN contacts.name ELSE judged.name END,
    zones = string_to_array(judged.zone_set, '|'), zone_set = judged.zone_set,
    owner = CASE WHEN judged.owner = '' THEN contacts.owner ELSE judged.owner END,
    attributes = contacts.attributes || judged.attributes,
    updated_at = now()
FROM changed JOIN judged ON judged.place = changed.place
WHERE contacts.id = changed.contact;
INSERT INTO contact_numbers (contact, place, number, kind, zone_set)
SELECT changed.contact, each.nth + coalesce((SELECT max(place) FROM contact_numbers WHERE contact_numbers.contact = changed.contact), 0),
       each.value ->> 0, each.value ->> 2, each.value ->> 1
FROM changed, jsonb_array_elements(changed.more) WITH ORDINALITY AS each (value, nth)
ON CONFLICT DO NOTHING;
INSERT INTO moved
SELECT judged.contact, judged.number, judged.zone_set FROM changed JOIN judged ON judged.place = changed.place WHERE changed.moves;

-- name: insert_people
-- New contacts. Their ids follow the file; they are written in the order of numbers, which is that of the index.
INSERT INTO contacts (id, number, name, zones, zone_set, attributes, owner, import) OVERRIDING SYSTEM VALUE
SELECT contact, number, name, string_to_array(zone_set, '|'), zone_set, attributes, owner, %(import)s
FROM judged WHERE fresh AND copy = 0 ORDER BY number
ON CONFLICT (number) DO NOTHING;

-- name: adopt_people
-- Contacts who came into the directory between the judging and the writing, by somebody who adds them one by one: they are whoever came first.
UPDATE judged SET contact = contacts.id, fresh = false
FROM contacts WHERE judged.fresh AND contacts.number = judged.number AND judged.contact <> contacts.id;

-- name: adopt_copies
-- Further rows of a number whose first row stands in the same lot.
UPDATE judged
SET contact = contacts.id,
    zone_set = CASE WHEN judged.has_own_zone THEN judged.zone_set ELSE coalesce(nullif(contacts.zone_set, ''), judged.zone_set) END
FROM contacts WHERE judged.contact IS NULL AND contacts.number = judged.number;

-- name: insert_numbers
-- Further numbers of new contacts.
INSERT INTO contact_numbers (contact, place, number, kind, zone_set)
SELECT judged.contact, each.nth, each.value ->> 0, each.value ->> 2, each.value ->> 1
FROM judged, jsonb_array_elements(judged.further) WITH ORDINALITY AS each (value, nth)
WHERE judged.fresh AND judged.copy = 0;

-- name: insert_members
-- Who comes into the group.
INSERT INTO group_members (contact_group, contact, import)
SELECT %(group)s, contact, %(import)s FROM judged WHERE copy = 0 AND NOT member ORDER BY place
ON CONFLICT DO NOTHING;

-- name: insert_leads
-- New leads. A number on a do-not-call list joins as blocked; one that asked not to be called for a while, as refused until then
-- (D16). A further row of a number keeps what it says besides the contact's own attributes.
INSERT INTO leads (
    id, campaign, contact, number, zone_set, status, status_before, held_by, ready_at, ready_why, copy, parameters, other_numbers, import, position
) OVERRIDING SYSTEM VALUE
SELECT lead, %(campaign)s, contact, number, zone_set, word,
       CASE WHEN word = 'refused' THEN 'new' END,
       CASE word WHEN 'blocked' THEN 'do_not_call' WHEN 'refused' THEN 'no_callback' ELSE '' END,
       CASE WHEN word = 'refused' THEN greatest(quiet_until, ready_at) ELSE coalesce(ready_at, now()) END,
       CASE WHEN word = 'refused' THEN 'no_callback' WHEN ready_at > now() THEN 'not_before' ELSE '' END,
       copy + CASE WHEN met = 0 THEN 0 ELSE coalesce((
           SELECT max(leads.copy) + 1 FROM leads
           WHERE leads.number = judged.number AND leads.campaign = %(campaign)s AND leads.copy < %(rotated_copies)s
             AND coalesce(leads.import, 0) <> %(import)s), 0) END,
       CASE WHEN copy = 0 THEN '{}'::jsonb ELSE (
           SELECT coalesce(jsonb_object_agg(each.key, each.value), '{}') FROM contacts, jsonb_each(judged.attributes) AS each
           WHERE contacts.id = judged.contact AND contacts.attributes -> each.key IS DISTINCT FROM each.value) END,
       CASE WHEN fresh AND further IS NULL AND copy = 0 THEN '[]'::jsonb ELSE (
           SELECT coalesce(jsonb_agg(jsonb_build_array(each.number, each.zone_set) ORDER BY each.place), '[]')
           FROM contact_numbers AS each WHERE each.contact = judged.contact AND each.number <> judged.number) END,
       %(import)s, position
FROM judged
WHERE word <> 'known'
ORDER BY number, copy
ON CONFLICT ON CONSTRAINT leads_once_per_campaign DO NOTHING;

-- name: lost_leads
-- Rows whose lead was added by somebody else between the judging and the writing.
UPDATE judged SET word = 'known'
WHERE word <> 'known' AND NOT EXISTS (
    SELECT FROM leads WHERE leads.number = judged.number AND leads.campaign = %(campaign)s AND coalesce(leads.import, 0) = %(import)s);

-- name: zone_sets_of_lot
-- The zone sets of its leads, kept for the end: another who needs a new one must not wait for us.
INSERT INTO zone_sets_seen SELECT DISTINCT zone_set FROM judged WHERE word <> 'known' ON CONFLICT DO NOTHING;

-- name: zone_sets_of_others
-- Likewise those of their further numbers; of contacts who were there, also the numbers that the file does not name.
INSERT INTO zone_sets_seen
SELECT DISTINCT other.zone_set
FROM judged, LATERAL (SELECT contact_numbers.zone_set FROM contact_numbers WHERE contact_numbers.contact = judged.contact OFFSET 0) AS other
WHERE judged.word <> 'known' AND (judged.further IS NOT NULL OR NOT judged.fresh)
ON CONFLICT DO NOTHING;

-- name: lot_facts
-- What came of a lot: rows by word, new contacts, those who come into the group, rows of contacts who were there, further rows, rows with further numbers.
SELECT count(*) FILTER (WHERE word = 'new'), count(*) FILTER (WHERE word = 'blocked'), count(*) FILTER (WHERE word = 'refused'),
       count(*) FILTER (WHERE word = 'known'), count(*) FILTER (WHERE fresh AND copy = 0), count(*) FILTER (WHERE NOT member AND copy = 0),
       count(*) FILTER (WHERE NOT fresh AND copy = 0), count(*) FILTER (WHERE copy > 0), count(further)
FROM judged;

-- name: end_import
-- The campaign's zone sets, and the import's own row: done. Former values of contacts are kept for a month.
INSERT INTO campaign_zone_sets (campaign, zone_set)
SELECT %(campaign)s, zone_set FROM zone_sets_seen WHERE %(campaign)s::text IS NOT NULL ORDER BY zone_set
ON CONFLICT DO NOTHING;
UPDATE imports SET counts = %(counts)s::jsonb WHERE id = %(import)s;
DELETE FROM import_changes USING imports WHERE imports.id = import_changes.import AND imports.created_at < now() - make_interval(days => %(kept_days)s);

-- name: move_leads
-- Open leads of contacts who have another zone now live there; a daemon that has one in its hands must look again (D4). Returns the campaigns.
SELECT FROM leads
WHERE (number, contact) IN (SELECT number, contact FROM moved) AND status NOT IN ('succeeded', 'exhausted', 'stopped', 'invalid')
ORDER BY id FOR NO KEY UPDATE;
WITH gone AS (
    UPDATE leads
    SET zone_set = moved.zone_set, claimed_epoch = CASE WHEN status = 'in_progress' THEN claimed_epoch END,
        claimed_batch = CASE WHEN status = 'in_progress' THEN claimed_batch END
    FROM moved
    WHERE leads.number = moved.number AND leads.contact = moved.contact AND leads.zone_set <> moved.zone_set
      AND status NOT IN ('succeeded', 'exhausted', 'stopped', 'invalid')
    RETURNING leads.campaign, leads.zone_set
),
zone_sets AS (
    INSERT INTO campaign_zone_sets (campaign, zone_set) SELECT DISTINCT campaign, zone_set FROM gone
    ON CONFLICT DO NOTHING
)
SELECT DISTINCT campaign FROM gone;

-- name: analyze_leads
-- The planner must know of a big import before autovacuum comes by.
ANALYZE leads;
ANALYZE contacts;
