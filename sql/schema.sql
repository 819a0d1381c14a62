-- The database of one installation (spec D2), readable from top to bottom. PostgreSQL 14 or later.
--
-- This file is what the tables are. sql/migrations/ is how a database gets there, one numbered step after another (`fs-dialer db migrate`); a test
-- compares the two by their catalogs. Every word in a CHECK is the value of an enum in fs_dialer/core/model.py; a test compares those too.
-- Every time is a timestamptz, UTC on disk (D9). Text is '' and not NULL where there is nothing to say.
--
--   what an admin defined     installation · campaigns, campaign_revisions, campaign_memory · agents · definitions, definition_revisions · plans
--   whom to call              contacts, contact_numbers, group_members · leads, lead_takes, campaign_zone_sets · imports, import_changes
--   whom not to call          do_not_call, do_not_call_prefixes, do_not_call_imports · no_callback
--   who is in charge          epochs · commands · audit · tokens, api_requests
--   what happened             daemon_status · switch_states · attempts_open, attempts · agent_hours · tickets, callers · happenings, outbox
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
    source     jsonb,                              -- the file as written; NULL = stored by a version that did not keep it
    plan       text,                               -- the plan that made it
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


-- Everything else that stands in an admin's files, by kind and name: schedules, teams, scripts … and, for their history, agents, the installation and
-- defaults too. `definition` is what `source` meant when it was applied.
CREATE TABLE definitions (
    kind       text        NOT NULL CHECK (kind ~ '^[a-z_]{1,30}$'),
    name       text        NOT NULL CHECK (name ~ '^[A-Za-z0-9_.+-]{0,100}$'),  -- '' where there is only one: installation, defaults
    revision   integer     NOT NULL CHECK (revision >= 1),
    source     jsonb       NOT NULL,
    definition jsonb       NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, name)
);

-- Every definition there ever was, for roll-back. `source` NULL = taken away at this revision.
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

-- What `fs-dialer plan` worked out: `apply p-4f1c` does just that, if the world is still as it was (`base`), and can be undone.
CREATE TABLE plans (
    id         text        PRIMARY KEY CHECK (id ~ '^p-[0-9a-f]{4,16}$'),
    who        text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    base       text        NOT NULL,  -- a fingerprint of all that the plan was made from
    content    jsonb       NOT NULL,  -- the things as written, and what is to end
    effect     jsonb       NOT NULL,  -- as it was shown
    applied_at timestamptz,
    applied_by text,
    undo       jsonb,                 -- what stood before, of all that it changed
    CHECK ((applied_at IS NULL) = (applied_by IS NULL))
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
    owner      text        NOT NULL DEFAULT '',    -- the agent who manages the account (S34)
    import     bigint,                             -- the import that brought it; NULL = by hand
    CHECK (zone_set = array_to_string(zones, '|'))
);

-- A contact's further numbers, in the order in which they are tried; contacts.number is the first.
CREATE TABLE contact_numbers (
    contact  bigint  NOT NULL REFERENCES contacts ON DELETE CASCADE,
    place    integer NOT NULL CHECK (place >= 1),
    number   text    NOT NULL CHECK (number ~ '^\+[0-9]{3,15}$'),
    kind     text    NOT NULL DEFAULT '',  -- mobile, home …: the column it stood in
    zone_set text    NOT NULL DEFAULT '',
    PRIMARY KEY (contact, place),
    UNIQUE (contact, number)
);
CREATE INDEX contact_numbers_by_number ON contact_numbers (number);

-- Who is in which group of contacts (S21). A group is a definition of kind "groups".
CREATE TABLE group_members (
    contact_group text        NOT NULL,
    contact       bigint      NOT NULL REFERENCES contacts ON DELETE CASCADE,
    added_at      timestamptz NOT NULL DEFAULT now(),
    import        bigint,
    PRIMARY KEY (contact_group, contact)
);
CREATE INDEX group_members_by_contact ON group_members (contact);

-- Files that were loaded: the same file into the same place again does nothing, and each can be undone.
CREATE TABLE imports (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text        NOT NULL UNIQUE CHECK (name ~ '^i-[0-9a-f]{4,16}$'),
    file       text        NOT NULL,
    hash       text        NOT NULL,  -- sha256 of the file and of what was asked (mapping, policy)
    campaign   text        REFERENCES campaigns,  -- NULL = into the directory only
    contact_group text     NOT NULL DEFAULT '',
    who        text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    counts     jsonb       NOT NULL,
    undone_at  timestamptz,
    undone_by  text
);
CREATE UNIQUE INDEX imports_once ON imports (hash, coalesce(campaign, ''), contact_group) WHERE undone_at IS NULL;

