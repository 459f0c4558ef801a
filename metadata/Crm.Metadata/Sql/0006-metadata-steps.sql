CREATE TABLE crm.metadata_step (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version          bigint NOT NULL,
    kind             text NOT NULL CHECK (kind IN ('index', 'key', 'fill')),
    entity           text NOT NULL,
    name             text NOT NULL,
    text             text NOT NULL,
    sql              text NOT NULL,
    state            text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    cancel_requested boolean NOT NULL DEFAULT false,
    backend          integer,
    position         uuid,
    done             bigint NOT NULL DEFAULT 0,
    error            text,
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at       timestamptz,
    finished_at      timestamptz
);
COMMENT ON TABLE crm.metadata_step IS 'Work of applied changes that must not hold up a big table: done after the definitions, one at a time over all hosts, gone on with after a crash.';
COMMENT ON COLUMN crm.metadata_step.position IS 'Of work that goes record by record: the last one it did.';
CREATE INDEX metadata_step_open ON crm.metadata_step (id) WHERE state IN ('waiting', 'running');
