-- Imports looked at, and undone: a page of ids at a time, each in a short transaction of its own, so that whoever dials never waits long for a lead.
--
-- Every page is asked the same way in a rehearsal: then %(write)s is false, and nothing is locked or written.

-- name: import_rows
-- Imports, the newest first, behind one of them.
SELECT id, name, file, campaign, contact_group, who, extract(epoch FROM created_at)::float8, counts, extract(epoch FROM undone_at)::float8, undone_by
FROM imports
WHERE id < %(before)s AND (%(campaign)s::text IS NULL OR campaign = %(campaign)s)
ORDER BY id DESC
LIMIT %(limit)s;

-- name: import_row
-- One import by its name.
SELECT id, name, file, campaign, contact_group, who, extract(epoch FROM created_at)::float8, counts, extract(epoch FROM undone_at)::float8, undone_by
FROM imports WHERE name = %(name)s;

-- name: undo_spans
-- First and last ids of what an import brought: leads, members of its group, contacts that it changed, contacts that it made; NULL = none.
SELECT (SELECT ARRAY[min(id), max(id)] FROM leads WHERE import = %(import)s),
       (SELECT ARRAY[min(contact), max(contact)] FROM group_members WHERE contact_group = %(group)s AND import = %(import)s),
       (SELECT ARRAY[min(contact), max(contact)] FROM import_changes WHERE import = %(import)s),
       (SELECT ARRAY[min(id), max(id)] FROM contacts WHERE import = %(import)s);

-- name: undo_lock_leads
-- A page's leads, in the order of ids as everywhere; and nobody adds any meanwhile.
SELECT pg_advisory_xact_lock(7382354617959212404);
SELECT FROM leads WHERE id BETWEEN %(first)s AND %(last)s AND import = %(import)s ORDER BY id FOR UPDATE;

-- name: undo_leads
-- Leads that were never called go. Those that were stay, with their history: whoever could still be called is stopped, one with a call up when it is over.
-- Returns by campaign how many go, are stopped, and stay as they are.
WITH theirs AS MATERIALIZED (
    SELECT leads.id, leads.campaign, leads.number, leads.status, call.id IS NOT NULL AS in_call,
           leads.attempts > 0 OR call.id IS NOT NULL OR EXISTS (SELECT FROM tickets WHERE tickets.lead = leads.id)
               OR EXISTS (SELECT FROM attempts WHERE attempts.lead = leads.id AND attempts.opened_at >= to_timestamp(%(since)s)) AS called
    FROM leads
    LEFT JOIN attempts_open AS call ON call.lead = leads.id
    WHERE leads.id BETWEEN %(first)s AND %(last)s AND leads.import = %(import)s
),
gone AS (
    DELETE FROM leads USING theirs WHERE %(write)s AND leads.id = theirs.id AND NOT theirs.called
),
halted AS (
    UPDATE leads
    SET status = 'stopped', status_before = NULL, ready_why = '', held_by = '', agent = NULL,
        claimed_epoch = CASE WHEN theirs.in_call THEN claimed_epoch END, claimed_batch = CASE WHEN theirs.in_call THEN claimed_batch END
    FROM theirs
    WHERE %(write)s AND leads.id = theirs.id AND theirs.called
      AND leads.status IN ('new', 'in_progress', 'retry', 'callback_scheduled', 'refused', 'blocked')
),
happened AS (
    INSERT INTO happenings (kind, data)
    SELECT 'lead_finished', jsonb_build_object('campaign', campaign, 'lead', id, 'attempt', NULL, 'number', number, 'outcome', '', 'status', 'stopped')
    FROM theirs
    WHERE %(write)s AND called AND status IN ('new', 'in_progress', 'retry', 'callback_scheduled') AND heard('lead_finished')
)
SELECT campaign, count(*) FILTER (WHERE NOT called),
       count(*) FILTER (WHERE called AND status IN ('new', 'in_progress', 'retry', 'callback_scheduled', 'refused', 'blocked')),
       count(*) FILTER (WHERE called AND status IN ('succeeded', 'exhausted', 'error', 'invalid', 'stopped'))
FROM theirs
GROUP BY campaign
ORDER BY campaign;

-- name: undo_members
-- Who came into the group with the import leaves it.
WITH theirs AS MATERIALIZED (
    SELECT contact FROM group_members WHERE contact_group = %(group)s AND contact BETWEEN %(first)s AND %(last)s AND import = %(import)s
),
gone AS (
    DELETE FROM group_members USING theirs WHERE %(write)s AND contact_group = %(group)s AND group_members.contact = theirs.contact
)
SELECT count(*) FROM theirs;

