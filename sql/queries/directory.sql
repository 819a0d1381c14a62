-- The directory: people with their numbers and what is known of them, and the groups they are in.

-- name: contact_page
-- A page of contacts by id; NULL = of any. db/directory.py puts a filter's text in the place of /* condition */.
SELECT contacts.id, contacts.number, contacts.name, contacts.zone_set, contacts.owner, contacts.attributes,
       extract(epoch FROM contacts.created_at)::float8, extract(epoch FROM contacts.updated_at)::float8, coalesce(imports.name, ''),
       ARRAY (
           SELECT ARRAY[contact_numbers.number, contact_numbers.kind, contact_numbers.zone_set] FROM contact_numbers
           WHERE contact_numbers.contact = contacts.id ORDER BY place
       ),
       ARRAY (SELECT contact_group FROM group_members WHERE group_members.contact = contacts.id ORDER BY contact_group)
FROM contacts
LEFT JOIN imports ON imports.id = contacts.import
WHERE contacts.id > %(after)s
  AND (%(contact)s::bigint IS NULL OR contacts.id = %(contact)s)
  AND (%(group)s::text IS NULL OR EXISTS (
      SELECT FROM group_members WHERE group_members.contact = contacts.id AND group_members.contact_group = %(group)s))
  AND (%(number)s::text IS NULL OR contacts.id IN (
      SELECT people.id FROM contacts AS people WHERE people.number = %(number)s
      UNION
      SELECT contact FROM contact_numbers WHERE contact_numbers.number = %(number)s))
  AND (
      %(text)s::text IS NULL
      OR strpos(lower(contacts.name), lower(%(text)s)) > 0
      OR (%(digits)s <> '' AND (
          strpos(contacts.number, %(digits)s) > 0
          OR EXISTS (SELECT FROM contact_numbers WHERE contact_numbers.contact = contacts.id AND strpos(contact_numbers.number, %(digits)s) > 0)))
      OR EXISTS (SELECT FROM jsonb_each_text(contacts.attributes) AS each WHERE strpos(lower(each.value), lower(%(text)s)) > 0)
  )
  AND (/* condition */ true)
ORDER BY contacts.id
LIMIT %(limit)s;

-- name: contact_memberships
-- In which campaigns contacts are, with what comes next.
SELECT leads.contact, leads.id, leads.campaign, leads.number, leads.status, leads.attempts, extract(epoch FROM leads.ready_at)::float8, leads.held_by
FROM leads WHERE leads.contact = ANY (%(contacts)s::bigint[]) ORDER BY leads.campaign, leads.id;

-- name: lock_contact
-- A contact's row until the end of the transaction; no row when there is none.
SELECT number, name, zone_set, owner, attributes FROM contacts WHERE id = %(contact)s FOR NO KEY UPDATE;

-- name: new_contact
-- A new person. No row when the number is somebody's first number already.
INSERT INTO contacts (number, name, zones, zone_set, owner, attributes)
VALUES (%(number)s, %(name)s, string_to_array(%(zone_set)s, '|'), %(zone_set)s, %(owner)s, %(attributes)s::jsonb)
ON CONFLICT (number) DO NOTHING
RETURNING id;

-- name: change_contact
-- What is known of a person, in absolute values.
UPDATE contacts
SET name = %(name)s, zones = string_to_array(%(zone_set)s, '|'), zone_set = %(zone_set)s, owner = %(owner)s, attributes = %(attributes)s::jsonb,
    updated_at = now()
WHERE id = %(contact)s;

-- name: further_numbers
-- Further numbers of a person, behind those that are there.
INSERT INTO contact_numbers (contact, place, number, kind, zone_set)
SELECT %(contact)s, coalesce((SELECT max(place) FROM contact_numbers WHERE contact_numbers.contact = %(contact)s), 0) + row_number() OVER (ORDER BY given.place),
       given.number, given.kind, given.zone_set
FROM unnest(%(numbers)s::text[], %(kinds)s::text[], %(zone_sets)s::text[]) WITH ORDINALITY AS given (number, kind, zone_set, place)
WHERE given.number <> (SELECT contacts.number FROM contacts WHERE contacts.id = %(contact)s)
ON CONFLICT DO NOTHING
RETURNING number;

