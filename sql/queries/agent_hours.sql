-- How agents spent their hours: saved by the daemon, read by reports.

-- name: save_agent_hours
-- Add what happened since the last time. A row that was counted up to here already is left alone, so that saying it twice adds nothing.
INSERT INTO agent_hours AS kept (agent, hour, until, ready_s, reserved_s, previewing_s, ringing_s, talking_s, held_s, consulting_s, wrap_up_s,
                                 not_available_s, logged_in_s, screen_open_s, missed_offers, previews, skipped)
SELECT agent, to_timestamp(hour), to_timestamp(until), ready, reserved, previewing, ringing, talking, held, consulting, wrap_up,
       not_available, logged_in, screen_open, missed_offers, previews, skipped
FROM unnest(
    %(agents)s::text[], %(hours)s::float8[], %(untils)s::float8[], %(ready)s::float8[], %(reserved)s::float8[], %(previewing)s::float8[],
    %(ringing)s::float8[], %(talking)s::float8[], %(held)s::float8[], %(consulting)s::float8[], %(wrap_up)s::float8[], %(not_available)s::float8[],
    %(logged_in)s::float8[], %(screen_open)s::float8[], %(missed_offers)s::integer[], %(previews)s::integer[], %(skipped)s::integer[]
) AS given (agent, hour, until, ready, reserved, previewing, ringing, talking, held, consulting, wrap_up, not_available, logged_in, screen_open,
            missed_offers, previews, skipped)
ORDER BY agent, hour
ON CONFLICT (agent, hour) DO UPDATE
SET until = excluded.until, ready_s = kept.ready_s + excluded.ready_s, reserved_s = kept.reserved_s + excluded.reserved_s,
    previewing_s = kept.previewing_s + excluded.previewing_s, ringing_s = kept.ringing_s + excluded.ringing_s,
    talking_s = kept.talking_s + excluded.talking_s, held_s = kept.held_s + excluded.held_s,
    consulting_s = kept.consulting_s + excluded.consulting_s, wrap_up_s = kept.wrap_up_s + excluded.wrap_up_s,
    not_available_s = kept.not_available_s + excluded.not_available_s, logged_in_s = kept.logged_in_s + excluded.logged_in_s,
    screen_open_s = kept.screen_open_s + excluded.screen_open_s, missed_offers = kept.missed_offers + excluded.missed_offers,
    previews = kept.previews + excluded.previews, skipped = kept.skipped + excluded.skipped
WHERE kept.until < excluded.until;

-- name: agent_hours_of
-- Agents' hours that begin in a span (NULL = of every agent), by place among `edges` (1 = from the first on).
SELECT agent, width_bucket(extract(epoch FROM hour)::float8, %(edges)s::float8[]) AS place,
       sum(ready_s), sum(reserved_s), sum(previewing_s), sum(ringing_s), sum(talking_s), sum(held_s), sum(consulting_s), sum(wrap_up_s),
       sum(not_available_s), sum(logged_in_s), sum(screen_open_s), sum(missed_offers), sum(previews), sum(skipped)
FROM agent_hours
WHERE hour >= to_timestamp(%(since)s) AND hour < to_timestamp(%(until)s) AND (%(agent)s::text IS NULL OR agent = %(agent)s)
GROUP BY agent, place
ORDER BY agent, place;