-- name: undo_lock_contacts
-- A page's contacts, in the order of numbers; and nobody adds leads of them meanwhile.
SELECT pg_advisory_xact_lock(7382354617959212404);
SELECT FROM contacts WHERE id BETWEEN %(first)s AND %(last)s AND (
    import = %(import)s OR EXISTS (SELECT FROM import_changes WHERE import_changes.import = %(import)s AND import_changes.contact = contacts.id))
ORDER BY number FOR UPDATE;

-- name: undo_changes
-- Contacts get back what the import changed, unless somebody changed them since. Their open leads live where they do (D4). Returns how many get it back, and
-- how many do not.
WITH theirs AS MATERIALIZED (
    SELECT contacts.id, contacts.number, import_changes.before, contacts.updated_at = imports.created_at AS untouched
    FROM import_changes
    JOIN contacts ON contacts.id = import_changes.contact
    JOIN imports ON imports.id = import_changes.import
    WHERE import_changes.import = %(import)s AND import_changes.contact BETWEEN %(first)s AND %(last)s
),
restored AS (
    UPDATE contacts
    SET name = before ->> 'name', zones = string_to_array(before ->> 'zone_set', '|'), zone_set = before ->> 'zone_set', owner = before ->> 'owner',
        attributes = before -> 'attributes', updated_at = now()
    FROM theirs WHERE %(write)s AND contacts.id = theirs.id AND theirs.untouched
),
dropped AS (
    DELETE FROM contact_numbers USING theirs
    WHERE %(write)s AND contact_numbers.contact = theirs.id AND theirs.untouched AND before -> 'numbers' ? contact_numbers.number
),
moved AS (
    UPDATE leads
    SET zone_set = before ->> 'zone_set', claimed_epoch = CASE WHEN status = 'in_progress' THEN claimed_epoch END,
        claimed_batch = CASE WHEN status = 'in_progress' THEN claimed_batch END
    FROM theirs
    WHERE %(write)s AND theirs.untouched AND leads.contact = theirs.id AND leads.number = theirs.number AND leads.zone_set <> before ->> 'zone_set'
      AND before ->> 'zone_set' <> '' AND status NOT IN ('succeeded', 'exhausted', 'stopped', 'invalid')
    RETURNING leads.campaign, leads.zone_set
),
zone_sets AS (
    INSERT INTO campaign_zone_sets (campaign, zone_set) SELECT DISTINCT campaign, zone_set FROM moved
    ON CONFLICT DO NOTHING
),
forgotten AS (
    DELETE FROM import_changes USING theirs WHERE %(write)s AND import_changes.import = %(import)s AND import_changes.contact = theirs.id
)
SELECT count(*) FILTER (WHERE untouched), count(*) FILTER (WHERE NOT untouched) FROM theirs;

-- name: undo_contacts
-- Contacts that the import made go, unless somebody changed them since, or has a lead of them or a group with them. Returns how many go, and how many stay.
WITH theirs AS MATERIALIZED (
    SELECT contacts.id,
           contacts.updated_at = contacts.created_at
               AND NOT EXISTS (
                   SELECT FROM leads WHERE leads.contact = contacts.id AND (
                       coalesce(leads.import, 0) <> %(import)s OR leads.attempts > 0
                       OR EXISTS (SELECT FROM attempts_open WHERE attempts_open.lead = leads.id)
                       OR EXISTS (SELECT FROM tickets WHERE tickets.lead = leads.id)
                       OR EXISTS (SELECT FROM attempts WHERE attempts.lead = leads.id AND attempts.opened_at >= to_timestamp(%(since)s))))
               AND NOT EXISTS (
                   SELECT FROM group_members WHERE group_members.contact = contacts.id
                     AND (contact_group <> %(group)s OR coalesce(group_members.import, 0) <> %(import)s)) AS goes
    FROM contacts
    WHERE contacts.id BETWEEN %(first)s AND %(last)s AND contacts.import = %(import)s
),
gone AS (
    DELETE FROM contacts USING theirs WHERE %(write)s AND contacts.id = theirs.id AND theirs.goes
)
SELECT count(*) FILTER (WHERE goes), count(*) FILTER (WHERE NOT goes) FROM theirs;

-- name: end_undo
-- The import is undone, once.
UPDATE imports SET undone_at = now(), undone_by = %(who)s WHERE id = %(import)s AND undone_at IS NULL RETURNING id;
