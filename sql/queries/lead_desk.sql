-- What people do with leads: added by number or contact, marked, looked at. Rules of what a mark makes of a lead stand in the core; here rows are locked,
-- read and written. Leads are locked in the order of their ids before anything is written, as everywhere.

-- --- one lead under lock

-- name: lock_lead
-- A lead with all leads of its number, locked in the order of ids; then how it stands. The number may change while the lock is waited for: then there is no
-- row, and it is asked again.
SELECT FROM leads WHERE number = (SELECT number FROM leads WHERE id = %(lead)s) ORDER BY id FOR NO KEY UPDATE;
SELECT id, campaign, contact, number, zone_set, status, attempts, ours_in_row, extract(epoch FROM ready_at)::float8, ready_why, held_by, agent,
       status_before, caller_id, other_numbers, parameters, copy, claimed_epoch IS NOT NULL,
       (SELECT attempts_open.id::text FROM attempts_open WHERE attempts_open.lead = leads.id)
FROM leads
WHERE id = %(lead)s
FOR NO KEY UPDATE;

-- name: write_lead
-- What became of a lead, in absolute values; it must be locked. It is taken out of a daemon's hands, so that a stale copy there is refused by the last
-- gate; with its call up it stays where it is.
WITH written AS (
    UPDATE leads
    SET status = %(status)s, attempts = %(attempts)s, ours_in_row = %(ours_in_row)s, ready_at = to_timestamp(%(ready_at)s), ready_why = %(ready_why)s,
        held_by = %(held_by)s, agent = %(agent)s, status_before = %(status_before)s, number = %(number)s, zone_set = %(zone_set)s,
        other_numbers = %(other_numbers)s::jsonb, parameters = %(parameters)s::jsonb, copy = %(copy)s,
        claimed_epoch = CASE WHEN %(in_call)s THEN claimed_epoch END, claimed_batch = CASE WHEN %(in_call)s THEN claimed_batch END
    WHERE id = %(lead)s
    RETURNING campaign, zone_set
),
zone_sets AS (
    INSERT INTO campaign_zone_sets (campaign, zone_set) SELECT campaign, zone_set FROM written
    ON CONFLICT DO NOTHING
)
SELECT campaign FROM written;

-- name: wishes_of_number
-- The do-not-call lists that name a number, and until when it asked to be left alone, in this campaign and by all; NULL = it did not.
SELECT ARRAY (
           SELECT list FROM do_not_call WHERE do_not_call.number = %(number)s
           UNION
           SELECT list FROM do_not_call_prefixes WHERE starts_with(%(number)s, prefix)
           ORDER BY 1
       ),
       (SELECT extract(epoch FROM max(until))::float8 FROM no_callback
        WHERE no_callback.number = %(number)s AND no_callback.campaign IN ('', %(campaign)s) AND until > to_timestamp(%(now)s));

-- name: last_attempt_of_lead
-- A lead's last call that is over: when it ended, and whether it was missed.
SELECT extract(epoch FROM ended_at)::float8, missed FROM attempts WHERE attempts.lead = %(lead)s ORDER BY opened_at DESC LIMIT 1;

-- name: agent_exists
-- Is there such an agent?
SELECT EXISTS (SELECT FROM agents WHERE id = %(agent)s);

-- name: lead_finished_happened
-- A lead was finished by a person: for triggers that listen.
WITH happened AS (
    INSERT INTO happenings (kind, data) SELECT 'lead_finished', %(data)s::jsonb WHERE heard('lead_finished') RETURNING id
)
SELECT pg_notify('fs_dialer', 'happenings:') FROM happened;

-- --- adding

