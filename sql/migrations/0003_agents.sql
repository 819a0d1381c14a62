-- 0003: agents: customers they take, their hours, what they say of a call that is up. What each is for stands in sql/schema.sql.

CREATE TABLE lead_takes (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent      text        NOT NULL,
    campaign   text        NOT NULL REFERENCES campaigns,
    lead       bigint      REFERENCES leads ON DELETE SET NULL,
    contact    bigint      NOT NULL,
    taken_at   timestamptz NOT NULL,
    epoch      bigint      NOT NULL,
    batch      integer     NOT NULL,
    dialled_at timestamptz
);
CREATE INDEX lead_takes_by_agent ON lead_takes (agent, taken_at);
CREATE INDEX lead_takes_by_lead ON lead_takes (lead);

CREATE TABLE agent_hours (
    agent           text        NOT NULL,
    hour            timestamptz NOT NULL CHECK (extract(epoch FROM hour)::bigint % 3600 = 0),
    until           timestamptz NOT NULL,
    ready_s         float8      NOT NULL DEFAULT 0,
    reserved_s      float8      NOT NULL DEFAULT 0,
    previewing_s    float8      NOT NULL DEFAULT 0,
    ringing_s       float8      NOT NULL DEFAULT 0,
    talking_s       float8      NOT NULL DEFAULT 0,
    held_s          float8      NOT NULL DEFAULT 0,
    consulting_s    float8      NOT NULL DEFAULT 0,
    wrap_up_s       float8      NOT NULL DEFAULT 0,
    not_available_s float8      NOT NULL DEFAULT 0,
    logged_in_s     float8      NOT NULL DEFAULT 0,
    screen_open_s   float8      NOT NULL DEFAULT 0,
    missed_offers   integer     NOT NULL DEFAULT 0,
    previews        integer     NOT NULL DEFAULT 0,
    skipped         integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (agent, hour)
);
CREATE INDEX agent_hours_by_hour ON agent_hours (hour);

ALTER TABLE leads ADD COLUMN met text, ADD COLUMN last_outcome text NOT NULL DEFAULT '';
ALTER TABLE leads DROP CONSTRAINT leads_ready_why_check;
ALTER TABLE leads ADD CONSTRAINT leads_ready_why_check CHECK (ready_why IN (
    '', 'gap', 'rule', 'promised', 'fault', 'no_callback', 'not_before', 'remedy'));
CREATE INDEX leads_first ON leads (campaign, ready_at, position)
    WHERE coalesce(claimed_epoch, 0) = 0 AND status IN ('retry', 'callback_scheduled') AND ready_why IN ('promised', 'remedy');

ALTER TABLE attempts_open
    ADD COLUMN answers jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN note text NOT NULL DEFAULT '',
    ADD COLUMN disposition_kept jsonb;
ALTER TABLE attempts
    ADD COLUMN note text NOT NULL DEFAULT '',
    ADD COLUMN disposition_kept jsonb,
    ADD COLUMN recorded_from timestamptz,
    ADD COLUMN recorded_until timestamptz;
CREATE INDEX attempts_to_dispose ON attempts (opened_at) WHERE disposition_kept IS NOT NULL;

CREATE OR REPLACE VIEW all_attempts AS
SELECT id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at, gates, outcome, cause, sip_status,
       rang_at, answered_at, bridged_at, ended_at, missed, leg_seen, closed_at, decision, disposition, disposed_by, disposed_at, answers,
       note, disposition_kept
FROM attempts
UNION ALL
SELECT id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at, gates, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, NULL, answers,
       note, disposition_kept
FROM attempts_open;
