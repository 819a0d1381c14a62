-- PostgreSQL's roles for people on the command line (M15): `fs-dialer db roles --apply`, by the owner of the tables. May be repeated at any time.
--
--   fs_dialer_operator   looks at everything, asks the daemon (start, pause, end, agents), keeps leads, do-not-call lists and tickets
--   fs_dialer_admin      all of that; approves, applies definitions, makes tokens, looks after webhooks, forgets people
--   fs_dialer_agent_api  nothing: agents come over HTTP, with tokens; a login for their tools owns no right here
--
-- None of them can log in. A person is let in with:  CREATE USER an_le PASSWORD '…' IN ROLE fs_dialer_operator;
-- The daemon connects as the owner of the tables, and so does whoever runs `db migrate`.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY '{fs_dialer_operator,fs_dialer_admin,fs_dialer_agent_api}'::text[] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
    END LOOP;
END $$;

-- Exactly what follows, and nothing that was granted before.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM fs_dialer_operator, fs_dialer_admin, fs_dialer_agent_api;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM fs_dialer_operator, fs_dialer_admin, fs_dialer_agent_api;
REVOKE CREATE ON SCHEMA public FROM PUBLIC, fs_dialer_operator, fs_dialer_admin, fs_dialer_agent_api;
GRANT USAGE ON SCHEMA public TO fs_dialer_operator, fs_dialer_admin;
GRANT fs_dialer_operator TO fs_dialer_admin;


-- --- operators -----------------------------------------------------------------------------------------------------------------------------

GRANT SELECT ON
    schema_migrations, installation, campaigns, campaign_revisions, campaign_memory, agents, definitions, definition_revisions, plans,
    contacts, contact_numbers, group_members, imports, import_changes, leads, lead_takes, campaign_zone_sets,
    do_not_call, do_not_call_prefixes, do_not_call_imports, no_callback,
    epochs, commands, audit, daemon_status, switch_states, attempts_open, attempts, all_attempts, agent_hours, tickets, callers, happenings, outbox
TO fs_dialer_operator;

-- Asking the daemon, and leaving a trace of everything. Nobody changes a command or a line of the audit.
GRANT INSERT ON commands, audit, happenings TO fs_dialer_operator;

-- Leads and the directory: imports and their undo, groups, marks.
GRANT INSERT, UPDATE, DELETE ON contacts, contact_numbers, group_members, leads TO fs_dialer_operator;
GRANT INSERT, UPDATE ON imports TO fs_dialer_operator;
GRANT INSERT, DELETE ON import_changes TO fs_dialer_operator;
GRANT INSERT ON campaign_zone_sets TO fs_dialer_operator;
GRANT USAGE ON SEQUENCE lead_position, leads_id_seq, contacts_id_seq TO fs_dialer_operator;
GRANT UPDATE (updated_at) ON campaigns TO fs_dialer_operator;  -- to lock a campaign while leads join it; its state is the daemon's alone

-- Whom not to call.
GRANT INSERT, UPDATE, DELETE ON do_not_call, do_not_call_prefixes, no_callback TO fs_dialer_operator;
GRANT INSERT ON do_not_call_imports TO fs_dialer_operator;

-- Results of calls, and tickets.
GRANT UPDATE (decision, disposition, disposed_by, disposed_at, answers, note, disposition_kept) ON attempts TO fs_dialer_operator;
GRANT UPDATE (answers, note, disposition_kept) ON attempts_open TO fs_dialer_operator;
GRANT UPDATE (lead, note, closed_at, closed_by) ON tickets TO fs_dialer_operator;  -- closed_how is the dialler's own word


-- --- admins --------------------------------------------------------------------------------------------------------------------------------

GRANT INSERT, UPDATE, DELETE ON installation, campaigns, agents, definitions, plans TO fs_dialer_admin;
GRANT INSERT, UPDATE, DELETE ON campaign_revisions, campaign_memory, campaign_zone_sets TO fs_dialer_admin;  -- an apply that is undone
GRANT INSERT ON definition_revisions TO fs_dialer_admin;
GRANT SELECT, INSERT, UPDATE ON tokens TO fs_dialer_admin;
GRANT INSERT, UPDATE ON outbox TO fs_dialer_admin;

-- Forgetting a person: from calls, tickets, events, messages and answers too.
GRANT UPDATE, DELETE ON attempts, tickets, callers, happenings, outbox, audit, commands TO fs_dialer_admin;
GRANT SELECT, UPDATE ON api_requests TO fs_dialer_admin;


-- --- approvals -----------------------------------------------------------------------------------------------------------------------------

-- Only an admin approves (S25). The owner of the table, who is the daemon, is not bound by this.
ALTER TABLE commands ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS everybody_reads ON commands;
DROP POLICY IF EXISTS operators_ask ON commands;
DROP POLICY IF EXISTS admins_ask ON commands;
CREATE POLICY everybody_reads ON commands FOR SELECT TO fs_dialer_operator USING (true);
CREATE POLICY operators_ask ON commands FOR INSERT TO fs_dialer_operator WITH CHECK (verb <> 'approve');
CREATE POLICY admins_ask ON commands FOR ALL TO fs_dialer_admin USING (true) WITH CHECK (true);