-- What an import changed in contacts that were there before it: what they were, for its undo. Kept for a month.
CREATE TABLE import_changes (
    import  bigint NOT NULL REFERENCES imports ON DELETE CASCADE,
    contact bigint NOT NULL REFERENCES contacts ON DELETE CASCADE,
    before  jsonb  NOT NULL,  -- name, zone_set, owner, attributes as they were; numbers: the further ones that came with it
    PRIMARY KEY (import, contact)
);
CREATE INDEX import_changes_by_contact ON import_changes (contact);

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
    ready_why     text        NOT NULL DEFAULT '' CHECK (ready_why IN (  -- why ready_at lies ahead
                      '', 'gap', 'rule', 'promised', 'fault', 'no_callback', 'not_before', 'remedy')),
    agent         text,                             -- a scheduled callback is promised to this agent; NULL = to anyone
    status_before text        CHECK (status_before IN (                   -- what a refused lead returns to (D16)
                      'new', 'retry', 'callback_scheduled', 'succeeded', 'exhausted', 'error', 'invalid', 'stopped')),
    caller_id     text        NOT NULL DEFAULT '',  -- the one it saw last, for sticky caller ids
    other_numbers jsonb       NOT NULL DEFAULT '[]',  -- [[number, zone_set], …]: the contact's numbers after this one
    parameters    jsonb       NOT NULL DEFAULT '{}',  -- set by rules; also what its row of a list said besides the contact's own attributes
    copy          bigint      NOT NULL DEFAULT 0,   -- above 0: one more lead of the same number: wanted so (keep-all), or come to it later
    import        bigint,
    met           text,                             -- the agent whom it met last, for campaigns that send it to the same one again
    last_outcome  text        NOT NULL DEFAULT '',  -- of its last attempt that says anything of the callee; '' = none yet
    CONSTRAINT leads_once_per_campaign UNIQUE (number, campaign, copy)  -- number first: do-not-call looks for a number in every campaign
) WITH (
    -- Claims leave dead entries at the front of leads_claimable; vacuum often, it is short.
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_analyze_scale_factor = 0.05
);
ALTER SEQUENCE lead_position OWNED BY leads.position;

-- A claim scans the front of one range per open zone set; a closed zone set is never touched.
CREATE INDEX leads_claimable ON leads (campaign, zone_set, ready_at, position)
    WHERE claimed_epoch IS NULL AND status IN ('new', 'retry', 'callback_scheduled');

-- Those for whom a time was promised, and those who were missed and are owed a call: dialled before all others once they are ready. Few; written with
-- coalesce, so that their look-up fits no other partial index, and none of the others' this.
CREATE INDEX leads_first ON leads (campaign, ready_at, position)
    WHERE coalesce(claimed_epoch, 0) = 0 AND status IN ('retry', 'callback_scheduled') AND ready_why IN ('promised', 'remedy');

-- The few that are in somebody's hands: is a campaign finished, what does a dead daemon hold.
CREATE INDEX leads_in_hand ON leads (campaign)
    WHERE claimed_epoch IS NOT NULL OR status = 'in_progress';

-- Leads that asked to be left alone, by when that is over (D16).
CREATE INDEX leads_refused ON leads (ready_at) WHERE status = 'refused';

-- A contact's leads: its timeline, and what goes when it is forgotten.
CREATE INDEX leads_by_contact ON leads (contact);

-- What an import brought, for its undo. BRIN, though imprecise: every claim writes an entry to each index, and to this one for nothing.
CREATE INDEX leads_by_import ON leads USING brin (import);

-- Customers that agents took in manual campaigns (S29–S34). A take counts against the quota while the lead is in the agent's hands, which is as long as the
-- lead still bears the take's epoch and batch, and for good once it was dialled; one that went back undialled does not.
CREATE TABLE lead_takes (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent      text        NOT NULL,
    campaign   text        NOT NULL REFERENCES campaigns,
    lead       bigint      REFERENCES leads ON DELETE SET NULL,  -- NULL = it was deleted: what was dialled still counts
    contact    bigint      NOT NULL,   -- the customer: the same one again costs nothing
    taken_at   timestamptz NOT NULL,   -- by the daemon's clock
    epoch      bigint      NOT NULL,
    batch      integer     NOT NULL,   -- as in leads: every take is a claim of its own
    dialled_at timestamptz
);
CREATE INDEX lead_takes_by_agent ON lead_takes (agent, taken_at);
CREATE INDEX lead_takes_by_lead ON lead_takes (lead);

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

