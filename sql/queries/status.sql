-- The active daemon's view of things, for whoever asks.

-- name: publish
-- Put the newest snapshot in place of the last one; a daemon that is not the active one any more changes nothing.
INSERT INTO daemon_status (epoch, at, snapshot)
SELECT %(epoch)s, clock_timestamp(), %(snapshot)s FROM epochs WHERE id = %(epoch)s AND ended_at IS NULL
ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch, at = excluded.at, snapshot = excluded.snapshot;

-- name: daemon_status
-- How old the last snapshot is, in seconds, and the snapshot; no row before the first daemon.
SELECT extract(epoch FROM clock_timestamp() - at)::float8, snapshot FROM daemon_status;
