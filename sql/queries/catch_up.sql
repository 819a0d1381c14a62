-- Attempts that a restored database does not know, from the daemon's journals.

-- name: attempts_known
-- Which of these attempts the database has, and whether each is over.
SELECT id::text, outcome IS NOT NULL FROM all_attempts WHERE id = ANY (%(ids)s::uuid[]);

-- name: lead_of_attempt
-- The lead that an attempt was made for: by its id where that still has the campaign's number, else by campaign and number (a list loaded anew).
SELECT id FROM leads
WHERE campaign = %(campaign)s AND (number = %(number)s OR id = %(lead)s AND other_numbers @> to_jsonb(ARRAY[ARRAY[%(number)s::text]]))
ORDER BY id = %(lead)s DESC, id LIMIT 1;

-- name: catch_up_attempt
-- Put an attempt back as it was when it was committed. Nothing where its campaign's revision is not there either.
WITH opened AS (
    INSERT INTO attempts_open (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at, gates)
    SELECT %(id)s, campaign, revision, %(lead)s, %(lead_status)s, %(epoch)s, %(leg)s, %(number)s, %(gateway)s, %(caller_id)s, %(agent)s,
           to_timestamp(%(opened_at)s), %(gates)s::jsonb
    FROM campaign_revisions WHERE campaign = %(campaign)s AND revision <= %(revision)s
    ORDER BY revision DESC LIMIT 1
    ON CONFLICT DO NOTHING
    RETURNING lead
)
UPDATE leads SET status = 'in_progress', held_by = '', claimed_epoch = NULL, claimed_batch = NULL
FROM opened WHERE leads.id = opened.lead AND leads.status IN ('new', 'retry', 'callback_scheduled')
RETURNING leads.id;
