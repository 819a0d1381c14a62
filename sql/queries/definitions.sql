-- What an admin defined, and the states a daemon gives it.

-- name: installation
-- The installation's definition, or no row before the first apply.
SELECT definition FROM installation;

-- name: campaigns
-- Every campaign, or the one named, at the revision that dials: the approved one, else the newest.
SELECT campaigns.name, campaigns.state, campaigns.started, campaigns.reason, campaigns.newest_revision,
       revision.revision, revision.definition, campaign_memory.memory,
       ARRAY (SELECT zone_set FROM campaign_zone_sets WHERE campaign_zone_sets.campaign = campaigns.name ORDER BY zone_set)
FROM campaigns
JOIN campaign_revisions AS revision
    ON revision.campaign = campaigns.name AND revision.revision = coalesce(campaigns.approved_revision, campaigns.newest_revision)
LEFT JOIN campaign_memory ON campaign_memory.campaign = campaigns.name
WHERE %(name)s::text IS NULL OR campaigns.name = %(name)s
ORDER BY campaigns.name;

-- name: answered_today
-- Of each campaign: persons who answered since its day began, and how many of them were missed (D1). Of attempts that are over.
SELECT given.campaign, counts.*
FROM unnest(%(campaigns)s::text[], %(sinces)s::float8[]) AS given (campaign, since),
     LATERAL (
         SELECT count(*), count(*) FILTER (WHERE missed OR outcome = 'missed')
         FROM attempts
         WHERE attempts.campaign = given.campaign AND outcome IN ('connected', 'missed', 'early_hangup') AND opened_at >= to_timestamp(given.since)
     ) AS counts;

-- name: agents
-- Every agent with what they declared.
SELECT id, definition, status, reason FROM agents ORDER BY id;

-- name: teams
-- Who is in which team.
SELECT name, definition FROM definitions WHERE kind = 'teams' ORDER BY name;

