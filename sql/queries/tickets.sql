-- Tickets: what somebody should look at or has looked at (S15, S78).

-- name: ticket_rows
-- A page of tickets, newest first; NULL = of any.
SELECT tickets.id, tickets.channel, tickets.campaign, tickets.queue, tickets.lead, tickets.attempt::text, tickets.number, coalesce(contacts.name, ''),
       tickets.agent, tickets.outcome, tickets.note, extract(epoch FROM tickets.created_at)::float8, extract(epoch FROM tickets.closed_at)::float8,
       tickets.closed_by, coalesce(leads.status, ''), coalesce(leads.campaign, ''), extract(epoch FROM tickets.since)::float8,
       extract(epoch FROM tickets.expires_at)::float8, tickets.closed_how, tickets.recording
FROM tickets
LEFT JOIN leads ON leads.id = tickets.lead
LEFT JOIN contacts ON contacts.id = leads.contact
WHERE (%(before)s::bigint IS NULL OR tickets.id < %(before)s)
  AND (%(id)s::bigint IS NULL OR tickets.id = %(id)s)
  AND (NOT %(open)s::boolean OR tickets.closed_at IS NULL)
  AND (%(campaign)s::text IS NULL OR tickets.campaign = %(campaign)s)
  AND (%(number)s::text IS NULL OR tickets.number = %(number)s)
  AND (%(channel)s::text IS NULL OR tickets.channel = %(channel)s)
  AND (%(queue)s::text IS NULL OR tickets.queue = %(queue)s)
ORDER BY tickets.id DESC
LIMIT %(limit)s;

-- name: close_tickets
-- Close tickets that are open, with a note. Returns the ids of those closed now.
WITH closed AS (
    UPDATE tickets
    SET closed_at = now(), closed_by = %(who)s, note = CASE WHEN %(note)s = '' THEN note WHEN note = '' THEN %(note)s ELSE note || E'\n' || %(note)s END
    WHERE id = ANY (%(ids)s::bigint[]) AND closed_at IS NULL
    RETURNING id
),
noted AS (
    INSERT INTO audit (who, what, target, why) SELECT %(who)s, 'close_ticket', id::text, %(note)s FROM closed ORDER BY id
)
SELECT id FROM closed ORDER BY id;
