-- The database of one installation (spec D2), readable from top to bottom. PostgreSQL 14 or later.
--
-- This file is what the tables are. sql/migrations/ is how a database gets there, one numbered step after another (`fs-dialer db migrate`); a test
-- compares the two by their catalogs. Every word in a CHECK is the value of an enum in fs_dialer/core/model.py; a test compares those too.
-- Every time is a timestamptz, UTC on disk (D9). Text is '' and not NULL where there is nothing to say.
--
--   what an admin defined     installation · campaigns, campaign_revisions, campaign_memory · agents
--   whom to call              contacts · leads, campaign_zone_sets · do_not_call
--   what happened             attempts
--   who is in charge          epochs · commands · audit
--
-- NOTIFY fs_dialer says "KIND:NAME" after a change that a running daemon should read at once. It is a hint and never the only way.


-- --- the schema itself ---------------------------------------------------------------------------------------------------------------------

-- Which steps of sql/migrations/ this database has taken. The checksum tells when a step was edited after it had been taken.
CREATE TABLE schema_migrations (
    name       text        PRIMARY KEY,
    checksum   text        NOT NULL,  -- sha256 of the file
    applied_at timestamptz NOT NULL DEFAULT now()
);


-- --- what an admin defined -----------------------------------------------------------------------------------------------------------------

-- Limits, gateways, switch: one row, made by the first `fs-dialer apply`.
CREATE TABLE installation (
    the_only   boolean     PRIMARY KEY DEFAULT true CHECK (the_only),
    definition jsonb       NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- A campaign's life. What it is stands in its revisions; which of them dials, here.
CREATE TABLE campaigns (
    name              text        PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9_.-]{1,100}$'),
    state             text        NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'approved', 'running', 'paused', 'draining', 'ended')),
    started           boolean     NOT NULL DEFAULT false,  -- somebody said start; it may come before the start time (D11)
    reason            text        NOT NULL DEFAULT '',     -- why it is in this state, for people
    newest_revision   integer     NOT NULL CHECK (newest_revision >= 1),
    approved_revision integer,                             -- the newest one that was approved (D5); NULL = none yet
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CHECK (approved_revision <= newest_revision),
    CHECK (approved_revision IS NOT NULL OR state IN ('new', 'draining', 'ended'))
);

-- Every definition a campaign ever had. A changed file makes a new row; a row is never changed. Calls name the revision they were made under.
CREATE TABLE campaign_revisions (
    campaign   text        NOT NULL REFERENCES campaigns,
    revision   integer     NOT NULL CHECK (revision >= 1),
    type       text        NOT NULL CHECK (type IN ('manual', 'preview', 'progressive', 'predictive', 'autocall', 'callback')),
    definition jsonb       NOT NULL,
    created_by text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (campaign, revision)
);

-- The two revisions a campaign points at exist. Deferred: a new campaign and its first revision are inserted in one transaction.
ALTER TABLE campaigns
    ADD CONSTRAINT campaigns_newest_revision_exists
        FOREIGN KEY (name, newest_revision) REFERENCES campaign_revisions (campaign, revision) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT campaigns_approved_revision_exists
        FOREIGN KEY (name, approved_revision) REFERENCES campaign_revisions (campaign, revision) DEFERRABLE INITIALLY DEFERRED;

-- What a mode has learned (its pacer's state). Apart from campaigns: it is written every 10 s, and opening an attempt locks the campaign's row.
CREATE TABLE campaign_memory (
    campaign text        PRIMARY KEY REFERENCES campaigns,
    memory   jsonb       NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now()
);

-- Who takes calls, and what they declared of themselves. What a daemon observes of them (ringing, talking) is in its memory only.
CREATE TABLE agents (
    id         text        PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_.-]{1,100}$'),
    definition jsonb       NOT NULL,
    status     text        NOT NULL DEFAULT 'not_available' CHECK (status IN ('available', 'not_available', 'logged_out')),
    reason     text        NOT NULL DEFAULT '',
    status_at  timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);


-- --- whom to call --------------------------------------------------------------------------------------------------------------------------