-- name: set_campaign_state
-- Give a campaign a state at a revision; approved, running and paused make that revision the approved one, unless a newer one is (D5): what an operator
-- said of the campaign holds even if a revision was approved in the same moment. Without a state (NULL) the revision is approved and the state stays.
-- Guarded: the daemon is the active one, the revision exists, an ended campaign stays ended (D11). Returns the refusal, NULL = done.
--
-- What a newly approved revision says of the break, the maximum and the hours holds from now on for leads that were called under the one before it: the
-- break is counted anew from the end of their last call, too many calls make them exhausted, a higher maximum brings exhausted ones back, and who was held
-- by the hours is asked again. That may take longer than other questions.
SET LOCAL statement_timeout = 0;
SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL FOR SHARE;
WITH before AS MATERIALIZED (
    SELECT name, state, approved_revision, coalesce(%(state)s::text, state) AS wanted FROM campaigns WHERE name = %(campaign)s FOR NO KEY UPDATE
),
verdict AS MATERIALIZED (
    SELECT CASE
        WHEN %(epoch)s::bigint IS NOT NULL AND NOT EXISTS (SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL)
            THEN 'another daemon is the active one'
        WHEN NOT EXISTS (SELECT FROM before) THEN 'there is no such campaign'
        WHEN NOT EXISTS (SELECT FROM campaign_revisions WHERE campaign = %(campaign)s AND revision = %(revision)s)
            THEN 'it has no such revision'
        WHEN (SELECT state FROM before) = 'ended' AND %(state)s IS DISTINCT FROM 'ended' THEN 'it has ended'
    END AS refusal
),
changed AS (
    UPDATE campaigns
    SET state = (SELECT wanted FROM before), started = coalesce(%(started)s, started), reason = coalesce(%(reason)s, reason), updated_at = now(),
        approved_revision = CASE WHEN (SELECT wanted FROM before) IN ('approved', 'running', 'paused') THEN greatest(approved_revision, %(revision)s)
                                 ELSE approved_revision END
    WHERE name = %(campaign)s AND (SELECT refusal FROM verdict) IS NULL
    RETURNING name
),
noted AS (
    INSERT INTO audit (who, what, target, why, details)
    SELECT %(who)s, 'campaign_state', changed.name, coalesce(%(reason)s, ''),
           jsonb_build_object('from', before.state, 'to', before.wanted, 'revision', %(revision)s::integer, 'started', %(started)s::boolean)
    FROM changed JOIN before ON before.name = changed.name
),
happened AS (
    INSERT INTO happenings (kind, data)
    SELECT 'campaign_state', jsonb_build_object('campaign', changed.name, 'from', before.state, 'to', before.wanted,
                                                'revision', %(revision)s::integer, 'reason', %(reason)s::text)
    FROM changed JOIN before ON before.name = changed.name
    WHERE before.state <> before.wanted AND heard('campaign_state')
),
policy AS MATERIALIZED (
    SELECT new.campaign,
           (old.definition #>> '{attempts,max}')::integer AS most_before, (new.definition #>> '{attempts,max}')::integer AS most,
           (new.definition #>> '{attempts,gap_s}')::float8 AS gap_s, (new.definition #>> '{attempts,busy,gap_s}')::float8 AS busy_gap_s,
           coalesce((new.definition #>> '{compliance,recall_after_missed_s}')::float8, 0) AS recall_s,
           old.definition #> '{attempts,gap_s}' IS DISTINCT FROM new.definition #> '{attempts,gap_s}'
               OR old.definition #> '{attempts,busy,gap_s}' IS DISTINCT FROM new.definition #> '{attempts,busy,gap_s}' AS other_gap,
           old.definition -> 'hours' IS DISTINCT FROM new.definition -> 'hours'
               OR old.definition -> 'compliance' IS DISTINCT FROM new.definition -> 'compliance'
               OR old.definition -> 'window' IS DISTINCT FROM new.definition -> 'window' AS other_times
    FROM changed
    JOIN before ON before.name = changed.name
    JOIN campaign_revisions AS old ON old.campaign = before.name AND old.revision = before.approved_revision
    JOIN campaign_revisions AS new ON new.campaign = before.name AND new.revision = %(revision)s
    WHERE new.revision > old.revision AND before.wanted IN ('approved', 'running', 'paused')
),
concerned AS MATERIALIZED (
    SELECT leads.id, policy.most, policy.most_before,
           CASE WHEN last.outcome <> 'bad_number' THEN last.ended_at + make_interval(secs => greatest(
               CASE last.outcome WHEN 'busy' THEN policy.busy_gap_s ELSE policy.gap_s END, CASE WHEN last.missed THEN policy.recall_s ELSE 0 END))
           END AS after_break,
           policy.other_times AND leads.held_by IN ('hours', 'zones', 'holidays', 'window') AS held_by_times
    FROM policy
    JOIN leads ON leads.campaign = policy.campaign
    LEFT JOIN LATERAL (
        SELECT outcome, ended_at, missed FROM attempts
        WHERE attempts.lead = leads.id AND policy.other_gap AND leads.ready_why = 'gap'
        ORDER BY opened_at DESC LIMIT 1
    ) AS last ON true
    WHERE (leads.status = 'retry' AND (policy.other_gap AND leads.ready_why = 'gap' OR leads.attempts >= policy.most AND policy.most < policy.most_before))
       OR (leads.status = 'exhausted' AND leads.attempts < policy.most AND policy.most > policy.most_before)
       OR (leads.status IN ('new', 'retry', 'callback_scheduled') AND policy.other_times AND leads.held_by IN ('hours', 'zones', 'holidays', 'window'))
    ORDER BY leads.id
    FOR NO KEY UPDATE OF leads
),
followed AS (
    UPDATE leads
    SET status = CASE WHEN leads.status = 'retry' AND leads.attempts >= most AND most < most_before THEN 'exhausted'
                      WHEN leads.status = 'exhausted' THEN 'retry'
                      ELSE leads.status END,
        ready_at = coalesce(after_break, CASE WHEN held_by_times THEN now() ELSE leads.ready_at END),
        held_by = '', claimed_epoch = NULL, claimed_batch = NULL
    FROM concerned WHERE leads.id = concerned.id
)
SELECT refusal FROM verdict;

-- name: set_agent_status
-- What an agent declared. Returns the refusal, NULL = done.
SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL FOR SHARE;
WITH before AS MATERIALIZED (
    SELECT id, status FROM agents WHERE id = %(agent)s FOR NO KEY UPDATE
),
verdict AS MATERIALIZED (
    SELECT CASE
        WHEN %(epoch)s::bigint IS NOT NULL AND NOT EXISTS (SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL)
            THEN 'another daemon is the active one'
        WHEN NOT EXISTS (SELECT FROM before) THEN 'there is no such agent'
    END AS refusal
),
changed AS (
    UPDATE agents SET status = %(status)s, reason = %(reason)s, status_at = now()
    WHERE id = %(agent)s AND (SELECT refusal FROM verdict) IS NULL
    RETURNING id
),
noted AS (
    INSERT INTO audit (who, what, target, why, details)
    SELECT %(who)s, 'agent_status', changed.id, %(reason)s, jsonb_build_object('from', before.status, 'to', %(status)s::text)
    FROM changed JOIN before ON before.id = changed.id
)
SELECT refusal FROM verdict;

-- name: save_memory
-- What a mode has learned; ignored from a daemon that is not the active one.
INSERT INTO campaign_memory (campaign, memory)
SELECT %(campaign)s, %(memory)s::jsonb
WHERE %(epoch)s::bigint IS NULL OR EXISTS (SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL)
ON CONFLICT (campaign) DO UPDATE SET memory = excluded.memory, saved_at = now();
