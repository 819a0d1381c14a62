-- Leads: claimed by the active daemon, given back, counted.
--
-- Where leads are looked up by id, conditions on claimed_epoch are written with coalesce (epochs count from 1), so that no partial index fits: by
-- statistics of a minute ago the planner may think that such an index is empty, and read all of it for a few leads.

-- name: claim_leads (prepared)
-- Take the leads that are ready, oldest first, of open zone sets only. Locks the epoch's row, so that no claim of a former daemon lands after a take-over.
-- Looks twice: at a few leads of every zone set, then at more of the hungry ones only, those whose few are all among the `count` oldest found so far. So
-- it reads about `count` leads in all and not `count` per zone set. Not flushed to disk: a claim that a crash of the server takes back is refused later,
-- by the last gate.
SET LOCAL synchronous_commit = off;
WITH leader AS MATERIALIZED (
    SELECT id FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL FOR SHARE
),
few AS MATERIALIZED (
    SELECT open.zone_set, look.id, look.ready_at, look.position, look.nth
    FROM leader,
         unnest(%(zone_sets)s::text[]) AS open (zone_set),
         LATERAL (
             SELECT id, ready_at, position, row_number() OVER (ORDER BY ready_at, position) AS nth FROM leads
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
    SELECT look.id, look.ready_at, look.position
    FROM hungry,
         LATERAL (
             SELECT id, ready_at, position FROM leads
             WHERE campaign = %(campaign)s AND zone_set = hungry.zone_set AND ready_at <= to_timestamp(%(now)s)
               AND claimed_epoch IS NULL AND status IN ('new', 'retry', 'callback_scheduled')
             ORDER BY ready_at, position
             OFFSET %(few)s LIMIT greatest(0, %(count)s::bigint - %(few)s::bigint)
         ) AS look
),
ready AS MATERIALIZED (
    SELECT id FROM (SELECT id, ready_at, position FROM few UNION ALL SELECT id, ready_at, position FROM more) AS both_looks
    ORDER BY ready_at, position
    LIMIT %(count)s
),
mine AS MATERIALIZED (
    SELECT leads.id FROM leads JOIN ready ON ready.id = leads.id
    WHERE coalesce(leads.claimed_epoch, 0) = 0 AND leads.status IN ('new', 'retry', 'callback_scheduled')
    FOR NO KEY UPDATE OF leads SKIP LOCKED
)
UPDATE leads SET claimed_epoch = %(epoch)s, claimed_batch = %(batch)s
FROM mine
WHERE leads.id = mine.id
RETURNING leads.id, leads.number, leads.zone_set, leads.status, leads.attempts, leads.ours_in_row,
          extract(epoch FROM leads.ready_at)::float8, leads.position;

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
-- Give claimed leads back undialled, with the gate that refused each and when to ask again. Leads that are not ours are left alone.
UPDATE leads
SET claimed_epoch = NULL, claimed_batch = NULL, ready_at = to_timestamp(given.ready_at), held_by = given.held_by
FROM unnest(%(ids)s::bigint[], %(ready_ats)s::float8[], %(held_bys)s::text[]) AS given (id, ready_at, held_by)
WHERE leads.id = given.id AND leads.campaign = %(campaign)s AND coalesce(leads.claimed_epoch, 0) = %(epoch)s
  AND leads.status <> 'in_progress';

-- name: return_all_claims
-- Free what former daemons had claimed. A lead with an open attempt stays in progress: its attempt is adopted or closed.
UPDATE leads SET claimed_epoch = NULL, claimed_batch = NULL
WHERE claimed_epoch IS NOT NULL AND claimed_epoch <> %(epoch)s AND status <> 'in_progress'
  AND EXISTS (SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL);
