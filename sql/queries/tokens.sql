-- Tokens of the HTTP interface (M15). Only the hash of a secret is here.

-- name: new_token
-- A token, with its audit line.
WITH made AS (
    INSERT INTO tokens (id, role, agent, title, hash, created_by, expires_at)
    VALUES (%(id)s, %(role)s, %(agent)s, %(title)s, %(hash)s, %(who)s, now() + make_interval(secs => %(lasts_s)s))
    RETURNING id, expires_at
),
noted AS (
    INSERT INTO audit (who, what, target, why, details)
    SELECT %(who)s, 'create_token', id, %(title)s, jsonb_build_object('role', %(role)s::text, 'agent', %(agent)s::text) FROM made
)
SELECT extract(epoch FROM expires_at)::float8 FROM made;

-- name: token_of
-- A token that may be used now, or no row.
SELECT id, role, agent, title, hash FROM tokens WHERE id = %(id)s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now());

-- name: token_used
-- When a token was last used, to the minute.
UPDATE tokens SET last_used_at = now() WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute');

-- name: token_rows
-- Every token, oldest first; without its hash.
SELECT id, role, agent, title, created_by, extract(epoch FROM created_at)::float8, extract(epoch FROM expires_at)::float8,
       extract(epoch FROM last_used_at)::float8, extract(epoch FROM revoked_at)::float8, coalesce(expires_at <= now(), false)
FROM tokens ORDER BY created_at, id;

-- name: revoke_token
-- End a token for good. Returns the ids that were ended now.
WITH ended AS (
    UPDATE tokens SET revoked_at = now() WHERE id = %(id)s AND revoked_at IS NULL RETURNING id
),
noted AS (
    INSERT INTO audit (who, what, target, why) SELECT %(who)s, 'revoke_token', id, %(why)s FROM ended
)
SELECT id FROM ended;
