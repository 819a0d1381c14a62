-- Who is the one active daemon of this database.

-- name: try_leader_lock
-- The advisory lock of the active daemon, held by this connection until it ends. 0x66736469616c6572 is "fsdialer".
SELECT pg_try_advisory_lock(7382354617959212402);

-- name: release_leader_lock
-- Give the lock up before the connection ends: the server takes a moment to see that.
SELECT pg_advisory_unlock_all();

-- name: current_epoch
-- The epoch that may claim and dial, or no row.
SELECT id FROM epochs WHERE ended_at IS NULL;

-- name: new_epoch
-- End the current epoch and begin the next. Waits for claims and attempts that are being committed under the current one.
UPDATE epochs SET ended_at = now() WHERE ended_at IS NULL;
INSERT INTO epochs (holder) VALUES (%(holder)s) RETURNING id;

-- name: is_current_epoch
-- Whether this epoch may still claim and dial.
SELECT EXISTS (SELECT FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL);
