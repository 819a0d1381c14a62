-- Plans: what `fs-dialer plan` worked out, until it is applied, and what undoes it.

-- name: new_plan
-- Keep a plan. No row when the name is taken.
INSERT INTO plans (id, who, base, content, effect) VALUES (%(plan)s, %(who)s, %(base)s, %(content)s::jsonb, %(effect)s::jsonb)
ON CONFLICT (id) DO NOTHING
RETURNING id;

-- name: plan_row
-- One plan.
SELECT id, who, extract(epoch FROM created_at)::float8, base, content, effect, extract(epoch FROM applied_at)::float8, applied_by, undo
FROM plans WHERE id = %(plan)s;

-- name: recent_plans
-- Names of plans, the newest first.
SELECT id FROM plans ORDER BY created_at DESC, id LIMIT 100;

-- name: plan_is_applied
-- A plan is carried out once. Returns its name, or no row when it was before.
UPDATE plans SET applied_at = now(), applied_by = %(who)s, undo = %(undo)s::jsonb WHERE id = %(plan)s AND applied_at IS NULL RETURNING id;

-- name: moved_since
-- What was done to definitions and campaigns since a moment, the newest first.
SELECT extract(epoch FROM at)::float8, who, what, target, why, details FROM audit
WHERE at >= to_timestamp(%(since)s)
  AND what IN ('apply_campaign', 'apply_agent', 'apply_installation', 'apply_definition', 'remove_definition', 'remove_campaign', 'campaign_state')
ORDER BY id DESC LIMIT %(limit)s;
