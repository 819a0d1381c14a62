-- What an agent's screen shows of a customer. Reads only, all in one transaction.

-- name: card_begin
-- First in the transaction: everything after it sees one moment.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;

-- name: card_campaign
-- A campaign at the revision that dials.
SELECT revision.revision, revision.definition
FROM campaigns
JOIN campaign_revisions AS revision
    ON revision.campaign = campaigns.name AND revision.revision = coalesce(campaigns.approved_revision, campaigns.newest_revision)
WHERE campaigns.name = %(campaign)s;

-- name: agent_in_teams
-- Whether an agent is in one of these teams.
SELECT EXISTS (
    SELECT FROM definitions WHERE kind = 'teams' AND name = ANY (%(teams)s::text[]) AND definition -> 'people' ? %(agent)s);

-- name: lead_is_his
-- Whether a lead is in an agent's hands, was promised by him, or has had a call with him.
SELECT EXISTS (
    SELECT FROM leads
    WHERE id = %(lead)s
      AND (met = %(agent)s OR (status = 'callback_scheduled' AND agent = %(agent)s)
           OR EXISTS (SELECT FROM lead_takes AS takes
                      WHERE takes.lead = leads.id AND takes.agent = %(agent)s AND takes.epoch = leads.claimed_epoch AND takes.batch = leads.claimed_batch)
           OR EXISTS (SELECT FROM all_attempts AS call WHERE call.lead = leads.id AND call.agent = %(agent)s)));

-- name: card_calls
-- Calls to a contact by any campaign, newest first.
SELECT id::text, campaign, extract(epoch FROM opened_at)::float8, extract(epoch FROM ended_at)::float8, outcome, agent, disposition, note,
       extract(epoch FROM ended_at - bridged_at)::float8, coalesce(missed, false)
FROM all_attempts
WHERE lead = ANY (ARRAY (SELECT id FROM leads WHERE leads.contact = %(contact)s))
ORDER BY opened_at DESC, id DESC
LIMIT %(limit)s;

-- name: card_promised
-- Callbacks that were promised to a contact, the first one first.
SELECT campaign, id, extract(epoch FROM ready_at)::float8, agent FROM leads
WHERE leads.contact = %(contact)s AND status = 'callback_scheduled' ORDER BY ready_at, id;

-- name: card_tickets
-- Open tickets of a contact's numbers, missed calls among them, newest first (S65, S78).
SELECT tickets.id, tickets.channel, tickets.queue, tickets.campaign, extract(epoch FROM tickets.created_at)::float8, tickets.note, tickets.lead
FROM tickets
WHERE tickets.closed_at IS NULL AND tickets.number = ANY (ARRAY (
    SELECT contacts.number FROM contacts WHERE contacts.id = %(contact)s
    UNION SELECT contact_numbers.number FROM contact_numbers WHERE contact_numbers.contact = %(contact)s
    UNION SELECT %(number)s::text))
ORDER BY tickets.id DESC
LIMIT %(limit)s;