-- Whole ranges of numbers that must not be called. Few: each is compared with every number that is about to be dialled.
CREATE TABLE do_not_call_prefixes (
    prefix   text        NOT NULL CHECK (prefix ~ '^\+[0-9]{1,14}$'),
    list     text        NOT NULL DEFAULT 'own',
    reason   text        NOT NULL DEFAULT '',
    added_by text        NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (prefix, list)
);

-- When a list was last brought up to date, so that a stale one is noticed.
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

-- Numbers that asked not to be called back for a while (S12, D16), in one campaign or ('') in all. A lead's status `refused` follows from it.
CREATE TABLE no_callback (
    number   text        NOT NULL CHECK (number ~ '^\+[0-9]{3,15}$'),
    campaign text        NOT NULL DEFAULT '',
    until    timestamptz NOT NULL,
    reason   text        NOT NULL DEFAULT '',
    added_by text        NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (number, campaign)
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

-- Who may use the HTTP interface, and as what (M15). The secret itself is shown once and never stored.
CREATE TABLE tokens (
    id           text        PRIMARY KEY CHECK (id ~ '^t-[0-9a-f]{8}$'),
    role         text        NOT NULL CHECK (role IN ('operator', 'admin', 'agent')),
    agent        text,                     -- whose token it is, for role agent
    title        text        NOT NULL DEFAULT '',
    hash         text        NOT NULL,     -- sha256 of the secret: 256 bits by chance need no slow hash
    created_by   text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz
);

-- Answers to requests that named an idempotency key: the same key again gets the same answer, and nothing is done twice (M22).
CREATE TABLE api_requests (
    token      text        NOT NULL REFERENCES tokens,
    key        text        NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    request    text        NOT NULL,  -- sha256 of path and body: the same key for something else is refused
    status     integer     NOT NULL,
    response   jsonb       NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (token, key)
);


-- --- what happened -------------------------------------------------------------------------------------------------------------------------

-- What the active daemon sees, for `status`: one row, written over once a second. Lost in a crash of the database, and then simply written anew.
CREATE UNLOGGED TABLE daemon_status (
    one      boolean     PRIMARY KEY DEFAULT true CHECK (one),
    epoch    bigint      NOT NULL,
    at       timestamptz NOT NULL,  -- by the database's clock
    snapshot jsonb       NOT NULL
);

-- Switches that an operator is draining: they get no new calls, also not from the next daemon. No row = it gets them.
CREATE TABLE switch_states (
    switch     text        PRIMARY KEY,  -- by its name in installation.yml
    drained_at timestamptz NOT NULL,
    who        text        NOT NULL
);

-- A try at a lead that is not over: committed before its originate is sent (D8), moved to attempts by its result. The call it makes has the same id.
CREATE TABLE attempts_open (
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
    agent       text,                         -- reserved; NULL = none
    opened_at   timestamptz NOT NULL,         -- by the daemon's clock, as all times of the call
    gates       jsonb       NOT NULL DEFAULT '[]',  -- what each gate answered (X8)
    answers     jsonb       NOT NULL DEFAULT '{}',  -- to the script's questions, while the call is up (S14)
    note        text        NOT NULL DEFAULT '',
    disposition_kept jsonb,                         -- results that agents have chosen already, one is filed when the call is over; NULL = none
    switch      text        NOT NULL DEFAULT '',     -- which one makes it: after a crash it is asked
    FOREIGN KEY (campaign, revision) REFERENCES campaign_revisions (campaign, revision),
    CONSTRAINT attempts_one_open_per_lead UNIQUE (lead)  -- nobody is called twice (D8, X4), whatever goes wrong above
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);

-- Nor by two campaigns at once.
CREATE INDEX attempts_open_by_number ON attempts_open (number);

-- Tries that are over, a partition for each month (UTC) in which they were opened; whole months go when their time is over. Never changed but by a
-- disposition, answers, and by forgetting a person.
CREATE TABLE attempts (
    id          uuid        NOT NULL,
    campaign    text        NOT NULL,
    revision    integer     NOT NULL,
    lead        bigint,                       -- NULL = the person was forgotten
    lead_status text        NOT NULL,
    epoch       bigint      NOT NULL,
    leg         uuid        NOT NULL,
    number      text        NOT NULL,         -- '' = the person was forgotten
    gateway     text        NOT NULL,
    caller_id   text        NOT NULL,
    agent       text,                         -- the one who had the call in the end
    opened_at   timestamptz NOT NULL,
    gates       jsonb       NOT NULL DEFAULT '[]',
    outcome     text        NOT NULL CHECK (outcome IN (
                    'connected', 'missed', 'early_hangup', 'machine', 'no_answer', 'busy', 'rejected',
                    'unreachable', 'bad_number', 'network', 'ours', 'cancelled', 'unknown')),
    cause       text        NOT NULL,         -- FreeSWITCH's hangup cause, '' where none was seen
    sip_status  integer,
    rang_at     timestamptz,
    answered_at timestamptz,
    bridged_at  timestamptz,
    ended_at    timestamptz NOT NULL,
    missed      boolean     NOT NULL,         -- D1
    leg_seen    boolean     NOT NULL,         -- false: the switch refused it without ever making a channel
    closed_at   timestamptz NOT NULL DEFAULT now(),  -- by the database's clock
    decision    text        NOT NULL DEFAULT '',     -- what became of the lead, and which rule said so
    disposition text,
    disposed_by text,
    disposed_at timestamptz,
    answers     jsonb       NOT NULL DEFAULT '{}',   -- to the script's questions (M24)
    note        text        NOT NULL DEFAULT '',     -- in the agent's words, for whoever calls next
    disposition_kept jsonb,                          -- chosen while the call was up and not filed; NULL a moment after its end, unless it cannot be filed
    recorded_from  timestamptz,                      -- the call's recording, by the switch's own word; the file bears the attempt's id
    recorded_until timestamptz,
    ivr         jsonb       NOT NULL DEFAULT '[]',   -- what the customer did in a flow: [[node, do, name, value], …] in its order (core/flow.py: IvrStep)
    left_at     text        NOT NULL DEFAULT '',     -- the flow's node where he was when the call ended; '' = at an end, or there was no flow
    switch      text        NOT NULL DEFAULT '',     -- which one carried it; '' = stored before there were several
    PRIMARY KEY (id, opened_at)
) PARTITION BY RANGE (opened_at);

-- Where an attempt of a month without a partition goes; kept empty by make_attempt_partitions, and never a reason to lose a result.
CREATE TABLE attempts_other PARTITION OF attempts DEFAULT;

-- A lead's history; a number's, for caps on calls to it by all campaigns.
CREATE INDEX attempts_by_lead ON attempts (lead, opened_at);
CREATE INDEX attempts_by_number ON attempts (number, opened_at);

-- Windows of statistics: outcomes and missed calls of today, 24 h, 30 days (D1), counted from these rows and never stored.
CREATE INDEX attempts_by_campaign ON attempts (campaign, opened_at) INCLUDE (outcome, missed);
CREATE INDEX attempts_by_agent ON attempts (agent, opened_at);

-- Results that agents chose while the call was up, to be filed now that it is over.
CREATE INDEX attempts_to_dispose ON attempts (opened_at) WHERE disposition_kept IS NOT NULL;

-- Make the partitions of this month and of the next `ahead` ones; returns how many are new.
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

-- Drop whole months that were over before this moment, and what lies outside of any month's partition; the names of what was dropped.
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

-- Every try, over or not.
CREATE VIEW all_attempts AS
SELECT id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at, gates, outcome, cause, sip_status,
       rang_at, answered_at, bridged_at, ended_at, missed, leg_seen, closed_at, decision, disposition, disposed_by, disposed_at, answers,
       note, disposition_kept, ivr, left_at, switch
FROM attempts
UNION ALL
SELECT id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at, gates, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, NULL, answers,
       note, disposition_kept, '[]', '', switch
FROM attempts_open;

-- Was this attempt closed before? A function, so that the plan of who asks has nothing to do with how many months there are.
CREATE FUNCTION attempt_is_closed(attempt uuid, at timestamptz) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM attempts WHERE attempts.id = attempt AND attempts.opened_at = at);
END $$;

