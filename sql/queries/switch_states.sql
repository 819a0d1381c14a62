-- What an operator asked of a switch, kept over a restart of the daemon.

-- name: drained_switches
-- Switches that get no new calls, and since when.
SELECT switch, extract(epoch FROM drained_at)::float8 FROM switch_states ORDER BY switch;

-- name: set_switch_drained
-- No new calls from then on, or (NULL) new ones again. Ignored once another daemon is the active one. Returns whether it is done.
WITH lead AS MATERIALIZED (
    SELECT FROM epochs WHERE %(epoch)s::bigint IS NULL OR (id = %(epoch)s AND ended_at IS NULL) LIMIT 1
),
gone AS (
    DELETE FROM switch_states WHERE switch = %(switch)s AND %(since)s::float8 IS NULL AND EXISTS (SELECT FROM lead)
),
kept AS (
    INSERT INTO switch_states (switch, drained_at, who)
    SELECT %(switch)s, to_timestamp(%(since)s::float8), %(who)s FROM lead WHERE %(since)s::float8 IS NOT NULL
    ON CONFLICT (switch) DO UPDATE SET drained_at = excluded.drained_at, who = excluded.who
)
SELECT EXISTS (SELECT FROM lead);
