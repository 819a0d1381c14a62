-- Leads: claimed by the active daemon, given back.
--
-- Where leads are looked up by id, conditions on claimed_epoch are written with coalesce (epochs count from 1), so that no partial index fits: by
-- statistics of a minute ago the planner may think that such an index is empty, and read all of it for a few leads. The queries asked most often switch
-- sequential scans off, too: their plans may be as old as a table that was empty.

-- name: claim_leads (prepared)
-- Take the leads that are ready, of open zone sets only: first whom a time was promised or a call is owed, then the oldest. Locks the epoch's row, so that
-- no claim of a former daemon lands after a take-over.
-- Looks twice: at a few leads of every zone set, then at more of the hungry ones only, those whose few are all among the `count` oldest found so far. So
-- it reads about `count` leads in all and not `count` per zone set. What it found it takes by place (ctid), cheaper than by id; a lead that somebody moves
-- meanwhile is passed over. Not flushed to disk: a claim that a crash of the server takes back is refused later, by the last gate.
SET LOCAL synchronous_commit = off;
SET LOCAL enable_seqscan = off;
WITH leader AS MATERIALIZED (
    SELECT id FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL FOR SHARE
),
urgent AS MATERIALIZED (
    SELECT leads.ctid AS place, leads.ready_at, leads.position
    FROM leader, leads
    WHERE campaign = %(campaign)s AND ready_at <= to_timestamp(%(now)s) AND zone_set = ANY (%(zone_sets)s::text[])
      AND coalesce(claimed_epoch, 0) = 0 AND status IN ('retry', 'callback_scheduled') AND ready_why IN ('promised', 'remedy')
    ORDER BY ready_at, position
    LIMIT %(count)s
),
few AS MATERIALIZED (
    SELECT open.zone_set, look.place, look.ready_at, look.position, look.nth
    FROM leader,
         unnest(%(zone_sets)s::text[]) AS open (zone_set),
         LATERAL (
             SELECT ctid AS place, ready_at, position, row_number() OVER (ORDER BY ready_at, position) AS nth FROM leads
             WHERE campaign = %(campaign)s AND zone_set = open.zone_set AND ready_at <= to_timestamp(%(now)s)
               AND claimed_epoch IS NULL AND status IN ('new', 'retry', 'callback_scheduled')
             ORDER BY ready_at, position
             LIMIT %(few)s
         ) AS look
),
bound AS MATERIALIZED (
    SELECT ready_at, position FROM few ORDER BY ready_at, position OFFSET %(count)s::bigint - 1 LIMIT 1
),
hungry AS MATERIALIZED (
    SELECT zone_set FROM few
    WHERE nth = %(few)s AND NOT EXISTS (SELECT FROM bound WHERE (few.ready_at, few.position) > (bound.ready_at, bound.position))
),
more AS MATERIALIZED (
    SELECT look.place, look.ready_at, look.position
    FROM hungry,
         LATERAL (
             SELECT ctid AS place, ready_at, position FROM leads
             WHERE campaign = %(campaign)s AND zone_set = hungry.zone_set AND ready_at <= to_timestamp(%(now)s)
               AND claimed_epoch IS NULL AND status IN ('new', 'retry', 'callback_scheduled')
             ORDER BY ready_at, position
             OFFSET %(few)s LIMIT greatest(0, %(count)s::bigint - %(few)s::bigint)
         ) AS look
),
ready AS MATERIALIZED (
    SELECT place FROM (
        SELECT 0 AS turn, place, ready_at, position FROM urgent
        UNION ALL
        SELECT 1, place, ready_at, position FROM (SELECT place, ready_at, position FROM few UNION ALL SELECT place, ready_at, position FROM more) AS both_looks
        WHERE place <> ALL (ARRAY (SELECT place FROM urgent))
    ) AS all_looks
    ORDER BY turn, ready_at, position
    LIMIT %(count)s
),
mine AS MATERIALIZED (
    SELECT ctid AS place FROM leads
    WHERE ctid = ANY (ARRAY (SELECT place FROM ready)) AND coalesce(claimed_epoch, 0) = 0 AND status IN ('new', 'retry', 'callback_scheduled')
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE leads SET claimed_epoch = %(epoch)s, claimed_batch = %(batch)s
WHERE ctid = ANY (ARRAY (SELECT place FROM mine))
RETURNING leads.id, leads.number, leads.zone_set, leads.status, leads.attempts, leads.ours_in_row,
          extract(epoch FROM leads.ready_at)::float8, leads.position, leads.ready_why, leads.agent, leads.caller_id,
          jsonb_array_length(leads.other_numbers), leads.met, leads.last_outcome;

-- name: claim_rest
-- After a claim that came back short: is the epoch still ours, when is the next lead of an open zone set ready, is any lead not finished.
SELECT
    EXISTS (SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL),
    (
        SELECT extract(epoch FROM min(first.ready_at))::float8
        FROM unnest(%(zone_sets)s::text[]) AS open (zone_set),
             LATERAL (
                 SELECT ready_at FROM leads
                 WHERE campaign = %(campaign)s AND zone_set = open.zone_set
                   AND claimed_epoch IS NULL AND status IN ('new', 'retry', 'callback_scheduled')
                 ORDER BY ready_at
                 LIMIT 1
             ) AS first
    ),
    EXISTS (
        SELECT FROM leads
        WHERE campaign = %(campaign)s AND claimed_epoch IS NULL AND status IN ('new', 'retry', 'callback_scheduled')
    ) OR EXISTS (
        SELECT FROM leads
        WHERE campaign = %(campaign)s AND (claimed_epoch IS NOT NULL OR status = 'in_progress')
          AND status IN ('new', 'in_progress', 'retry', 'callback_scheduled')
    );

-- name: undo_claim
-- Free the leads of one claim whose answer never reached us.
UPDATE leads SET claimed_epoch = NULL, claimed_batch = NULL
WHERE campaign = %(campaign)s AND claimed_epoch = %(epoch)s AND claimed_batch = %(batch)s AND status <> 'in_progress';

-- name: return_leads (prepared)
-- Give claimed leads back undialled, with the gate that refused each and when to ask again; some behind all others (S57). Leads that are not ours are
-- left alone.
SET LOCAL enable_seqscan = off;
WITH given AS MATERIALIZED (
    SELECT id, ready_at, held_by, CASE WHEN last THEN nextval('lead_position') END AS position
    FROM (
        SELECT * FROM unnest(%(ids)s::bigint[], %(ready_ats)s::float8[], %(held_bys)s::text[], %(lasts)s::boolean[])
            WITH ORDINALITY AS given (id, ready_at, held_by, last, place)
        ORDER BY place
    ) AS in_order
)
UPDATE leads
SET claimed_epoch = NULL, claimed_batch = NULL, ready_at = to_timestamp(given.ready_at), held_by = given.held_by,
    position = coalesce(given.position, leads.position)
FROM given
WHERE leads.id = given.id AND leads.id = ANY (%(ids)s::bigint[]) AND leads.campaign = %(campaign)s AND coalesce(leads.claimed_epoch, 0) = %(epoch)s
  AND leads.status <> 'in_progress';

-- name: return_all_claims
-- Free what former daemons had claimed. A lead with an open attempt stays in progress: its attempt is adopted or closed.
UPDATE leads SET claimed_epoch = NULL, claimed_batch = NULL
WHERE claimed_epoch IS NOT NULL AND claimed_epoch <> %(epoch)s AND status <> 'in_progress'
  AND EXISTS (SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL);

-- name: return_refused
-- Leads whose time of being left alone is over go back to what they were (D16), some at a time. One whose call is up is in progress again.
UPDATE leads
SET status = CASE WHEN EXISTS (SELECT FROM attempts_open WHERE attempts_open.lead = leads.id) THEN 'in_progress'
                  ELSE coalesce(status_before, CASE WHEN attempts > 0 THEN 'retry' ELSE 'new' END) END,
    status_before = NULL, ready_why = '', held_by = ''
FROM (
    SELECT id FROM leads WHERE status = 'refused' AND ready_at <= to_timestamp(%(now)s) ORDER BY ready_at LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
) AS due
WHERE leads.id = due.id;
