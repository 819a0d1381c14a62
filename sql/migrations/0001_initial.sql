-- 0001: the tables as they first were. What each is for stands in sql/schema.sql.

CREATE TABLE schema_migrations (
    name       text        PRIMARY KEY,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE installation (
    the_only   boolean     PRIMARY KEY DEFAULT true CHECK (the_only),
    definition jsonb       NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE campaigns (
    name              text        PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9_.-]{1,100}$'),
    state             text        NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'approved', 'running', 'paused', 'draining', 'ended')),
    started           boolean     NOT NULL DEFAULT false,
    reason            text        NOT NULL DEFAULT '',
    newest_revision   integer     NOT NULL CHECK (newest_revision >= 1),
    approved_revision integer,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CHECK (approved_revision <= newest_revision),
    CHECK (approved_revision IS NOT NULL OR state IN ('new', 'draining', 'ended'))
);

CREATE TABLE campaign_revisions (
    campaign   text        NOT NULL REFERENCES campaigns,
    revision   integer     NOT NULL CHECK (revision >= 1),
    type       text        NOT NULL CHECK (type IN ('manual', 'preview', 'progressive', 'predictive', 'autocall', 'callback')),
    definition jsonb       NOT NULL,
    created_by text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (campaign, revision)
);

ALTER TABLE campaigns
    ADD CONSTRAINT campaigns_newest_revision_exists
        FOREIGN KEY (name, newest_revision) REFERENCES campaign_revisions (campaign, revision) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT campaigns_approved_revision_exists
        FOREIGN KEY (name, approved_revision) REFERENCES campaign_revisions (campaign, revision) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE campaign_memory (
    campaign text        PRIMARY KEY REFERENCES campaigns,
    memory   jsonb       NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE agents (
    id         text        PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_.-]{1,100}$'),
    definition jsonb       NOT NULL,
    status     text        NOT NULL DEFAULT 'not_available' CHECK (status IN ('available', 'not_available', 'logged_out')),
    reason     text        NOT NULL DEFAULT '',
    status_at  timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE contacts (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number     text        NOT NULL UNIQUE CHECK (number ~ '^\+[0-9]{3,15}$'),
    name       text        NOT NULL DEFAULT '',
    zones      text[]      NOT NULL DEFAULT '{}',
    zone_set   text        NOT NULL DEFAULT '',
    attributes jsonb       NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (zone_set = array_to_string(zones, '|'))
);

CREATE SEQUENCE lead_position;

CREATE TABLE leads (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign      text        NOT NULL REFERENCES campaigns,
    contact       bigint      NOT NULL REFERENCES contacts,
    number        text        NOT NULL CHECK (number ~ '^\+[0-9]{3,15}$'),
    zone_set      text        NOT NULL DEFAULT '',
    status        text        NOT NULL DEFAULT 'new' CHECK (status IN (
                      'new', 'in_progress', 'retry', 'callback_scheduled',
                      'succeeded', 'refused', 'exhausted', 'error', 'invalid', 'stopped', 'blocked')),
    attempts      integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    ours_in_row   integer     NOT NULL DEFAULT 0 CHECK (ours_in_row >= 0),
    ready_at      timestamptz NOT NULL DEFAULT now(),
    held_by       text        NOT NULL DEFAULT '',
    position      bigint      NOT NULL DEFAULT nextval('lead_position'),
    claimed_epoch bigint,
    claimed_batch integer,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT leads_once_per_campaign UNIQUE (number, campaign)
) WITH (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_analyze_scale_factor = 0.05
);
ALTER SEQUENCE lead_position OWNED BY leads.position;

CREATE INDEX leads_claimable ON leads (campaign, zone_set, ready_at, position)
    WHERE claimed_epoch IS NULL AND status IN ('new', 'retry', 'callback_scheduled');

CREATE INDEX leads_in_hand ON leads (campaign)
    WHERE claimed_epoch IS NOT NULL OR status = 'in_progress';

CREATE TABLE campaign_zone_sets (
    campaign text NOT NULL REFERENCES campaigns,
    zone_set text NOT NULL,
    PRIMARY KEY (campaign, zone_set)
);

CREATE TABLE do_not_call (
    number   text        NOT NULL CHECK (number ~ '^\+[0-9]{3,15}$'),
    list     text        NOT NULL DEFAULT 'own',
    reason   text        NOT NULL DEFAULT '',
    added_by text        NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (number, list)
);

CREATE TABLE epochs (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    holder     text        NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz
);
CREATE UNIQUE INDEX epochs_one_current ON epochs ((true)) WHERE ended_at IS NULL;

CREATE TABLE commands (
    id         uuid        PRIMARY KEY,
    place      bigint      GENERATED ALWAYS AS IDENTITY,
    verb       text        NOT NULL CHECK (verb <> ''),
    target     text        NOT NULL,
    args       jsonb       NOT NULL DEFAULT '{}',
    who        text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    reply_ok   boolean,
    reply_text text,
    replied_at timestamptz,
    CHECK ((replied_at IS NULL) = (reply_ok IS NULL) AND (replied_at IS NULL) = (reply_text IS NULL))
);
CREATE INDEX commands_unanswered ON commands (place) WHERE replied_at IS NULL;

CREATE TABLE audit (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    who     text        NOT NULL,
    what    text        NOT NULL,
    target  text        NOT NULL,
    why     text        NOT NULL DEFAULT '',
    details jsonb       NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_by_target ON audit (target, id);

CREATE UNLOGGED TABLE daemon_status (
    one      boolean     PRIMARY KEY DEFAULT true CHECK (one),
    epoch    bigint      NOT NULL,
    at       timestamptz NOT NULL,
    snapshot jsonb       NOT NULL
);

CREATE TABLE attempts (
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
    outcome     text        CHECK (outcome IN (
                    'connected', 'missed', 'early_hangup', 'machine', 'no_answer', 'busy', 'rejected',
                    'unreachable', 'bad_number', 'network', 'ours', 'cancelled', 'unknown')),
    cause       text,
    sip_status  integer,
    rang_at     timestamptz,
    answered_at timestamptz,
    bridged_at  timestamptz,
    ended_at    timestamptz,
    missed      boolean,
    leg_seen    boolean,
    closed_at   timestamptz,
    FOREIGN KEY (campaign, revision) REFERENCES campaign_revisions (campaign, revision),
    CONSTRAINT attempts_closed_is_complete CHECK (
        CASE WHEN closed_at IS NULL THEN num_nonnulls(outcome, cause, sip_status, rang_at, answered_at, bridged_at, ended_at, missed, leg_seen) = 0
             ELSE num_nulls(outcome, cause, ended_at, missed, leg_seen) = 0 END)
);

CREATE UNIQUE INDEX attempts_one_open_per_lead ON attempts (lead) WHERE closed_at IS NULL;

CREATE INDEX attempts_by_lead ON attempts (lead, opened_at);

CREATE INDEX attempts_by_campaign ON attempts (campaign, opened_at) INCLUDE (outcome, missed);
