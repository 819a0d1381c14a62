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

-- name: agents
-- Every agent with what they declared.
SELECT id, definition, status, reason FROM agents ORDER BY id;

-- name: set_campaign_state
-- Give a campaign a state at a revision; approved, running and paused make that revision the approved one (D5). Guarded: the daemon is the active one,
-- the revision exists and is not older than the approved one, an ended campaign stays ended (D11). Returns changed, and why not.
SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL FOR SHARE;
WITH before AS MATERIALIZED (
    SELECT name, state, approved_revision FROM campaigns WHERE name = %(campaign)s FOR NO KEY UPDATE
),
verdict AS MATERIALIZED (
    SELECT CASE
        WHEN %(epoch)s::bigint IS NOT NULL AND NOT EXISTS (SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL)
            THEN 'another daemon is the active one'
        WHEN NOT EXISTS (SELECT FROM before) THEN 'there is no such campaign'
        WHEN NOT EXISTS (SELECT FROM campaign_revisions WHERE campaign = %(campaign)s AND revision = %(revision)s)
            THEN 'it has no such revision'
        WHEN (SELECT approved_revision FROM before) > %(revision)s THEN 'a newer revision is approved'
        WHEN (SELECT state FROM before) = 'ended' AND %(state)s <> 'ended' THEN 'it has ended'
    END AS refusal
),
changed AS (
    UPDATE campaigns
    SET state = %(state)s, started = %(started)s, reason = %(reason)s, updated_at = now(),
        approved_revision = CASE WHEN %(state)s IN ('approved', 'running', 'paused') THEN %(revision)s ELSE approved_revision END
    WHERE name = %(campaign)s AND (SELECT refusal FROM verdict) IS NULL
    RETURNING name
),
noted AS (
    INSERT INTO audit (who, what, target, why, details)
    SELECT %(who)s, 'campaign_state', changed.name, %(reason)s,
           jsonb_build_object('from', before.state, 'to', %(state)s::text, 'revision', %(revision)s::integer, 'started', %(started)s::boolean)
    FROM changed JOIN before ON before.name = changed.name
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
