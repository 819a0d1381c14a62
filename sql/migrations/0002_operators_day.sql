-- 0002: definitions of every kind, plans, the directory, imports, attempts by month, tickets, triggers. What each is for stands in sql/schema.sql.

ALTER TABLE campaign_revisions ADD COLUMN source jsonb, ADD COLUMN plan text;

CREATE TABLE definitions (
    kind       text        NOT NULL CHECK (kind ~ '^[a-z_]{1,30}$'),
    name       text        NOT NULL CHECK (name ~ '^[A-Za-z0-9_.+-]{0,100}$'),
    revision   integer     NOT NULL CHECK (revision >= 1),
    source     jsonb       NOT NULL,
    definition jsonb       NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, name)
);

CREATE TABLE definition_revisions (
    kind       text        NOT NULL,
    name       text        NOT NULL,
    revision   integer     NOT NULL CHECK (revision >= 1),
    source     jsonb,
    definition jsonb,
    created_by text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    plan       text,
    PRIMARY KEY (kind, name, revision)
);

CREATE TABLE plans (
    id         text        PRIMARY KEY CHECK (id ~ '^p-[0-9a-f]{4,16}$'),
    who        text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    base       text        NOT NULL,
    content    jsonb       NOT NULL,
    effect     jsonb       NOT NULL,
    applied_at timestamptz,
    applied_by text,
    undo       jsonb,
    CHECK ((applied_at IS NULL) = (applied_by IS NULL))
);

ALTER TABLE contacts ADD COLUMN owner text NOT NULL DEFAULT '', ADD COLUMN import bigint;

CREATE TABLE contact_numbers (
    contact  bigint  NOT NULL REFERENCES contacts ON DELETE CASCADE,
    place    integer NOT NULL CHECK (place >= 1),
    number   text    NOT NULL CHECK (number ~ '^\+[0-9]{3,15}$'),
    kind     text    NOT NULL DEFAULT '',
    zone_set text    NOT NULL DEFAULT '',
    PRIMARY KEY (contact, place),
    UNIQUE (contact, number)
);
CREATE INDEX contact_numbers_by_number ON contact_numbers (number);

CREATE TABLE group_members (
    contact_group text        NOT NULL,
    contact       bigint      NOT NULL REFERENCES contacts ON DELETE CASCADE,
    added_at      timestamptz NOT NULL DEFAULT now(),
    import        bigint,
    PRIMARY KEY (contact_group, contact)
);
CREATE INDEX group_members_by_contact ON group_members (contact);

CREATE TABLE imports (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text        NOT NULL UNIQUE CHECK (name ~ '^i-[0-9a-f]{4,16}$'),
    file       text        NOT NULL,
    hash       text        NOT NULL,
    campaign   text        REFERENCES campaigns,
    contact_group text     NOT NULL DEFAULT '',
    who        text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    counts     jsonb       NOT NULL,
    undone_at  timestamptz,
    undone_by  text
);
CREATE UNIQUE INDEX imports_once ON imports (hash, coalesce(campaign, ''), contact_group) WHERE undone_at IS NULL;

CREATE TABLE import_changes (
    import  bigint NOT NULL REFERENCES imports ON DELETE CASCADE,
    contact bigint NOT NULL REFERENCES contacts ON DELETE CASCADE,
    before  jsonb  NOT NULL,
    PRIMARY KEY (import, contact)
);
CREATE INDEX import_changes_by_contact ON import_changes (contact);

ALTER TABLE leads
    ADD COLUMN ready_why text NOT NULL DEFAULT '' CHECK (ready_why IN (
        '', 'gap', 'rule', 'promised', 'fault', 'no_callback', 'not_before')),
    ADD COLUMN agent text,
    ADD COLUMN status_before text CHECK (status_before IN (
        'new', 'retry', 'callback_scheduled', 'succeeded', 'exhausted', 'error', 'invalid', 'stopped')),
    ADD COLUMN caller_id text NOT NULL DEFAULT '',
    ADD COLUMN other_numbers jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN parameters jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN copy bigint NOT NULL DEFAULT 0,
    ADD COLUMN import bigint,
    DROP CONSTRAINT leads_once_per_campaign,
    ADD CONSTRAINT leads_once_per_campaign UNIQUE (number, campaign, copy);
CREATE INDEX leads_refused ON leads (ready_at) WHERE status = 'refused';

CREATE INDEX leads_by_contact ON leads (contact);

CREATE INDEX leads_by_import ON leads USING brin (import);

CREATE TABLE do_not_call_prefixes (
    prefix   text        NOT NULL CHECK (prefix ~ '^\+[0-9]{1,14}$'),
    list     text        NOT NULL DEFAULT 'own',
    reason   text        NOT NULL DEFAULT '',
    added_by text        NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (prefix, list)
);

