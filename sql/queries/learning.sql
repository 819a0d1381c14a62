-- What a campaign's own calls say of the people it calls and of its agents, for `simulate --learn`. Reads attempts that are over; nobody's name or number.

-- name: learning_outcomes
-- How many attempts of a campaign ended how: by the lead's zones, by the quarter of an hour (since 1970) in which they were opened, and by the how-manieth
-- call to the lead each was, as far as the campaign's calls are kept (10 = the tenth or later). Attempts that reached nobody by our own or the network's
-- fault count as no call, and are told with 0.
SELECT zone_set, quarter, least(nth, 10), outcome, count(*)
FROM (
    SELECT coalesce(leads.zone_set, '') AS zone_set, floor(extract(epoch FROM attempts.opened_at) / 900)::bigint AS quarter, attempts.opened_at, outcome,
           CASE WHEN outcome IN ('ours', 'network', 'cancelled', 'unknown') OR NOT leg_seen THEN 0
                ELSE count(*) FILTER (WHERE leg_seen AND outcome NOT IN ('ours', 'network', 'cancelled', 'unknown'))
                     OVER (PARTITION BY coalesce(attempts.lead::text, attempts.id::text) ORDER BY attempts.opened_at, attempts.id)
           END AS nth
    FROM attempts LEFT JOIN leads ON leads.id = attempts.lead
    WHERE attempts.campaign = %(campaign)s AND attempts.opened_at < to_timestamp(%(until)s)
) AS each_attempt
WHERE opened_at >= to_timestamp(%(since)s)
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4;

-- name: learning_times
-- Lengths of time of a campaign's calls, in seconds, by kind: how many, their mean, and their quantiles in 20 equal steps.
-- first_response: from dialling until it rang; ring: ringing until a person answered; machine_ring; refuse: until a refusal; ring_out: ringing until the
-- network, and not we, gave up; talk: from the agent to the end; patience: an answered customer who hung up before he met an agent; result: from a call's
-- end until the agent's result was filed; agent_answer: from the customer's answer to the agent, of calls whose agent had been free for a while.
SELECT kind, count(*), avg(seconds)::float8,
       percentile_cont(ARRAY[0, .05, .1, .15, .2, .25, .3, .35, .4, .45, .5, .55, .6, .65, .7, .75, .8, .85, .9, .95, 1]) WITHIN GROUP (ORDER BY seconds)
FROM (
    SELECT each_kind.kind, extract(epoch FROM each_kind.length)::float8 AS seconds
    FROM (
        SELECT *, lag(ended_at) OVER (PARTITION BY agent ORDER BY coalesce(bridged_at, ended_at), id) AS agent_before
        FROM attempts
        WHERE campaign = %(campaign)s AND opened_at >= to_timestamp(%(since)s) AND opened_at < to_timestamp(%(until)s) AND leg_seen
    ) AS calls
    CROSS JOIN LATERAL (VALUES
        ('first_response', CASE WHEN rang_at IS NOT NULL THEN rang_at - opened_at END),
        ('ring', CASE WHEN outcome IN ('connected', 'missed', 'early_hangup') THEN answered_at - coalesce(rang_at, opened_at) END),
        ('machine_ring', CASE WHEN outcome = 'machine' THEN answered_at - coalesce(rang_at, opened_at) END),
        ('refuse', CASE WHEN outcome IN ('busy', 'bad_number', 'unreachable') THEN ended_at - opened_at END),
        ('ring_out', CASE WHEN outcome = 'no_answer' AND sip_status IS NOT NULL THEN ended_at - coalesce(rang_at, opened_at) END),
        ('talk', CASE WHEN outcome = 'connected' THEN ended_at - bridged_at END),
        ('patience', CASE WHEN outcome = 'early_hangup' OR outcome = 'missed' AND bridged_at IS NULL AND ended_at < answered_at + make_interval(secs => %(wait_s)s)
                          THEN ended_at - answered_at END),
        ('result', CASE WHEN bridged_at IS NOT NULL AND disposition IS NOT NULL AND disposed_by = agent THEN disposed_at - ended_at END),
        ('agent_answer', CASE WHEN bridged_at IS NOT NULL AND agent_before + make_interval(secs => %(rest_s)s) < answered_at THEN bridged_at - answered_at END)
    ) AS each_kind (kind, length)
    WHERE each_kind.length IS NOT NULL AND each_kind.length BETWEEN interval '0' AND interval '4 hours'
) AS lengths
GROUP BY kind
ORDER BY kind;

-- name: learning_waits
-- Of a campaign's answered calls: for how many seconds in all customers waited without an agent, and how many were waiting at all.
SELECT coalesce(sum(extract(epoch FROM coalesce(bridged_at, ended_at) - answered_at)), 0)::float8, count(*)
FROM attempts
WHERE campaign = %(campaign)s AND opened_at >= to_timestamp(%(since)s) AND opened_at < to_timestamp(%(until)s)
  AND outcome IN ('connected', 'missed', 'early_hangup') AND answered_at IS NOT NULL;

-- name: learning_dispositions
-- How often agents filed which result in a campaign.
SELECT disposition, count(*)
FROM attempts
WHERE campaign = %(campaign)s AND opened_at >= to_timestamp(%(since)s) AND opened_at < to_timestamp(%(until)s)
  AND bridged_at IS NOT NULL AND disposition IS NOT NULL
GROUP BY disposition
ORDER BY count(*) DESC, disposition;
