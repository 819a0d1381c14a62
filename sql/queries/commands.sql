-- Commands: written by the command line, answered by the daemon.

-- name: submit_command
-- A command, its audit line and its hint, in one statement. Asked again with the same id it does nothing.
WITH command AS (
    INSERT INTO commands (id, verb, target, args, who) VALUES (%(id)s, %(verb)s, %(target)s, %(args)s, %(who)s)
    ON CONFLICT (id) DO NOTHING
    RETURNING id, verb, target, args, who
),
noted AS (
    INSERT INTO audit (who, what, target, why, details)
    SELECT who, verb, target, coalesce(args ->> 'reason', ''), args || jsonb_build_object('command', id) FROM command
)
SELECT pg_notify('fs_dialer', 'command:' || id) FROM command;

-- name: pending_commands
-- What nobody has answered yet, in the order in which it was asked.
SELECT id::text, verb, target, who, args FROM commands WHERE replied_at IS NULL ORDER BY place;

-- name: reply
-- Answer a command, once.
WITH answered AS (
    UPDATE commands SET reply_ok = %(ok)s, reply_text = %(text)s, replied_at = now()
    WHERE id = %(id)s AND replied_at IS NULL
    RETURNING id
)
SELECT pg_notify('fs_dialer', 'reply:' || id) FROM answered;

-- name: reply_of
-- The answer to a command, or no row while there is none.
SELECT reply_ok, reply_text FROM commands WHERE id = %(id)s AND replied_at IS NOT NULL;
