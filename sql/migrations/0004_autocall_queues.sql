-- 0004: autocall flows and queues: what customers did in a flow, callers of queues, tickets with their place in the line. What each is for stands in
-- sql/schema.sql.

ALTER TABLE attempts
    ADD COLUMN ivr jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN left_at text NOT NULL DEFAULT '',
    ADD COLUMN switch text NOT NULL DEFAULT '';

ALTER TABLE attempts_open
    ADD COLUMN switch text NOT NULL DEFAULT '';

CREATE OR REPLACE VIEW all_attempts AS
SELECT id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at, gates, outcome, cause, sip_status,
       rang_at, answered_at, bridged_at, ended_at, missed, leg_seen, closed_at, decision, disposition, disposed_by, disposed_at, answers,
       note, disposition_kept, ivr, left_at, switch
FROM attempts
UNION ALL
SELECT id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at, gates, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, NULL, answers,
       note, disposition_kept, '[]', '', switch
FROM attempts_open;

ALTER TABLE tickets
    ADD COLUMN since timestamptz,
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN closed_how text NOT NULL DEFAULT '' CHECK (closed_how IN ('', 'served', 'called_back', 'expired')),
    ADD COLUMN recording text NOT NULL DEFAULT '';
CREATE INDEX tickets_to_expire ON tickets (expires_at) WHERE closed_at IS NULL;
CREATE INDEX tickets_of_queue ON tickets (queue, created_at) WHERE queue <> '';

CREATE TABLE callers (
    id        text        PRIMARY KEY,
    queue     text        NOT NULL,
    number    text        NOT NULL,
    came_at   timestamptz NOT NULL,
    asked_at  timestamptz,
    served_at timestamptz,
    left_at   timestamptz,
    why       text        NOT NULL DEFAULT '' CHECK (why IN (
                  '', 'served', 'hung_up', 'max_wait', 'callback', 'voicemail', 'overflow', 'released', 'lost')),
    agent     text,
    waited_s  float8      NOT NULL DEFAULT 0 CHECK (waited_s >= 0),
    talked_s  float8      NOT NULL DEFAULT 0 CHECK (talked_s >= 0),
    missed    boolean     NOT NULL DEFAULT false,
    found     boolean     NOT NULL DEFAULT false,
    switch    text        NOT NULL DEFAULT '',
    ticket    bigint      REFERENCES tickets
);
CREATE INDEX callers_by_queue ON callers (queue, came_at);
CREATE INDEX callers_by_number ON callers (number, came_at);
CREATE INDEX callers_by_time ON callers (came_at);

CREATE TABLE switch_states (
    switch     text        PRIMARY KEY,
    drained_at timestamptz NOT NULL,
    who        text        NOT NULL
);