-- When a number that was called often enough may be called again: epoch seconds, NULL = now (D10). caps: [[most, within_s], ...], calls in any span of
-- within_s. Calls of all campaigns count, if they reached the network or are open.
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

-- How agents spent each hour (UTC), as the daemon saw it, saved every minute by adding. `until` is how far it is counted: the same minute is not added twice.
CREATE TABLE agent_hours (
    agent           text        NOT NULL,
    hour            timestamptz NOT NULL CHECK (extract(epoch FROM hour)::bigint % 3600 = 0),
    until           timestamptz NOT NULL,
    ready_s         float8      NOT NULL DEFAULT 0,  -- idle and available
    reserved_s      float8      NOT NULL DEFAULT 0,
    previewing_s    float8      NOT NULL DEFAULT 0,
    ringing_s       float8      NOT NULL DEFAULT 0,
    talking_s       float8      NOT NULL DEFAULT 0,
    held_s          float8      NOT NULL DEFAULT 0,
    consulting_s    float8      NOT NULL DEFAULT 0,
    wrap_up_s       float8      NOT NULL DEFAULT 0,
    not_available_s float8      NOT NULL DEFAULT 0,
    logged_in_s     float8      NOT NULL DEFAULT 0,  -- any status but logged out
    screen_open_s   float8      NOT NULL DEFAULT 0,
    missed_offers   integer     NOT NULL DEFAULT 0,
    previews        integer     NOT NULL DEFAULT 0,
    skipped         integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (agent, hour)
);
CREATE INDEX agent_hours_by_hour ON agent_hours (hour);