CREATE TABLE do_not_call_imports (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    list    text        NOT NULL,
    at      timestamptz NOT NULL DEFAULT now(),
    file    text        NOT NULL,
    hash    text        NOT NULL,
    added   bigint      NOT NULL,
    removed bigint      NOT NULL,
    who     text        NOT NULL
);
CREATE INDEX do_not_call_imports_by_list ON do_not_call_imports (list, at);

CREATE TABLE no_callback (
    number   text        NOT NULL CHECK (number ~ '^\+[0-9]{3,15}$'),
    campaign text        NOT NULL DEFAULT '',
    until    timestamptz NOT NULL,
    reason   text        NOT NULL DEFAULT '',
    added_by text        NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (number, campaign)
);

CREATE TABLE tokens (
    id           text        PRIMARY KEY CHECK (id ~ '^t-[0-9a-f]{8}$'),
    role         text        NOT NULL CHECK (role IN ('operator', 'admin', 'agent')),
    agent        text,
    title        text        NOT NULL DEFAULT '',
    hash         text        NOT NULL,
    created_by   text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz
);

CREATE TABLE api_requests (
    token      text        NOT NULL REFERENCES tokens,
    key        text        NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    request    text        NOT NULL,
    status     integer     NOT NULL,
    response   jsonb       NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (token, key)
);

CREATE TABLE attempts_before AS TABLE attempts;
DROP TABLE attempts;

CREATE TABLE attempts_open (
    id          uuid        PRIMARY KEY,
    campaign    text        NOT NULL,
    revision    integer     NOT NULL,
    lead        bigint      NOT NULL REFERENCES leads,
    lead_status text        NOT NULL CHECK (lead_status IN ('new', 'retry', 'callback_scheduled')),
    epoch       bigint      NOT NULL REFERENCES epochs,
    leg         uuid        NOT NULL UNIQUE,
    number      text        NOT NULL CHECK (number ~ '^\+[0-9]{3,15}$'),
    gateway     text        NOT NULL,
    caller_id   text        NOT NULL,
    agent       text,
    opened_at   timestamptz NOT NULL,
    gates       jsonb       NOT NULL DEFAULT '[]',
    FOREIGN KEY (campaign, revision) REFERENCES campaign_revisions (campaign, revision),
    CONSTRAINT attempts_one_open_per_lead UNIQUE (lead)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);

CREATE INDEX attempts_open_by_number ON attempts_open (number);

CREATE TABLE attempts (
    id          uuid        NOT NULL,
    campaign    text        NOT NULL,
    revision    integer     NOT NULL,
    lead        bigint,
    lead_status text        NOT NULL,
    epoch       bigint      NOT NULL,
    leg         uuid        NOT NULL,
    number      text        NOT NULL,
    gateway     text        NOT NULL,
    caller_id   text        NOT NULL,
    agent       text,
    opened_at   timestamptz NOT NULL,
    gates       jsonb       NOT NULL DEFAULT '[]',
    outcome     text        NOT NULL CHECK (outcome IN (
                    'connected', 'missed', 'early_hangup', 'machine', 'no_answer', 'busy', 'rejected',
                    'unreachable', 'bad_number', 'network', 'ours', 'cancelled', 'unknown')),
    cause       text        NOT NULL,
    sip_status  integer,
    rang_at     timestamptz,
    answered_at timestamptz,
    bridged_at  timestamptz,
    ended_at    timestamptz NOT NULL,
    missed      boolean     NOT NULL,
    leg_seen    boolean     NOT NULL,
    closed_at   timestamptz NOT NULL DEFAULT now(),
    decision    text        NOT NULL DEFAULT '',
    disposition text,
    disposed_by text,
    disposed_at timestamptz,
    answers     jsonb       NOT NULL DEFAULT '{}',
    PRIMARY KEY (id, opened_at)
) PARTITION BY RANGE (opened_at);

CREATE TABLE attempts_other PARTITION OF attempts DEFAULT;

CREATE INDEX attempts_by_lead ON attempts (lead, opened_at);
CREATE INDEX attempts_by_number ON attempts (number, opened_at);

CREATE INDEX attempts_by_campaign ON attempts (campaign, opened_at) INCLUDE (outcome, missed);
CREATE INDEX attempts_by_agent ON attempts (agent, opened_at);

CREATE FUNCTION make_attempt_partitions(at timestamptz, ahead integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    month timestamptz := date_trunc('month', at, 'UTC');
    until timestamptz;
    made  integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7382354617959212405);  -- two at once would make the same one
    FOR step IN 0..ahead LOOP
        until := date_trunc('month', month + interval '32 days', 'UTC');
        IF to_regclass('attempts_y' || to_char(month AT TIME ZONE 'UTC', 'YYYY"m"MM')) IS NULL
           AND NOT EXISTS (SELECT FROM attempts_other WHERE opened_at >= month AND opened_at < until) THEN
            EXECUTE format('CREATE TABLE attempts_y%s PARTITION OF attempts FOR VALUES FROM (%L) TO (%L)',
                           to_char(month AT TIME ZONE 'UTC', 'YYYY"m"MM'), month, until);
            made := made + 1;
        END IF;
        month := until;
    END LOOP;
    RETURN made;
