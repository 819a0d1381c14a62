-- Definitions as an admin applies them: read as they stand, stored, taken away again.

-- name: begin_apply
-- One apply at a time, from what it is judged by to its end. Contacts that become leads may take longer than other questions.
SET LOCAL statement_timeout = 0;
SELECT pg_advisory_xact_lock(7382354617959212406);

-- name: one_moment
-- All that a plan is made from is read as it stood at one moment.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;

-- name: world_fingerprint
-- What changes whenever a definition, an approval or a campaign's state does, and the time by the database's clock.
SELECT md5(concat_ws('/',
    (
        SELECT string_agg(
            concat_ws(':', campaigns.name, campaigns.state, campaigns.started, campaigns.newest_revision, campaigns.approved_revision,
                      md5(campaign_revisions.source::text)),
            ',' ORDER BY campaigns.name COLLATE "C")
        FROM campaigns
        JOIN campaign_revisions ON campaign_revisions.campaign = campaigns.name AND campaign_revisions.revision = campaigns.newest_revision
    ),
    (SELECT string_agg(concat_ws(':', kind, name, revision), ',' ORDER BY kind COLLATE "C", name COLLATE "C") FROM definitions),
    (SELECT string_agg(concat_ws(':', id, md5(definition::text)), ',' ORDER BY id COLLATE "C") FROM agents),
    (SELECT md5(definition::text) FROM installation)
)), extract(epoch FROM now())::float8;

-- name: standing_campaigns
-- Every campaign at its newest revision.
SELECT campaigns.name, campaigns.state, campaigns.newest_revision, campaigns.approved_revision, campaign_revisions.definition, campaign_revisions.source
FROM campaigns
JOIN campaign_revisions ON campaign_revisions.campaign = campaigns.name AND campaign_revisions.revision = campaigns.newest_revision
ORDER BY campaigns.name;

-- name: standing_definitions
-- Everything else.
SELECT kind, name, revision, definition, source FROM definitions ORDER BY kind, name;

-- name: standing_agents
-- Agents as the daemon reads them: also those that were stored before definitions were kept as written.
SELECT id, definition FROM agents ORDER BY id;

-- --- campaigns

-- name: new_campaign
-- A campaign at its first revision, not approved (S24).
INSERT INTO campaigns (name, newest_revision) VALUES (%(campaign)s, 1);

-- name: new_revision
-- One more revision; it needs an approval before it dials (D5).
INSERT INTO campaign_revisions (campaign, revision, type, definition, source, plan, created_by)
VALUES (%(campaign)s, %(revision)s, %(type)s, %(definition)s::jsonb, %(source)s::jsonb, %(plan)s, %(who)s);

-- name: newest_revision_is
-- Point a campaign at its newest revision, which is the one after the newest.
UPDATE campaigns SET newest_revision = %(revision)s, updated_at = now() WHERE name = %(campaign)s AND newest_revision = %(revision)s - 1;

-- name: rewrite_revision
-- The same meaning in other words: what is approved stays approved.
UPDATE campaign_revisions SET source = %(source)s::jsonb WHERE campaign = %(campaign)s AND revision = %(revision)s;

-- name: forget_campaign
-- Take a campaign away as if it had never been: only while nobody approved it and nobody else gave it leads. Returns its name if it was taken away.
WITH gone AS MATERIALIZED (
    SELECT name FROM campaigns
    WHERE name = %(campaign)s AND state = 'new' AND approved_revision IS NULL
      AND NOT EXISTS (SELECT FROM imports WHERE imports.campaign = campaigns.name)
      AND NOT EXISTS (SELECT FROM tickets WHERE tickets.campaign = campaigns.name)
    FOR UPDATE
),
leads_gone AS (DELETE FROM leads USING gone WHERE leads.campaign = gone.name),
zones_gone AS (DELETE FROM campaign_zone_sets USING gone WHERE campaign_zone_sets.campaign = gone.name),
memory_gone AS (DELETE FROM campaign_memory USING gone WHERE campaign_memory.campaign = gone.name)
SELECT name FROM gone;

-- name: forget_revisions
-- The rest of it; the constraint that a campaign has its newest revision is checked at the end of the transaction.
DELETE FROM campaign_revisions WHERE campaign = %(campaign)s;
DELETE FROM campaigns WHERE name = %(campaign)s;

-- --- other things