-- What somebody should look at or has looked at: a call of a campaign that asks for it (S15), a caller of a queue who was missed (S78).
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
    since      timestamptz,                        -- a caller's place in the line: when he asked, or left; NULL = of no queue
    expires_at timestamptz,                        -- not called back after that; NULL = never
    closed_how text        NOT NULL DEFAULT '' CHECK (closed_how IN ('', 'served', 'called_back', 'expired')),  -- by the dialler; '' = open, or by people
    recording  text        NOT NULL DEFAULT '',    -- of a message that was left: its file, below the folder of recordings
    UNIQUE (attempt)
);
CREATE INDEX tickets_open ON tickets (created_at) WHERE closed_at IS NULL;
CREATE INDEX tickets_by_number ON tickets (number, id);
CREATE INDEX tickets_by_lead ON tickets (lead);
CREATE INDEX tickets_to_expire ON tickets (expires_at) WHERE closed_at IS NULL;
CREATE INDEX tickets_of_queue ON tickets (queue, created_at) WHERE queue <> '';

-- Callers of queues, one row each: written when an agent is on the line with him, and when he is gone; those who still wait are in the daemon's memory only.
-- All times are the daemon's, and the switch's where it kept them for us.
CREATE TABLE callers (
    id        text        PRIMARY KEY,  -- of his leg: text, for a switch may be told to take the SIP Call-ID, which is the far end's to choose
    queue     text        NOT NULL,
    number    text        NOT NULL,     -- E.164; as the network gave it where that is none, '' = withheld, or the person was forgotten
    came_at   timestamptz NOT NULL,
    asked_at  timestamptz,              -- when he pressed the key for a callback
    served_at timestamptz,              -- when an agent was first on the line
    left_at   timestamptz,              -- NULL = he talks now, or nobody told
    why       text        NOT NULL DEFAULT '' CHECK (why IN (
                  '', 'served', 'hung_up', 'max_wait', 'callback', 'voicemail', 'overflow', 'released', 'lost')),
    agent     text,                     -- whom he met last
    waited_s  float8      NOT NULL DEFAULT 0 CHECK (waited_s >= 0),
    talked_s  float8      NOT NULL DEFAULT 0 CHECK (talked_s >= 0),
    missed    boolean     NOT NULL DEFAULT false,
    found     boolean     NOT NULL DEFAULT false,  -- only rows that the switch kept tell how he left: a daemon's own word goes before
    switch    text        NOT NULL DEFAULT '',
    ticket    bigint      REFERENCES tickets
);
CREATE INDEX callers_by_queue ON callers (queue, came_at);
CREATE INDEX callers_by_number ON callers (number, came_at);
CREATE INDEX callers_by_time ON callers (came_at);

-- Events that a trigger listens for, written with the change they tell of, and worked off once.
CREATE TABLE happenings (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    kind    text        NOT NULL,
    data    jsonb       NOT NULL,
    done_at timestamptz,
    result  text        NOT NULL DEFAULT ''
);
CREATE INDEX happenings_open ON happenings (id) WHERE done_at IS NULL;

-- Does any trigger listen for this kind of event?
CREATE FUNCTION heard(event text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM definitions WHERE kind = 'triggers' AND definition ->> 'on' = event)
$$;

-- What is to be sent to webhooks: at least once, in its order, tried again with growing pauses.
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
