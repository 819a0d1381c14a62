-- Definitions as an admin applies them.

-- name: newest_definition
-- A campaign's newest revision, locked until the end of the transaction, or no row. The lock lets a running import of the campaign's leads be.
SELECT campaigns.newest_revision, campaign_revisions.definition, campaigns.state, campaigns.approved_revision
FROM campaigns
JOIN campaign_revisions ON campaign_revisions.campaign = campaigns.name AND campaign_revisions.revision = campaigns.newest_revision
WHERE campaigns.name = %(campaign)s
FOR NO KEY UPDATE OF campaigns;

-- name: new_campaign
-- A campaign at its first revision, not approved (S24).
INSERT INTO campaigns (name, newest_revision) VALUES (%(campaign)s, 1);

-- name: new_revision
-- One more revision; it needs an approval before it dials (D5).
INSERT INTO campaign_revisions (campaign, revision, type, definition, created_by)
VALUES (%(campaign)s, %(revision)s, %(type)s, %(definition)s::jsonb, %(who)s);

-- name: newest_revision_is
-- Point a campaign at its newest revision.
UPDATE campaigns SET newest_revision = %(revision)s, updated_at = now() WHERE name = %(campaign)s;

-- name: agent_definition
-- One agent's definition, locked until the end of the transaction, or no row.
SELECT definition FROM agents WHERE id = %(agent)s FOR UPDATE;

-- name: save_agent
-- A new or changed agent; what he declared stays.
INSERT INTO agents (id, definition) VALUES (%(agent)s, %(definition)s::jsonb)
ON CONFLICT (id) DO UPDATE SET definition = excluded.definition, updated_at = now();

-- name: save_installation
-- The installation's one row.
INSERT INTO installation (definition) VALUES (%(definition)s::jsonb)
ON CONFLICT (the_only) DO UPDATE SET definition = excluded.definition, updated_at = now();

-- name: audit
-- Who did what, and why.
INSERT INTO audit (who, what, target, why, details) VALUES (%(who)s, %(what)s, %(target)s, %(why)s, %(details)s::jsonb);

-- name: hint
-- Tell a running daemon to look; sent when the transaction commits.
SELECT pg_notify('fs_dialer', %(kind)s || ':' || %(name)s);
