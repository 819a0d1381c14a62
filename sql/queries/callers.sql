-- Callers of queues, the tickets they leave, and what becomes of these when the customer is served otherwise (D12, S78–S82, S89, S90).
--
-- Tickets are locked before leads, here and where triggers add customers: who closes a request and who makes a lead of it wait for each other.

-- name: queues
-- Every queue, in the order of names.
SELECT name, definition FROM definitions WHERE kind = 'queues' ORDER BY name;

-- name: queue
-- One queue, or no row.
SELECT definition FROM definitions WHERE kind = 'queues' AND name = %(queue)s;

-- name: caller_met
-- An agent is on the line with a caller; said again it changes nothing. One of whom the switch's rows have told already was served after all.
INSERT INTO callers (id, queue, number, came_at, served_at, agent, waited_s)
VALUES (%(caller)s, %(queue)s, %(number)s, to_timestamp(%(at)s::float8 - %(waited_s)s::float8), to_timestamp(%(at)s), %(agent)s, %(waited_s)s)
ON CONFLICT (id) DO UPDATE
SET served_at = excluded.served_at, agent = excluded.agent, waited_s = excluded.waited_s,
    why = CASE WHEN callers.left_at IS NULL THEN '' ELSE 'served' END, missed = false
WHERE callers.served_at IS NULL AND (callers.left_at IS NULL OR callers.found);

-- name: new_callers
-- Callers of whom nothing was known.
INSERT INTO callers (id, queue, number, came_at, switch)
SELECT caller, queue, number, to_timestamp(came_at), switch
FROM unnest(%(callers)s::text[], %(queues)s::text[], %(numbers)s::text[], %(came_at)s::float8[], %(switches)s::text[])
     AS gone (caller, queue, number, came_at, switch)
ORDER BY caller
ON CONFLICT (id) DO NOTHING;

-- name: caller_rows
-- Their rows, locked: id, whether he was served, how he left, whether rows of the switch alone say so, when he asked to be called back, his ticket.
SELECT id, served_at IS NOT NULL, why, found, extract(epoch FROM asked_at)::float8, ticket
FROM callers WHERE id = ANY (%(callers)s::text[]) ORDER BY id FOR UPDATE;

-- name: callers_gone
-- How callers left, with their tickets.
UPDATE callers
SET left_at = to_timestamp(gone.at), why = gone.why, asked_at = to_timestamp(gone.asked_at), agent = coalesce(gone.agent, callers.agent),
    served_at = coalesce(callers.served_at, to_timestamp(gone.served_at)),
    waited_s = CASE WHEN callers.served_at IS NULL THEN gone.waited_s ELSE callers.waited_s END, talked_s = gone.talked_s, missed = gone.missed,
    found = gone.found, switch = gone.switch, ticket = coalesce(gone.ticket, callers.ticket)
FROM unnest(
    %(callers)s::text[], %(at)s::float8[], %(whys)s::text[], %(asked_at)s::float8[], %(served_at)s::float8[], %(agents)s::text[], %(waited_s)s::float8[],
    %(talked_s)s::float8[], %(missed)s::boolean[], %(found)s::boolean[], %(switches)s::text[], %(tickets)s::bigint[]
) AS gone (id, at, why, asked_at, served_at, agent, waited_s, talked_s, missed, found, switch, ticket)
WHERE callers.id = gone.id;

-- name: new_caller_tickets
-- Callers' tickets, numbered in the order of the lists; one whose number was served in some queue after he had asked is closed at once. Returns their ids.
INSERT INTO tickets (channel, queue, number, agent, outcome, note, created_at, since, expires_at, recording, closed_at, closed_by, closed_how)
SELECT channel, queue, number, agent, why, CASE WHEN served THEN note || E'\nserved since' ELSE note END, now(), to_timestamp(since),
       to_timestamp(expires_at), recording, CASE WHEN served THEN now() END, CASE WHEN served THEN 'fs-dialer' END, CASE WHEN served THEN 'served' ELSE '' END
FROM (
    SELECT gone.*, gone.number <> '' AND EXISTS (
        SELECT FROM callers WHERE callers.number = gone.number AND callers.served_at >= to_timestamp(gone.since)) AS served
    FROM unnest(
        %(channels)s::text[], %(queues)s::text[], %(numbers)s::text[], %(agents)s::text[], %(whys)s::text[], %(notes)s::text[], %(since)s::float8[],
        %(expires_at)s::float8[], %(recordings)s::text[]
    ) WITH ORDINALITY AS gone (channel, queue, number, agent, why, note, since, expires_at, recording, place)
) AS gone
ORDER BY place
RETURNING id;

-- name: better_caller_ticket
-- A ticket that was written with less knowledge. Returns its id where its channel is another now.
WITH before AS MATERIALIZED (
    SELECT id, channel FROM tickets WHERE id = %(ticket)s FOR UPDATE
)
UPDATE tickets
SET channel = %(channel)s, outcome = %(why)s, since = to_timestamp(%(since)s), expires_at = to_timestamp(%(expires_at)s),
    recording = CASE WHEN %(recording)s = '' THEN recording ELSE %(recording)s END
FROM before
WHERE tickets.id = before.id
RETURNING CASE WHEN before.channel <> %(channel)s THEN tickets.id END;

-- name: caller_tickets_happened
-- For triggers, in the order of tickets. Returns rows where one listens.
INSERT INTO happenings (kind, data)
SELECT 'ticket_created', jsonb_build_object(
    'ticket', id, 'channel', channel, 'campaign', NULL, 'lead', lead, 'attempt', NULL, 'number', number, 'outcome', outcome, 'queue', queue)
