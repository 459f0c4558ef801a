CREATE TABLE crm.workflow_definition (
    id              text PRIMARY KEY,
    definition_id   text NOT NULL,
    version         integer NOT NULL,
    name            text NOT NULL,
    description     text,
    entity          text,
    is_latest       boolean NOT NULL,
    is_published    boolean NOT NULL DEFAULT false,
    model           json NOT NULL,
    uses            text[] NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL,
    created_by      uuid NOT NULL,
    created_by_name text NOT NULL,
    published_at    timestamptz,
    UNIQUE (definition_id, version)
);
COMMENT ON TABLE crm.workflow_definition IS 'Versions of workflows. A version that was published is never changed; runs keep the version they began with.';
COMMENT ON COLUMN crm.workflow_definition.model IS 'The definition as JSON of Elsa 3.';
COMMENT ON COLUMN crm.workflow_definition.entity IS 'Whose records it is about; none when nothing but people start it.';
COMMENT ON COLUMN crm.workflow_definition.uses IS 'Entities and fields it names, as entity or entity.field.';
CREATE UNIQUE INDEX workflow_latest ON crm.workflow_definition (definition_id) WHERE is_latest;
CREATE UNIQUE INDEX workflow_published ON crm.workflow_definition (definition_id) WHERE is_published;

CREATE TABLE crm.workflow_trigger (
    version_id  text NOT NULL REFERENCES crm.workflow_definition ON DELETE CASCADE,
    activity_id text NOT NULL,
    entity      text NOT NULL,
    kinds       smallint[] NOT NULL,
    fields      text[] NOT NULL DEFAULT '{}',
    field       text,
    from_value  jsonb,
    to_value    jsonb,
    since       timestamptz NOT NULL,
    PRIMARY KEY (version_id, activity_id)
);
COMMENT ON TABLE crm.workflow_trigger IS 'Which changes of records start a published workflow.';
COMMENT ON COLUMN crm.workflow_trigger.kinds IS '0 create, 1 update, 2 delete.';
COMMENT ON COLUMN crm.workflow_trigger.fields IS 'One of them must have changed; empty for any.';
COMMENT ON COLUMN crm.workflow_trigger.field IS 'The field from_value and to_value are about.';
CREATE INDEX workflow_trigger_entity ON crm.workflow_trigger (entity);

CREATE TABLE crm.workflow_instance (
    id               uuid PRIMARY KEY,
    definition_id    text NOT NULL,
    version_id       text NOT NULL REFERENCES crm.workflow_definition ON DELETE CASCADE,
    version          integer NOT NULL,
    trigger_activity text,
    event_id         bigint,
    entity           text,
    record_id        uuid,
    user_id          uuid NOT NULL,
    root             uuid NOT NULL,
    parent           uuid,
    depth            integer NOT NULL,
    status           text NOT NULL CHECK (status IN ('running', 'suspended', 'finished', 'faulted', 'cancelled')),
    state            json,
    incident         json,
    due_at           timestamptz,
    lease            uuid,
    leased_until     timestamptz,
    attempts         integer NOT NULL DEFAULT 0,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    finished_at      timestamptz,
    UNIQUE (definition_id, event_id)
);
COMMENT ON TABLE crm.workflow_instance IS 'Runs of workflows. One event starts a workflow once, however often it is told.';
COMMENT ON COLUMN crm.workflow_instance.root IS 'The run that began a chain of runs whose writes started one another.';
COMMENT ON COLUMN crm.workflow_instance.due_at IS 'When a host goes on with it; none while only an event of a record or a person can move it.';
COMMENT ON COLUMN crm.workflow_instance.lease IS 'Names the host''s hold on it: who does not hold it may not write its state.';
CREATE INDEX workflow_due ON crm.workflow_instance (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX workflow_of_record ON crm.workflow_instance (record_id, event_id);
CREATE INDEX workflow_runs ON crm.workflow_instance (definition_id, created_at DESC);
CREATE INDEX workflow_newest ON crm.workflow_instance (created_at DESC);
CREATE INDEX workflow_chain ON crm.workflow_instance (root) WHERE depth > 0;
CREATE INDEX workflow_ended ON crm.workflow_instance (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE crm.workflow_bookmark (
    id          uuid PRIMARY KEY,
    instance_id uuid NOT NULL REFERENCES crm.workflow_instance ON DELETE CASCADE,
    frame       integer NOT NULL,
    activity_id text NOT NULL,
    due_at      timestamptz,
    entity      text,
    record_id   uuid,
    version     bigint,
    kinds       smallint[] NOT NULL DEFAULT '{}',
    fields      text[] NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL,
    event_id    bigint,
    event_kind  smallint
);
COMMENT ON TABLE crm.workflow_bookmark IS 'Where runs wait: for a moment, for an event of a record, or for whichever comes first.';
COMMENT ON COLUMN crm.workflow_bookmark.version IS 'The record as it was when the run began to wait: what was older is no event for it.';
CREATE INDEX workflow_bookmark_instance ON crm.workflow_bookmark (instance_id);
CREATE INDEX workflow_bookmark_record ON crm.workflow_bookmark (record_id) WHERE record_id IS NOT NULL AND event_id IS NULL;

CREATE TABLE crm.workflow_journal (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance_id   uuid NOT NULL REFERENCES crm.workflow_instance ON DELETE CASCADE,
    at            timestamptz NOT NULL,
    activity_id   text,
    activity_type text,
    activity_name text,
    event         text NOT NULL,
    outcome       text,
    message       text,
    data          json
);
COMMENT ON TABLE crm.workflow_journal IS 'What each run did, written in the transaction of what it tells of.';
CREATE INDEX workflow_journal_instance ON crm.workflow_journal (instance_id, id);