-- A person in the directory: one number, and what we know. The last import that names the number wins, field by field.
CREATE TABLE contacts (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number     text        NOT NULL UNIQUE CHECK (number ~ '^\+[0-9]{3,15}$'),  -- E.164
    name       text        NOT NULL DEFAULT '',
    zones      text[]      NOT NULL DEFAULT '{}',  -- every time zone the number may be in; all must allow a call (D4)
    zone_set   text        NOT NULL DEFAULT '',    -- the same, sorted, joined by "|"
    attributes jsonb       NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (zone_set = array_to_string(zones, '|'))
);

-- The order in which leads joined: among leads ready since the same moment the first comes first (S89).
CREATE SEQUENCE lead_position;

-- A contact in one campaign. At rest it carries when to look at it again and why not before, so that a million sleeping leads cost nothing.
--
-- A lead is claimable when claimed_epoch is NULL and its status is new, retry or callback_scheduled. A daemon that claims it writes its epoch there;
-- opening an attempt makes it in_progress; closing the attempt gives it its next status and frees it.
-- claimed_epoch names a row of epochs without a foreign key: the check would double the price of a claim.
CREATE TABLE leads (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign      text        NOT NULL REFERENCES campaigns,
    contact       bigint      NOT NULL REFERENCES contacts,
    number        text        NOT NULL CHECK (number ~ '^\+[0-9]{3,15}$'),
    zone_set      text        NOT NULL DEFAULT '',
    status        text        NOT NULL DEFAULT 'new' CHECK (status IN (
                      'new', 'in_progress', 'retry', 'callback_scheduled',
                      'succeeded', 'refused', 'exhausted', 'error', 'invalid', 'stopped', 'blocked')),
    attempts      integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),     -- consumed so far
    ours_in_row   integer     NOT NULL DEFAULT 0 CHECK (ours_in_row >= 0),  -- failures that were not the callee's, in a row (D3)
    ready_at      timestamptz NOT NULL DEFAULT now(),
    held_by       text        NOT NULL DEFAULT '',  -- the gate that last refused it
    position      bigint      NOT NULL DEFAULT nextval('lead_position'),
    claimed_epoch bigint,
    claimed_batch integer,                          -- which claim of that epoch: a claim whose answer was lost is undone by it
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT leads_once_per_campaign UNIQUE (number, campaign)  -- number first: do-not-call looks for a number in every campaign
) WITH (
    -- Claims leave dead entries at the front of leads_claimable; vacuum often, it is short.
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_analyze_scale_factor = 0.05
);
ALTER SEQUENCE lead_position OWNED BY leads.position;

-- A claim scans the front of one range per open zone set; a closed zone set is never touched.
CREATE INDEX leads_claimable ON leads (campaign, zone_set, ready_at, position)
    WHERE claimed_epoch IS NULL AND status IN ('new', 'retry', 'callback_scheduled');

-- The few that are in somebody's hands: is a campaign finished, what does a dead daemon hold.
CREATE INDEX leads_in_hand ON leads (campaign)
    WHERE claimed_epoch IS NOT NULL OR status = 'in_progress';

-- Which zone sets a campaign's leads have, so that a claim can name the open ones without looking at the leads. Written by imports.
CREATE TABLE campaign_zone_sets (
    campaign text NOT NULL REFERENCES campaigns,
    zone_set text NOT NULL,
    PRIMARY KEY (campaign, zone_set)
);