-- name: drop_numbers
-- Further numbers that are not the person's any more.
DELETE FROM contact_numbers WHERE contact = %(contact)s AND number = ANY (%(numbers)s::text[]) RETURNING number;

-- name: leads_in_zone
-- The open leads of a number live where their contact now says; a daemon that has one in its hands must look again (D4).
SELECT FROM leads
WHERE number = %(number)s AND contact = %(contact)s AND zone_set <> %(zone_set)s AND status NOT IN ('succeeded', 'exhausted', 'stopped', 'invalid')
ORDER BY id FOR NO KEY UPDATE;
WITH moved AS (
    UPDATE leads
    SET zone_set = %(zone_set)s, claimed_epoch = CASE WHEN status = 'in_progress' THEN claimed_epoch END,
        claimed_batch = CASE WHEN status = 'in_progress' THEN claimed_batch END
    WHERE number = %(number)s AND contact = %(contact)s AND zone_set <> %(zone_set)s AND status NOT IN ('succeeded', 'exhausted', 'stopped', 'invalid')
    RETURNING campaign
),
zone_sets AS (
    INSERT INTO campaign_zone_sets (campaign, zone_set) SELECT DISTINCT campaign, %(zone_set)s FROM moved
    ON CONFLICT DO NOTHING
)
SELECT DISTINCT campaign FROM moved;

-- name: attribute_names
-- Which attributes contacts have, of the first hundred thousand: for the nearest name when one is misspelt.
SELECT DISTINCT jsonb_object_keys(attributes) FROM (SELECT attributes FROM contacts LIMIT 100000) AS sample ORDER BY 1 LIMIT 1000;

-- name: saved_filter
-- The condition of a saved filter.
SELECT definition ->> 'where' FROM definitions WHERE kind = 'filters' AND name = %(name)s;

-- --- groups

-- name: group_rows
-- Every group that is declared or has members, with how many.
SELECT coalesce(declared.name, members.contact_group), coalesce(declared.definition ->> 'title', ''), declared.name IS NOT NULL, coalesce(members.count, 0)
FROM (SELECT name, definition FROM definitions WHERE kind = 'groups') AS declared
FULL JOIN (SELECT contact_group, count(*) FROM group_members GROUP BY contact_group) AS members ON members.contact_group = declared.name
ORDER BY 1;

-- name: contacts_of_numbers
-- Who has these numbers, first or further.
SELECT given.number, people.id
FROM unnest(%(numbers)s::text[]) AS given (number)
CROSS JOIN LATERAL (
    SELECT id FROM contacts WHERE contacts.number = given.number
    UNION
    SELECT contact FROM contact_numbers WHERE contact_numbers.number = given.number
) AS people
ORDER BY 1, 2;

-- name: join_group
-- Contacts come into a group, by id. Returns how many were not in it.
WITH joined AS (
    INSERT INTO group_members (contact_group, contact)
    SELECT %(group)s, id FROM unnest(%(contacts)s::bigint[]) AS given (id) ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING contact
)
SELECT count(*) FROM joined;

-- name: join_group_by_filter
-- Contacts who meet a filter come into a group. Returns how many meet it, and how many were not in it.
WITH chosen AS MATERIALIZED (
    SELECT contacts.id FROM contacts WHERE (/* condition */ true)
),
joined AS (
    INSERT INTO group_members (contact_group, contact) SELECT %(group)s, id FROM chosen ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING contact
)
SELECT (SELECT count(*) FROM chosen), (SELECT count(*) FROM joined);

-- name: leave_groups
-- Contacts leave a group, by id. Returns how many were in it.
WITH gone AS (
    DELETE FROM group_members WHERE contact_group = %(group)s AND contact = ANY (%(contacts)s::bigint[]) RETURNING contact
)
SELECT count(*) FROM gone;

-- name: leave_group_by_filter
-- Contacts who meet a filter leave a group. Returns how many of it meet it, and how many left.
WITH gone AS (
    DELETE FROM group_members WHERE contact_group = %(group)s
      AND contact IN (SELECT contacts.id FROM contacts WHERE (/* condition */ true))
    RETURNING contact
)
SELECT count(*), count(*) FROM gone;
