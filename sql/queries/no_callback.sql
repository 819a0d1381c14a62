-- Customers who asked to be left alone for a while (S12, D16): marks on numbers, and their leads' status `refused`.

-- name: mark_no_callback
-- Leave numbers alone until a time, in one campaign or ('') in all. Their leads that are not finished become refused; one with a call up too, and what the
-- call makes of it is then what it returns to. Leads that are refused already stay so until the last of their marks is over.
-- Returns how many marks were new, and how many leads became refused.
SELECT FROM leads
WHERE number = ANY (%(numbers)s::text[]) AND (%(campaign)s::text = '' OR campaign = %(campaign)s)
ORDER BY id FOR NO KEY UPDATE;
WITH marked AS (
    INSERT INTO no_callback (number, campaign, until, reason, added_by)
    SELECT DISTINCT number, %(campaign)s, to_timestamp(%(until)s), %(reason)s, %(who)s FROM unnest(%(numbers)s::text[]) AS given (number) ORDER BY number
    ON CONFLICT (number, campaign) DO UPDATE
    SET until = excluded.until, reason = excluded.reason, added_by = excluded.added_by, added_at = excluded.added_at
    RETURNING number, xmax = 0 AS is_new
),
noted AS (
    INSERT INTO audit (who, what, target, why, details)
    SELECT %(who)s, 'mark_no_callback', number, %(reason)s, jsonb_build_object('campaign', %(campaign)s::text, 'until', to_timestamp(%(until)s))
    FROM marked
),
changed AS (
    UPDATE leads
    SET status = 'refused', ready_why = 'no_callback', held_by = 'no_callback',
        status_before = CASE leads.status WHEN 'refused' THEN leads.status_before
                                          WHEN 'in_progress' THEN (SELECT lead_status FROM attempts_open WHERE attempts_open.lead = leads.id)
                                          ELSE leads.status END,
        ready_at = greatest(to_timestamp(%(until)s), (
            SELECT max(until) FROM no_callback AS other
            WHERE other.number = leads.number AND other.campaign IN (leads.campaign, '') AND other.campaign <> %(campaign)s)),
        claimed_epoch = CASE WHEN status = 'in_progress' THEN claimed_epoch END, claimed_batch = CASE WHEN status = 'in_progress' THEN claimed_batch END
    WHERE number = ANY (%(numbers)s::text[]) AND (%(campaign)s::text = '' OR campaign = %(campaign)s)
      AND status IN ('new', 'in_progress', 'retry', 'callback_scheduled', 'refused')
    RETURNING id
),
refused_before AS (
    SELECT count(*) AS count FROM leads
    WHERE number = ANY (%(numbers)s::text[]) AND (%(campaign)s::text = '' OR campaign = %(campaign)s) AND status = 'refused'
)
SELECT (SELECT count(*) FROM marked WHERE is_new), (SELECT count(*) FROM changed) - (SELECT count FROM refused_before);

-- name: clear_no_callback
-- Take the marks of numbers away again, those of one campaign, of all campaigns ('') or (NULL) every one. Leads with no mark left that holds at this time
-- return to what they were, and may be called at once; the others wait for the mark that is left.
-- Returns how many marks went, and how many leads returned.
SELECT FROM leads WHERE number = ANY (%(numbers)s::text[]) ORDER BY id FOR NO KEY UPDATE;
WITH removed AS (
    DELETE FROM no_callback WHERE number = ANY (%(numbers)s::text[]) AND (%(campaign)s::text IS NULL OR campaign = %(campaign)s)
    RETURNING number, campaign
),
noted AS (
    INSERT INTO audit (who, what, target, why, details)
    SELECT %(who)s, 'clear_no_callback', number, %(reason)s, jsonb_build_object('campaign', campaign) FROM removed
),
touched AS MATERIALIZED (
    SELECT leads.id,
        (
            SELECT max(until) FROM no_callback AS other
            WHERE other.number = leads.number AND other.campaign IN (leads.campaign, '') AND until > to_timestamp(%(now)s)
              AND (other.number, other.campaign) NOT IN (SELECT number, campaign FROM removed)
        ) AS until
    FROM leads
    WHERE number = ANY (%(numbers)s::text[]) AND status = 'refused'
      AND EXISTS (SELECT FROM removed WHERE removed.number = leads.number AND removed.campaign IN (leads.campaign, ''))
),
still AS (
    UPDATE leads SET ready_at = touched.until FROM touched WHERE leads.id = touched.id AND touched.until IS NOT NULL
),
returned AS (
    UPDATE leads
    SET status = CASE WHEN EXISTS (SELECT FROM attempts_open WHERE attempts_open.lead = leads.id) THEN 'in_progress'
                      ELSE coalesce(status_before, CASE WHEN attempts > 0 THEN 'retry' ELSE 'new' END) END,
        status_before = NULL, ready_at = to_timestamp(%(now)s), ready_why = '', held_by = ''
    FROM touched
    WHERE leads.id = touched.id AND touched.until IS NULL
    RETURNING leads.id
)
SELECT (SELECT count(*) FROM removed), (SELECT count(*) FROM returned);