-- name: lead_campaign
-- The campaign that leads want to join: its state, and whose days count; or no row.
SELECT campaigns.state, coalesce(revision.definition #>> '{window,zone}', 'UTC')
FROM campaigns
JOIN campaign_revisions AS revision
    ON revision.campaign = campaigns.name AND revision.revision = coalesce(campaigns.approved_revision, campaigns.newest_revision)
WHERE campaigns.name = %(campaign)s
FOR KEY SHARE OF campaigns;

-- name: add_leads
-- Contacts become leads of a campaign, each by the number that was said and the contact's other numbers behind it; first those given by id, by their own
-- first number. Numbers that nobody has become contacts. A number on a do-not-call list joins as blocked, one that asked not to be called for a while as
-- refused until then (D16). A contact who is a lead of the campaign already is left alone. Returns how many are new, blocked, refused, known, and how many
-- contacts are new.
SELECT FROM contacts WHERE number = ANY (%(numbers)s::text[]) OR id = ANY (%(contacts)s::bigint[]) ORDER BY number FOR NO KEY UPDATE;
WITH given AS MATERIALIZED (
    SELECT DISTINCT ON (number) number, zone_set, place
    FROM unnest(%(numbers)s::text[], %(zone_sets)s::text[]) WITH ORDINALITY AS given (number, zone_set, place)
    ORDER BY number, place
),
known_people AS MATERIALIZED (
    SELECT given.number, given.zone_set, given.place, coalesce(
        (SELECT id FROM contacts WHERE contacts.number = given.number),
        (SELECT min(contact) FROM contact_numbers WHERE contact_numbers.number = given.number)) AS contact
    FROM given
),
new_people AS (
    INSERT INTO contacts (number, zones, zone_set)
    SELECT number, string_to_array(zone_set, '|'), zone_set FROM known_people WHERE contact IS NULL ORDER BY number
    ON CONFLICT (number) DO UPDATE SET number = excluded.number
    RETURNING id, number
),
chosen AS MATERIALIZED (
    SELECT DISTINCT ON (contact) contact, number, zone_set, place
    FROM (
        SELECT contacts.id AS contact, contacts.number, contacts.zone_set, picked.place, 0 AS by_number
        FROM unnest(%(contacts)s::bigint[]) WITH ORDINALITY AS picked (id, place)
        JOIN contacts ON contacts.id = picked.id
        UNION ALL
        SELECT contacts.id, known_people.number, coalesce(further.zone_set, contacts.zone_set), known_people.place, 1
        FROM known_people
        JOIN contacts ON contacts.id = known_people.contact
        LEFT JOIN contact_numbers AS further ON further.contact = contacts.id AND further.number = known_people.number
        UNION ALL
        SELECT new_people.id, known_people.number, known_people.zone_set, known_people.place, 1
        FROM known_people JOIN new_people ON new_people.number = known_people.number
    ) AS people
    ORDER BY contact, by_number, place
),
judged AS MATERIALIZED (
    SELECT chosen.*,
           EXISTS (SELECT FROM leads WHERE leads.campaign = %(campaign)s AND (leads.contact = chosen.contact OR leads.number = chosen.number)) AS known,
           EXISTS (SELECT FROM do_not_call WHERE do_not_call.number = chosen.number)
               OR EXISTS (SELECT FROM do_not_call_prefixes WHERE starts_with(chosen.number, prefix)) AS forbidden,
           (
               SELECT max(until) FROM no_callback
               WHERE no_callback.number = chosen.number AND no_callback.campaign IN ('', %(campaign)s) AND until > now()
           ) AS left_alone_until,
           (
               SELECT coalesce(jsonb_agg(jsonb_build_array(each.number, each.zone_set) ORDER BY each.place), '[]')
               FROM (
                   SELECT contacts.number, contacts.zone_set, 0 AS place FROM contacts WHERE contacts.id = chosen.contact
                   UNION ALL
                   SELECT contact_numbers.number, contact_numbers.zone_set, contact_numbers.place
                   FROM contact_numbers WHERE contact_numbers.contact = chosen.contact
               ) AS each
               WHERE each.number <> chosen.number
           ) AS other_numbers
    FROM chosen
),
joined AS (
    INSERT INTO leads (campaign, contact, number, zone_set, status, status_before, held_by, ready_at, ready_why, other_numbers)
    SELECT %(campaign)s, contact, number, zone_set,
           CASE WHEN forbidden THEN 'blocked' WHEN left_alone_until IS NOT NULL THEN 'refused' ELSE 'new' END,
           CASE WHEN NOT forbidden AND left_alone_until IS NOT NULL THEN 'new' END,
           CASE WHEN forbidden THEN 'do_not_call' WHEN left_alone_until IS NOT NULL THEN 'no_callback' ELSE '' END,
           CASE WHEN forbidden THEN now() ELSE coalesce(left_alone_until, now()) END,
           CASE WHEN NOT forbidden AND left_alone_until IS NOT NULL THEN 'no_callback' ELSE '' END,
           other_numbers
    FROM judged
    WHERE NOT known
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
SELECT count(*) FILTER (WHERE status = 'new'), count(*) FILTER (WHERE status = 'blocked'), count(*) FILTER (WHERE status = 'refused'),
       (SELECT count(*) FROM chosen) - count(*), (SELECT count(*) FROM new_people)
FROM joined;

-- name: unknown_contacts
-- Which of these ids no contact has.
SELECT given.id FROM unnest(%(contacts)s::bigint[]) AS given (id) WHERE NOT EXISTS (SELECT FROM contacts WHERE contacts.id = given.id) ORDER BY 1;

-- --- looking

-- name: lead_page
-- A page of leads by id, NULL = of any; with the contact's facts and the last call that is over. db/lead_desk.py puts a filter's text in the place of
-- /* condition */.
SELECT leads.id, leads.campaign, leads.number, contacts.name, leads.zone_set, leads.status, leads.attempts, leads.ours_in_row,
       extract(epoch FROM leads.ready_at)::float8, leads.held_by, leads.claimed_epoch IS NOT NULL, contacts.attributes,
       leads.contact, contacts.owner, leads.ready_why, leads.agent, leads.status_before, leads.caller_id, leads.other_numbers, leads.parameters,
       leads.copy, extract(epoch FROM leads.created_at)::float8, last.outcome, last.disposition, last.agent, extract(epoch FROM last.ended_at)::float8
FROM leads
JOIN contacts ON contacts.id = leads.contact
LEFT JOIN LATERAL (
    SELECT outcome, disposition, attempts.agent, ended_at FROM attempts WHERE attempts.lead = leads.id ORDER BY opened_at DESC LIMIT 1
) AS last ON true
WHERE leads.id > %(after)s
  AND (%(lead)s::bigint IS NULL OR leads.id = %(lead)s)
  AND (%(campaign)s::text IS NULL OR leads.campaign = %(campaign)s)
  AND (%(status)s::text IS NULL OR leads.status = %(status)s)
  AND (%(held_by)s::text IS NULL OR leads.held_by = %(held_by)s)
  AND (%(agent)s::text IS NULL OR leads.agent = %(agent)s)
  AND (%(number)s::text IS NULL OR leads.id IN (
      SELECT theirs.id FROM leads AS theirs WHERE theirs.number = %(number)s
      UNION
      SELECT theirs.id FROM leads AS theirs
      WHERE theirs.contact IN (SELECT contact FROM contact_numbers WHERE contact_numbers.number = %(number)s
                               UNION SELECT people.id FROM contacts AS people WHERE people.number = %(number)s)))
  AND (/* condition */ true)
ORDER BY leads.id
LIMIT %(limit)s;

-- name: calls_of_lead
-- A lead's calls, oldest first, with what became of each.
SELECT id::text, revision, leg::text, number, gateway, caller_id, agent, extract(epoch FROM opened_at)::float8, outcome, cause, sip_status,
       extract(epoch FROM rang_at)::float8, extract(epoch FROM answered_at)::float8, extract(epoch FROM bridged_at)::float8,
       extract(epoch FROM ended_at)::float8, missed, decision, disposition, disposed_by, extract(epoch FROM disposed_at)::float8, answers
FROM all_attempts WHERE lead = %(lead)s ORDER BY opened_at, id;

-- name: timeline
-- Everything that is known to have happened with a person, oldest first: when, what, where (a campaign or a queue), by whom, with which of its numbers, and
-- the rest as JSON. Numbers are all that the contacts of the given number have.
WITH people AS MATERIALIZED (
    SELECT id, number, name, created_at, import FROM contacts WHERE id = ANY (%(contacts)s::bigint[])
),
theirs AS MATERIALIZED (
    SELECT id, campaign, number, status, created_at, import FROM leads
    WHERE leads.contact = ANY (%(contacts)s::bigint[]) OR leads.number = ANY (%(numbers)s::text[])
),
calls AS MATERIALIZED (
    SELECT * FROM all_attempts
    WHERE all_attempts.number = ANY (%(numbers)s::text[]) OR all_attempts.lead = ANY (ARRAY (SELECT id FROM theirs))
),
entries AS (
    SELECT people.created_at AS at, 'contact' AS kind, '' AS place, coalesce(imports.who, '') AS who, people.number,
           jsonb_build_object('name', people.name, 'import', imports.name, 'file', imports.file) AS details
    FROM people LEFT JOIN imports ON imports.id = people.import
    WHERE NOT EXISTS (SELECT FROM audit WHERE audit.target = people.number AND audit.what = 'add_contact' AND audit.at = people.created_at)
    UNION ALL
    SELECT theirs.created_at, 'lead', theirs.campaign, coalesce(imports.who, ''), theirs.number,
           jsonb_build_object('lead', theirs.id, 'status', theirs.status, 'import', imports.name, 'file', imports.file)
    FROM theirs LEFT JOIN imports ON imports.id = theirs.import
    UNION ALL
    SELECT opened_at, 'call', campaign, coalesce(agent, ''), number, jsonb_build_object(
        'attempt', id, 'lead', lead, 'outcome', outcome, 'cause', cause, 'missed', missed, 'decision', CASE WHEN disposed_at IS NULL THEN decision ELSE '' END,
        'caller_id', caller_id, 'talked_s', extract(epoch FROM ended_at - bridged_at)::float8, 'ivr', ivr, 'left_at', left_at)
    FROM calls
    UNION ALL
    SELECT disposed_at, 'result', campaign, coalesce(disposed_by, ''), number,
           jsonb_build_object('attempt', id, 'lead', lead, 'disposition', disposition, 'decision', decision, 'answers', answers, 'note', note)
    FROM calls WHERE disposed_at IS NOT NULL
    UNION ALL
    SELECT created_at, 'ticket', coalesce(campaign, queue), coalesce(agent, ''), number,
           jsonb_build_object('ticket', id, 'channel', channel, 'outcome', outcome, 'note', note)
    FROM tickets WHERE number = ANY (%(numbers)s::text[]) OR lead = ANY (ARRAY (SELECT id FROM theirs))
    UNION ALL
    SELECT came_at, 'queue', queue, coalesce(agent, ''), number, jsonb_build_object(
        'caller', id, 'why', why, 'served', served_at IS NOT NULL, 'waited_s', waited_s, 'talked_s', talked_s,
        'asked_at', extract(epoch FROM asked_at)::float8, 'ticket', ticket)
    FROM callers WHERE callers.number = ANY (%(numbers)s::text[])
    UNION ALL
    SELECT closed_at, 'ticket_closed', coalesce(campaign, queue), coalesce(closed_by, ''), number, jsonb_build_object('ticket', id, 'how', closed_how)
    FROM tickets WHERE closed_at IS NOT NULL AND (number = ANY (%(numbers)s::text[]) OR lead = ANY (ARRAY (SELECT id FROM theirs)))
    UNION ALL
    SELECT added_at, 'do_not_call', list, added_by, number, jsonb_build_object('reason', reason) FROM do_not_call
    WHERE number = ANY (%(numbers)s::text[])
    UNION ALL
    SELECT added_at, 'do_not_call', list, added_by, given.number, jsonb_build_object('reason', reason, 'prefix', prefix)
    FROM unnest(%(numbers)s::text[]) AS given (number) JOIN do_not_call_prefixes ON starts_with(given.number, prefix)
    UNION ALL
    SELECT added_at, 'no_callback', campaign, added_by, number,
           jsonb_build_object('until', extract(epoch FROM until)::float8, 'reason', reason)
    FROM no_callback WHERE number = ANY (%(numbers)s::text[])
    UNION ALL
    SELECT at, 'audit', coalesce(details ->> 'campaign', ''), who, target, jsonb_build_object('what', what, 'why', why, 'details', details)
    FROM audit
    WHERE target = ANY (%(numbers)s::text[])
      -- What they wrote is told above, where it still stands.
      AND NOT (what = 'do_not_call_add' AND EXISTS (
          SELECT FROM do_not_call WHERE do_not_call.number = target AND list = details ->> 'list' AND added_at = at))
      AND NOT (what = 'mark_no_callback' AND EXISTS (
          SELECT FROM no_callback WHERE no_callback.number = target AND campaign = details ->> 'campaign' AND added_at = at))
      AND NOT (what = 'dispose_attempt' AND EXISTS (SELECT FROM calls WHERE id::text = details ->> 'attempt' AND disposed_at = at))
)
SELECT extract(epoch FROM at)::float8, kind, place, who, number, details
FROM (SELECT * FROM entries ORDER BY at DESC, kind DESC LIMIT %(limit)s) AS newest
ORDER BY at, kind;

-- name: people_of_number
-- The contacts who have a number, first or further, with all their numbers.
SELECT contacts.id, contacts.number, ARRAY (SELECT number FROM contact_numbers WHERE contact_numbers.contact = contacts.id ORDER BY place)
FROM contacts
WHERE contacts.number = %(number)s OR contacts.id IN (SELECT contact FROM contact_numbers WHERE contact_numbers.number = %(number)s)
ORDER BY contacts.number <> %(number)s, contacts.id;
