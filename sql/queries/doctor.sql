-- What `fs-dialer doctor` asks of the server itself. Nothing of ours is read.

-- name: server_facts
-- Version, settings that matter, room for connections, and where the files are (hidden from most users: then '').
SELECT current_setting('server_version'),
       current_setting('server_version_num')::integer,
       pg_is_in_recovery(),
       current_setting('default_transaction_read_only')::boolean,
       current_setting('fsync')::boolean,
       current_setting('synchronous_commit'),
       current_setting('full_page_writes')::boolean,
       (SELECT min(most) FROM (
            VALUES (current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer),
                   ((SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)),
                   ((SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()))
        ) AS limits (most)),
       (SELECT count(*)::integer FROM pg_stat_activity -- of others' sessions most users see neither kind nor state
        WHERE coalesce(backend_type, 'client backend') = 'client backend' AND usesysid IS NOT NULL AND NOT starts_with(application_name, 'fs-dialer')),
       inet_server_addr() IS NULL OR inet_server_addr() = inet_client_addr(),
       coalesce((SELECT setting FROM pg_settings WHERE name = 'data_directory'), '');

-- name: server_clock
-- The server's time of day, not the transaction's.
SELECT extract(epoch FROM clock_timestamp())::double precision;