-- name: save_definition
-- A new or changed thing under its next revision, which is returned. One that was taken away goes on counting where it had been.
WITH next AS MATERIALIZED (
    SELECT coalesce(max(revision), 0) + 1 AS revision FROM definition_revisions WHERE kind = %(kind)s AND name = %(name)s
),
kept AS (
    INSERT INTO definition_revisions (kind, name, revision, source, definition, created_by, plan)
    SELECT %(kind)s, %(name)s, next.revision, %(source)s::jsonb, %(definition)s::jsonb, %(who)s, %(plan)s FROM next
)
INSERT INTO definitions (kind, name, revision, source, definition)
SELECT %(kind)s, %(name)s, next.revision, %(source)s::jsonb, %(definition)s::jsonb FROM next
ON CONFLICT (kind, name) DO UPDATE
SET revision = excluded.revision, source = excluded.source, definition = excluded.definition, updated_at = now()
RETURNING revision;

-- name: remove_definition
-- Take a thing away; its history stays.
WITH gone AS (
    DELETE FROM definitions WHERE kind = %(kind)s AND name = %(name)s
)
INSERT INTO definition_revisions (kind, name, revision, source, definition, created_by, plan)
SELECT %(kind)s, %(name)s, coalesce(max(revision), 0) + 1, NULL, NULL, %(who)s, %(plan)s
FROM definition_revisions WHERE kind = %(kind)s AND name = %(name)s
RETURNING revision;

-- name: save_agent
-- A new or changed agent; what he declared stays.
INSERT INTO agents (id, definition) VALUES (%(agent)s, %(definition)s::jsonb)
ON CONFLICT (id) DO UPDATE SET definition = excluded.definition, updated_at = now();

-- name: remove_agent
-- An agent who is no longer there; calls he had keep his name.
DELETE FROM agents WHERE id = %(agent)s;

-- name: save_installation
-- The installation's one row.
INSERT INTO installation (definition) VALUES (%(definition)s::jsonb)
ON CONFLICT (the_only) DO UPDATE SET definition = excluded.definition, updated_at = now();

-- name: remove_installation
-- As before the first apply: the defaults hold.
DELETE FROM installation;

-- name: audit
-- Who did what, and why.
INSERT INTO audit (who, what, target, why, details) VALUES (%(who)s, %(what)s, %(target)s, %(why)s, %(details)s::jsonb);

-- name: hint
-- Tell a running daemon to look; sent when the transaction commits.
SELECT pg_notify('fs_dialer', %(kind)s || ':' || %(name)s);

-- --- history

-- name: campaign_history
-- A campaign's revisions, the newest first.
SELECT campaign_revisions.revision, extract(epoch FROM campaign_revisions.created_at)::float8, campaign_revisions.created_by, campaign_revisions.plan,
       coalesce(why.why, ''), coalesce(campaign_revisions.revision = campaigns.approved_revision, false), true
FROM campaign_revisions
JOIN campaigns ON campaigns.name = campaign_revisions.campaign
LEFT JOIN LATERAL (
    SELECT why FROM audit
    WHERE audit.target = campaigns.name AND audit.what = 'apply_campaign' AND audit.details ->> 'revision' = campaign_revisions.revision::text
    ORDER BY id DESC LIMIT 1
) AS why ON true
WHERE campaign_revisions.campaign = %(name)s
ORDER BY campaign_revisions.revision DESC;

-- name: definition_history
-- Another thing's revisions, the newest first; the last column: false = it was taken away.
SELECT definition_revisions.revision, extract(epoch FROM definition_revisions.created_at)::float8, definition_revisions.created_by,
       definition_revisions.plan, coalesce(why.why, ''), NULL::boolean, definition_revisions.source IS NOT NULL
FROM definition_revisions
LEFT JOIN LATERAL (
    SELECT why FROM audit
    WHERE audit.details ->> 'kind' = definition_revisions.kind AND audit.target = definition_revisions.name
      AND audit.details ->> 'revision' = definition_revisions.revision::text
    ORDER BY id DESC LIMIT 1
) AS why ON true
WHERE definition_revisions.kind = %(kind)s AND definition_revisions.name = %(name)s
ORDER BY definition_revisions.revision DESC;

-- name: campaign_revision
-- One revision of a campaign: definition, and the file as written.
SELECT definition, source FROM campaign_revisions WHERE campaign = %(name)s AND revision = %(revision)s;

-- name: definition_revision
-- One revision of another thing.
SELECT definition, source FROM definition_revisions WHERE kind = %(kind)s AND name = %(name)s AND revision = %(revision)s;