-- Numbers that must not be called, by list ("own", a national register's name, …). Asked at import and in the statement that opens an attempt.
CREATE TABLE do_not_call (
    number   text        NOT NULL CHECK (number ~ '^\+[0-9]{3,15}$'),
    list     text        NOT NULL DEFAULT 'own',
    reason   text        NOT NULL DEFAULT '',
    added_by text        NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (number, list)
);


-- --- who is in charge ----------------------------------------------------------------------------------------------------------------------

-- One row per daemon that ever was the active one. The active one holds the advisory lock and the row whose ended_at is NULL; every claim and every
-- new attempt locks that row FOR SHARE, so that after a take-over has committed the former daemon can claim and dial nothing.
CREATE TABLE epochs (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    holder     text        NOT NULL,  -- host and process, for people
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz
);
CREATE UNIQUE INDEX epochs_one_current ON epochs ((true)) WHERE ended_at IS NULL;

-- What an operator asked of the daemon, and its answer. Written with an audit line in one transaction.
CREATE TABLE commands (
    id         uuid        PRIMARY KEY,
    place      bigint      GENERATED ALWAYS AS IDENTITY,  -- the order in which they are carried out
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

-- Who did what, when and why. Only ever added to.
CREATE TABLE audit (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    who     text        NOT NULL,
    what    text        NOT NULL,  -- the verb: start, apply_campaign, campaign_state, import_leads …
    target  text        NOT NULL,  -- the campaign, agent or number
    why     text        NOT NULL DEFAULT '',
    details jsonb       NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_by_target ON audit (target, id);


-- --- what happened -------------------------------------------------------------------------------------------------------------------------

-- What the active daemon sees, for `status`: one row, written over once a second. Lost in a crash of the database, and then simply written anew.
CREATE UNLOGGED TABLE daemon_status (
    one      boolean     PRIMARY KEY DEFAULT true CHECK (one),
    epoch    bigint      NOT NULL,
    at       timestamptz NOT NULL,  -- by the database's clock
    snapshot jsonb       NOT NULL
);

-- One try at a lead. Committed before its originate is sent (D8), closed by its result; never deleted. The call it makes has the same id.
CREATE TABLE attempts (
    id          uuid        PRIMARY KEY,
    campaign    text        NOT NULL,
    revision    integer     NOT NULL,
    lead        bigint      NOT NULL REFERENCES leads,
    lead_status text        NOT NULL CHECK (lead_status IN ('new', 'retry', 'callback_scheduled')),  -- what it was before: a cancelled attempt gives it back
    epoch       bigint      NOT NULL REFERENCES epochs,
    leg         uuid        NOT NULL UNIQUE,  -- FreeSWITCH's Unique-ID, chosen by us
    number      text        NOT NULL CHECK (number ~ '^\+[0-9]{3,15}$'),
    gateway     text        NOT NULL,
    caller_id   text        NOT NULL,
    agent       text,                         -- reserved at first, the one who had the call in the end; NULL = none
    opened_at   timestamptz NOT NULL,         -- by the daemon's clock, as all times of the call
    outcome     text        CHECK (outcome IN (
                    'connected', 'missed', 'early_hangup', 'machine', 'no_answer', 'busy', 'rejected',
                    'unreachable', 'bad_number', 'network', 'ours', 'cancelled', 'unknown')),
    cause       text,                         -- FreeSWITCH's hangup cause, '' where none was seen
    sip_status  integer,
    rang_at     timestamptz,
    answered_at timestamptz,
    bridged_at  timestamptz,
    ended_at    timestamptz,
    missed      boolean,                      -- D1
    leg_seen    boolean,                      -- false: the switch refused it without ever making a channel
    closed_at   timestamptz,                  -- by the database's clock; NULL = open
    FOREIGN KEY (campaign, revision) REFERENCES campaign_revisions (campaign, revision),
    CONSTRAINT attempts_closed_is_complete CHECK (
        CASE WHEN closed_at IS NULL THEN num_nonnulls(outcome, cause, sip_status, rang_at, answered_at, bridged_at, ended_at, missed, leg_seen) = 0
             ELSE num_nulls(outcome, cause, ended_at, missed, leg_seen) = 0 END)
);

-- Nobody is called twice (D8, X4): a lead has at most one open attempt, whatever goes wrong above.
CREATE UNIQUE INDEX attempts_one_open_per_lead ON attempts (lead) WHERE closed_at IS NULL;

-- A lead's history.
CREATE INDEX attempts_by_lead ON attempts (lead, opened_at);

-- Windows of statistics: outcomes and missed calls of today, 24 h, 30 days (D1), counted from these rows and never stored.
CREATE INDEX attempts_by_campaign ON attempts (campaign, opened_at) INCLUDE (outcome, missed);
