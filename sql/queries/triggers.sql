-- Events and what triggers make of them. An event is worked off in one transaction with all that it causes.

-- name: triggers
-- Every trigger, in the order of names.
SELECT name, definition FROM definitions WHERE kind = 'triggers' ORDER BY name;

-- name: webhooks
-- Every webhook, in the order of names.
SELECT name, definition FROM definitions WHERE kind = 'webhooks' ORDER BY name;

-- name: next_happening
-- The oldest event after this one that nobody else is working off, locked.
SELECT id, extract(epoch FROM at)::float8, kind, data FROM happenings
WHERE done_at IS NULL AND id > %(after)s
ORDER BY id
LIMIT 1
FOR UPDATE SKIP LOCKED;

-- name: happening_done
-- An event is worked off, once; `result` says what came of it.
UPDATE happenings SET done_at = now(), result = %(result)s WHERE id = %(id)s AND done_at IS NULL;

-- name: new_happening
-- An event that somebody outside the dialler's own queries tells of; none where no trigger listens for it.
INSERT INTO happenings (kind, data) SELECT %(kind)s, %(data)s::jsonb WHERE heard(%(kind)s) RETURNING id;

-- name: trigger_contact
-- The contact of a number, and the number's zones: the one whose lead it is, else the one whose first number it is, else one who has it among the others.
WITH found AS (
    SELECT contact AS id, 0 AS nearness FROM leads WHERE leads.id = %(lead)s
    UNION ALL
    SELECT id, 1 FROM contacts WHERE number = %(number)s
    UNION ALL
    SELECT contact, 2 FROM contact_numbers WHERE number = %(number)s
)
SELECT contacts.id, coalesce(contact_numbers.zone_set, contacts.zone_set)
FROM found
JOIN contacts ON contacts.id = found.id
LEFT JOIN contact_numbers ON contact_numbers.contact = contacts.id AND contact_numbers.number = %(number)s
ORDER BY found.nearness, contacts.id
LIMIT 1;

-- name: trigger_new_contact
-- A number that nobody knew becomes a contact.
INSERT INTO contacts (number, zones, zone_set) VALUES (%(number)s, string_to_array(%(zone_set)s, '|'), %(zone_set)s)
ON CONFLICT (number) DO UPDATE SET zone_set = contacts.zone_set
RETURNING id, zone_set;

-- name: trigger_add
-- One lead for a contact in a campaign, in the order in which customers asked (S89): `since`, epoch seconds, NULL = now; unless an unfinished one of that contact or number is there (D12, S90). The
-- contact's row is locked first: two who add the same customer wait for each other. A number on a do-not-call list joins as blocked; one that asked not
-- to be called for a while, as refused until then (D16). Returns the campaign's state or NULL, the unfinished lead or NULL, and the new lead with its
-- status or NULLs.
SELECT FROM contacts WHERE id = %(contact)s FOR NO KEY UPDATE;
WITH campaign AS MATERIALIZED (
    SELECT name, state FROM campaigns WHERE name = %(campaign)s
),
unfinished AS MATERIALIZED (
    SELECT id FROM leads
    WHERE campaign = %(campaign)s AND (number = %(number)s OR contact = %(contact)s)
      AND status IN ('new', 'in_progress', 'retry', 'callback_scheduled')
    ORDER BY number <> %(number)s, id
    LIMIT 1
),
forbidden AS MATERIALIZED (
    SELECT EXISTS (SELECT FROM do_not_call WHERE number = %(number)s)
        OR EXISTS (SELECT FROM do_not_call_prefixes WHERE starts_with(%(number)s, prefix)) AS always,
        (SELECT max(until) FROM no_callback WHERE number = %(number)s AND campaign IN ('', %(campaign)s) AND until > now()) AS until
),
added AS (
    INSERT INTO leads (campaign, contact, number, zone_set, status, status_before, held_by, ready_at, ready_why, copy, other_numbers)
    SELECT campaign.name, %(contact)s, %(number)s, %(zone_set)s,
           CASE WHEN forbidden.always THEN 'blocked' WHEN forbidden.until IS NOT NULL THEN 'refused' ELSE 'new' END,
           CASE WHEN NOT forbidden.always AND forbidden.until IS NOT NULL THEN 'new' END,
           CASE WHEN forbidden.always THEN 'do_not_call' WHEN forbidden.until IS NOT NULL THEN 'no_callback' ELSE '' END,
           CASE WHEN NOT forbidden.always AND forbidden.until IS NOT NULL THEN forbidden.until ELSE coalesce(to_timestamp(%(since)s), now()) END,
           CASE WHEN NOT forbidden.always AND forbidden.until IS NOT NULL THEN 'no_callback' ELSE '' END,
           (SELECT coalesce(max(copy) + 1, 0) FROM leads WHERE number = %(number)s AND campaign = %(campaign)s),
           (
               SELECT coalesce(jsonb_agg(jsonb_build_array(number, zone_set) ORDER BY place), '[]')
               FROM (
                   SELECT number, zone_set, 0 AS place FROM contacts WHERE id = %(contact)s
                   UNION ALL
                   SELECT number, zone_set, place FROM contact_numbers WHERE contact = %(contact)s
               ) AS numbers
               WHERE number <> %(number)s
           )
    FROM campaign, forbidden
    WHERE campaign.state <> 'ended' AND NOT EXISTS (SELECT FROM unfinished)
    ON CONFLICT ON CONSTRAINT leads_once_per_campaign DO NOTHING
    RETURNING id, status, zone_set, other_numbers
),
zone_sets AS (
    INSERT INTO campaign_zone_sets (campaign, zone_set)
    SELECT %(campaign)s, zone_set FROM added
    UNION
    SELECT %(campaign)s, other.value ->> 1 FROM added, jsonb_array_elements(other_numbers) AS other
    ON CONFLICT DO NOTHING
)
SELECT (SELECT state FROM campaign), (SELECT id FROM unfinished), (SELECT id FROM added), (SELECT status FROM added);

-- name: link_ticket
-- A ticket that has no lead yet gets the one that serves its customer (D12); `words`, '' = none: why he will not be called.
UPDATE tickets
SET lead = %(lead)s, note = CASE WHEN %(words)s = '' THEN note WHEN note = '' THEN %(words)s ELSE note || E'\n' || %(words)s END
WHERE id = %(ticket)s AND lead IS NULL;

-- name: set_attributes
-- What a trigger sets on a contact.
UPDATE contacts SET attributes = attributes || %(attributes)s::jsonb, updated_at = now() WHERE id = %(contact)s;

-- name: into_outbox
-- A message for a webhook that is defined, once for each event. Returns whether the webhook exists, and the new row or NULL.
WITH webhook AS MATERIALIZED (
    SELECT name FROM definitions WHERE kind = 'webhooks' AND name = %(webhook)s
),
put AS (
    INSERT INTO outbox (webhook, happening, body) SELECT name, %(happening)s, %(body)s::jsonb FROM webhook
    ON CONFLICT (webhook, happening) DO NOTHING
    RETURNING id
)
SELECT EXISTS (SELECT FROM webhook), (SELECT id FROM put);
