-- A person is forgotten: everything that names him goes, everything that counts stays. One transaction; db/forgetting.py says in which order.

-- name: people_to_forget
-- Who has the number: the one whose first number it is before those who have it among others; their numbers, each with whether nobody else has it.
SELECT contacts.id, contacts.number = %(number)s,
       ARRAY (
           SELECT each FROM (
               SELECT contacts.number AS each
               UNION SELECT contact_numbers.number FROM contact_numbers WHERE contact_numbers.contact = contacts.id
           ) AS theirs
           WHERE NOT EXISTS (SELECT FROM contacts AS other WHERE other.number = theirs.each AND other.id <> contacts.id)
             AND NOT EXISTS (SELECT FROM contact_numbers AS other WHERE other.number = theirs.each AND other.contact <> contacts.id)
           ORDER BY 1
       )
FROM contacts
WHERE contacts.number = %(number)s OR contacts.id IN (SELECT contact FROM contact_numbers WHERE contact_numbers.number = %(number)s)
ORDER BY contacts.number <> %(number)s, contacts.id;

-- name: lock_forgotten
-- The person and his leads, locked as for deletion: contact first, then leads in the order of ids, as those who add leads do. Returns the leads.
SELECT FROM contacts WHERE id = %(contact)s FOR UPDATE;
SELECT id, campaign, status FROM leads WHERE contact = %(contact)s OR number = ANY (%(numbers)s::text[]) ORDER BY id FOR UPDATE;

-- name: calls_up
-- Calls to the person that are not over.
SELECT id::text, campaign FROM attempts_open WHERE number = ANY (%(numbers)s::text[]) OR lead = ANY (%(leads)s::bigint[]);

-- name: forget_attempts
-- Calls stay and count, without the person. Returns their ids: recordings bear them.
UPDATE attempts SET lead = NULL, number = '', answers = '{}', note = '', disposition_kept = NULL, ivr = '[]'
WHERE lead = ANY (%(leads)s::bigint[]) OR number = ANY (%(numbers)s::text[])
RETURNING id::text;

-- name: forget_callers
-- Their calls to queues stay and count too. Returns their ids: recordings bear them.
UPDATE callers SET number = '' WHERE number = ANY (%(numbers)s::text[]) RETURNING id;

-- name: forget_tickets
-- So do tickets. Returns how many.
WITH done AS (
    UPDATE tickets SET lead = NULL, number = '', note = '', recording = ''
    WHERE lead = ANY (%(leads)s::bigint[]) OR number = ANY (%(numbers)s::text[])
    RETURNING id
)
SELECT count(*) FROM done;

-- name: forget_in_audit
-- Who did what and when stays; to whom, and what it said, goes. Lines about others that mention the number lose the number. Returns how many lines changed.
WITH theirs AS (
    UPDATE audit
    SET target = %(instead)s, why = '',
        details = (
            SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(details)
            WHERE key IN ('campaign', 'list', 'mark', 'disposition', 'replaced', 'attempt', 'until'))
    WHERE target = ANY (%(numbers)s::text[])
    RETURNING id
),
mentions AS (
    UPDATE audit
    SET why = regexp_replace(why, %(pattern)s, %(instead)s, 'g'), details = regexp_replace(details::text, %(pattern)s, %(instead)s, 'g')::jsonb
    WHERE target <> ALL (%(numbers)s::text[]) AND (why ~ %(pattern)s OR details::text ~ %(pattern)s)
    RETURNING id
)
SELECT (SELECT count(*) FROM theirs) + (SELECT count(*) FROM mentions);

-- name: forget_in_messages
-- Events, messages to webhooks, commands and kept answers lose the number. Returns how many changed.
WITH events AS (
    UPDATE happenings SET data = regexp_replace(data::text, %(pattern)s, %(instead)s, 'g')::jsonb, result = regexp_replace(result, %(pattern)s, %(instead)s, 'g')
    WHERE data::text ~ %(pattern)s OR result ~ %(pattern)s
    RETURNING id
),
messages AS (
    UPDATE outbox
    SET body = regexp_replace(body::text, %(pattern)s, %(instead)s, 'g')::jsonb, last_error = regexp_replace(last_error, %(pattern)s, %(instead)s, 'g')
    WHERE body::text ~ %(pattern)s OR last_error ~ %(pattern)s
    RETURNING id
),
asked AS (
    UPDATE commands
    SET target = regexp_replace(target, %(pattern)s, %(instead)s, 'g'), args = regexp_replace(args::text, %(pattern)s, %(instead)s, 'g')::jsonb,
        reply_text = regexp_replace(reply_text, %(pattern)s, %(instead)s, 'g')
    WHERE target ~ %(pattern)s OR args::text ~ %(pattern)s OR reply_text ~ %(pattern)s
    RETURNING id
),
answered AS (
    UPDATE api_requests SET response = regexp_replace(response::text, %(pattern)s, %(instead)s, 'g')::jsonb
    WHERE response::text ~ %(pattern)s
    RETURNING key
)
SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM messages) + (SELECT count(*) FROM asked) + (SELECT count(*) FROM answered);

-- name: forget_wishes
-- Entries of do-not-call lists and marks: kept without their reasons, or gone. Returns how many there were.
WITH kept_entries AS (
    UPDATE do_not_call SET reason = '' WHERE number = ANY (%(numbers)s::text[]) AND %(keep)s RETURNING number
),
kept_marks AS (
    UPDATE no_callback SET reason = '' WHERE number = ANY (%(numbers)s::text[]) AND %(keep)s RETURNING number
),
gone_entries AS (
    DELETE FROM do_not_call WHERE number = ANY (%(numbers)s::text[]) AND NOT %(keep)s RETURNING number
),
gone_marks AS (
    DELETE FROM no_callback WHERE number = ANY (%(numbers)s::text[]) AND NOT %(keep)s RETURNING number
)
SELECT (SELECT count(*) FROM kept_entries) + (SELECT count(*) FROM gone_entries), (SELECT count(*) FROM kept_marks) + (SELECT count(*) FROM gone_marks);

-- name: forget_person
-- The person himself, with his leads, numbers and groups; and the numbers where others have them among theirs.
DELETE FROM leads WHERE id = ANY (%(leads)s::bigint[]);
UPDATE leads
SET other_numbers = (
    SELECT coalesce(jsonb_agg(each ORDER BY place), '[]') FROM jsonb_array_elements(other_numbers) WITH ORDINALITY AS others (each, place)
    WHERE each ->> 0 <> ALL (%(numbers)s::text[]))
WHERE contact IN (SELECT contact FROM contact_numbers WHERE contact_numbers.number = ANY (%(numbers)s::text[]));
DELETE FROM contact_numbers WHERE number = ANY (%(numbers)s::text[]);
DELETE FROM contacts WHERE id = %(contact)s;

-- name: leads_forgotten
-- How many leads of each campaign were forgotten, by the status they had: what counts of leads lack.
SELECT audit.target, status.key, sum(status.value::bigint)
FROM audit, jsonb_each_text(audit.details -> 'leads') AS status
WHERE audit.what = 'forget_leads' AND (%(campaign)s::text IS NULL OR audit.target = %(campaign)s)
GROUP BY 1, 2
ORDER BY 1, 2;