FROM tickets
WHERE id = ANY (%(tickets)s::bigint[]) AND closed_at IS NULL AND heard('ticket_created')
ORDER BY id
RETURNING id;

-- name: close_requests
-- A customer was served: his open requests to be called back, made before that moment, are closed; that of the lead by which he was called, as called back.
-- '' = a withheld number: then only the caller's own. Returns the tickets with their leads.
WITH theirs AS MATERIALIZED (
    SELECT id, CASE WHEN lead = %(lead)s THEN 'called back' ELSE %(words)s END AS words FROM tickets
    WHERE closed_at IS NULL AND channel IN ('callback', 'missed') AND queue <> ''
      AND id IN (
          SELECT id FROM tickets WHERE number = %(number)s AND number <> '' AND coalesce(since, created_at) <= to_timestamp(%(at)s)
          UNION ALL
          SELECT ticket FROM callers WHERE callers.id = %(caller)s)
    ORDER BY id
    FOR UPDATE
)
UPDATE tickets
SET closed_at = now(), closed_by = %(who)s, closed_how = CASE WHEN tickets.lead = %(lead)s THEN 'called_back' ELSE 'served' END,
    note = CASE WHEN note = '' THEN words ELSE note || E'\n' || words END
FROM theirs
WHERE tickets.id = theirs.id
RETURNING tickets.id, tickets.lead;

-- name: withdraw_leads
-- Leads of callback campaigns that wait for a number, and those named, are not called any more: not one that is being called now, not one that an agent has
-- promised a time, none with a request that is still open. Whoever has claimed them is stopped by the last gate. Returns id, campaign, number, status before.
WITH waiting AS MATERIALIZED (
    SELECT leads.id, leads.status
    FROM leads
    JOIN campaigns ON campaigns.name = leads.campaign
    JOIN campaign_revisions AS revision
        ON revision.campaign = campaigns.name AND revision.revision = coalesce(campaigns.approved_revision, campaigns.newest_revision)
    WHERE leads.id IN (SELECT id FROM leads WHERE number = %(number)s UNION ALL SELECT unnest(%(leads)s::bigint[]))
      AND revision.type = 'callback' AND leads.status IN ('new', 'retry') AND leads.ready_why <> 'promised' AND leads.id IS DISTINCT FROM %(but)s
      AND NOT EXISTS (
          SELECT FROM tickets
          WHERE tickets.lead = leads.id AND tickets.closed_at IS NULL AND tickets.queue <> '' AND tickets.channel IN ('callback', 'missed'))
    ORDER BY leads.id
    FOR NO KEY UPDATE OF leads
)
UPDATE leads SET status = 'stopped', held_by = '', claimed_epoch = NULL, claimed_batch = NULL
FROM waiting
WHERE leads.id = waiting.id
RETURNING leads.id, leads.campaign, leads.number, waiting.status;

-- name: calls_to_follow
-- Of calls that are over: number, lead, agent, when an agent was on the line (NULL = none was), and whether the lead's requests were settled meanwhile.
SELECT attempts.number, attempts.lead, attempts.agent,
       CASE WHEN attempts.outcome = 'connected' THEN extract(epoch FROM attempts.bridged_at)::float8 END,
       EXISTS (SELECT FROM tickets WHERE tickets.lead = attempts.lead AND tickets.closed_how IN ('served', 'expired'))
FROM attempts
WHERE attempts.id = ANY (%(ids)s::uuid[]) AND attempts.lead IS NOT NULL;

-- name: expire_requests
-- Requests whose time is over, of which no call is up, are closed, some at a time. Returns the tickets with their leads.
WITH over AS MATERIALIZED (
    SELECT tickets.id
    FROM tickets LEFT JOIN leads ON leads.id = tickets.lead
    WHERE tickets.closed_at IS NULL AND tickets.expires_at <= to_timestamp(%(now)s) AND leads.status IS DISTINCT FROM 'in_progress'
    ORDER BY tickets.id LIMIT %(limit)s
    FOR UPDATE OF tickets SKIP LOCKED
)
UPDATE tickets
SET closed_at = now(), closed_by = 'fs-dialer', closed_how = 'expired',
    note = CASE WHEN note = '' THEN words ELSE note || E'\n' || words END
FROM over, (SELECT 'expired: nobody reached him in time'::text AS words) AS said
WHERE tickets.id = over.id
RETURNING tickets.id, tickets.lead;

-- name: request_to_add
-- A ticket of a queue that a trigger is about to make a lead of, locked: when the customer asked, whether it is closed, whether its time is over. No row for
-- other tickets.
SELECT extract(epoch FROM since)::float8, closed_at IS NOT NULL, coalesce(expires_at <= now(), false), closed_how
FROM tickets WHERE id = %(ticket)s AND queue <> '' FOR UPDATE;

-- name: lead_attributes
-- Attributes of leads that are in hand: what its list or a rule said of the lead, else what the directory says of the person.
SELECT leads.id, jsonb_object_agg(wanted.name, coalesce(leads.parameters ->> wanted.name, contacts.attributes ->> wanted.name))
FROM unnest(%(names)s::text[]) AS wanted (name), leads JOIN contacts ON contacts.id = leads.contact
WHERE leads.id = ANY (%(leads)s::bigint[]) AND (leads.parameters ? wanted.name OR contacts.attributes ? wanted.name)
GROUP BY leads.id;