END $$;

CREATE FUNCTION drop_attempt_partitions(before timestamptz) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    gone  text;
    names text[] := '{}';
BEGIN
    PERFORM pg_advisory_xact_lock(7382354617959212405);
    FOR gone IN
        SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'attempts'::regclass AND relname ~ '^attempts_y[0-9]{4}m[0-9]{2}$'
          AND (to_timestamp(substr(relname, 11), 'YYYY"m"MM') AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC' <= before
        ORDER BY relname
    LOOP
        EXECUTE format('DROP TABLE %I', gone);
        names := names || gone;
    END LOOP;
    DELETE FROM attempts_other WHERE opened_at < date_trunc('month', before, 'UTC');
    RETURN names;
END $$;

CREATE VIEW all_attempts AS
SELECT id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at, gates, outcome, cause, sip_status,
       rang_at, answered_at, bridged_at, ended_at, missed, leg_seen, closed_at, decision, disposition, disposed_by, disposed_at, answers
FROM attempts
UNION ALL
SELECT id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at, gates, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, NULL, '{}'
FROM attempts_open;

CREATE FUNCTION attempt_is_closed(attempt uuid, at timestamptz) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM attempts WHERE attempts.id = attempt AND attempts.opened_at = at);
END $$;

CREATE FUNCTION number_cap_until(called text, caps jsonb, at float8) RETURNS float8 LANGUAGE plpgsql STABLE AS $$
DECLARE
    cap   jsonb;
    nth   timestamptz;
    until float8;
BEGIN
    FOR cap IN SELECT jsonb_array_elements(caps) LOOP
        SELECT calls.opened_at INTO nth
        FROM (
            SELECT opened_at FROM attempts
            WHERE number = called AND leg_seen AND opened_at > to_timestamp(at - (cap ->> 1)::float8)
            UNION ALL
            SELECT opened_at FROM attempts_open
            WHERE number = called AND opened_at > to_timestamp(at - (cap ->> 1)::float8)
        ) AS calls
        ORDER BY calls.opened_at DESC
        OFFSET (cap ->> 0)::integer - 1
        LIMIT 1;
        IF FOUND THEN
            until := greatest(until, extract(epoch FROM nth)::float8 + (cap ->> 1)::float8);
        END IF;
    END LOOP;
    RETURN until;
END $$;

SELECT make_attempt_partitions(month, 0)
FROM (SELECT DISTINCT date_trunc('month', opened_at, 'UTC') AS month FROM attempts_before WHERE closed_at IS NOT NULL) AS months;
INSERT INTO attempts_open (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at)
SELECT id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at FROM attempts_before WHERE closed_at IS NULL;
INSERT INTO attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at, outcome, cause, sip_status,
                      rang_at, answered_at, bridged_at, ended_at, missed, leg_seen, closed_at)
SELECT id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at, outcome, cause, sip_status,
       rang_at, answered_at, bridged_at, ended_at, missed, leg_seen, closed_at
FROM attempts_before WHERE closed_at IS NOT NULL;
DROP TABLE attempts_before;

CREATE TABLE tickets (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel    text        NOT NULL CHECK (channel IN ('call', 'callback', 'missed', 'voicemail')),
    campaign   text        REFERENCES campaigns,
    queue      text        NOT NULL DEFAULT '',
    lead       bigint      REFERENCES leads,
    attempt    uuid,
    number     text        NOT NULL,
    agent      text,
    outcome    text        NOT NULL DEFAULT '',
    note       text        NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    closed_at  timestamptz,
    closed_by  text,
    UNIQUE (attempt)
);
CREATE INDEX tickets_open ON tickets (created_at) WHERE closed_at IS NULL;
CREATE INDEX tickets_by_number ON tickets (number, id);
CREATE INDEX tickets_by_lead ON tickets (lead);

CREATE TABLE happenings (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    kind    text        NOT NULL,
    data    jsonb       NOT NULL,
    done_at timestamptz,
    result  text        NOT NULL DEFAULT ''
);
CREATE INDEX happenings_open ON happenings (id) WHERE done_at IS NULL;

CREATE FUNCTION heard(event text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM definitions WHERE kind = 'triggers' AND definition ->> 'on' = event)
$$;

CREATE TABLE outbox (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook    text        NOT NULL,
    happening  bigint      REFERENCES happenings,
    body       jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    tries      integer     NOT NULL DEFAULT 0,
    next_at    timestamptz NOT NULL DEFAULT now(),
    sent_at    timestamptz,
    given_up   boolean     NOT NULL DEFAULT false,
    last_error text        NOT NULL DEFAULT '',
    UNIQUE (webhook, happening)
);
CREATE INDEX outbox_waiting ON outbox (webhook, id) WHERE sent_at IS NULL AND NOT given_up;
CREATE INDEX outbox_by_happening ON outbox (happening);
