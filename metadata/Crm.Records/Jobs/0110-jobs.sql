CREATE TABLE crm.job (
    id               uuid PRIMARY KEY,
    kind             text NOT NULL,
    payload          jsonb NOT NULL,
    state            text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    position         bigint NOT NULL DEFAULT 0,
    total            bigint,
    report           jsonb,
    error            text,
    attempts         integer NOT NULL DEFAULT 0,
    max_attempts     integer NOT NULL DEFAULT 5,
    run_after        timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease            uuid,
    lease_until      timestamptz,
    cancel_requested boolean NOT NULL DEFAULT false,
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by       uuid NOT NULL,
    created_by_name  text NOT NULL,
    started_at       timestamptz,
    finished_at      timestamptz
);
COMMENT ON TABLE crm.job IS 'Work done in the background by whichever host is free. Position and report are written in the transaction of the work they tell of.';
COMMENT ON COLUMN crm.job.attempts IS 'Starts since the last progress; a job that gets nowhere this often is given up.';
COMMENT ON COLUMN crm.job.lease IS 'Names one run of the job: who does not hold it may not write progress.';
CREATE INDEX job_open ON crm.job (created_at) WHERE state IN ('queued', 'running');
CREATE INDEX job_of_user ON crm.job (created_by, created_at DESC);

CREATE TABLE crm.job_verdict (
    job_id    uuid NOT NULL REFERENCES crm.job ON DELETE CASCADE,
    row       bigint NOT NULL,
    line      bigint NOT NULL,
    outcome   text NOT NULL,
    severity  smallint NOT NULL,
    record_id uuid,
    messages  jsonb,
    PRIMARY KEY (job_id, row)
);
COMMENT ON TABLE crm.job_verdict IS 'What a job did with each row of its input. Severity: 0 nothing to say, 1 warning, 2 error.';
CREATE INDEX job_verdict_told ON crm.job_verdict (job_id, severity, row) WHERE severity > 0;

CREATE TABLE crm.job_pending (
    job_id    uuid NOT NULL REFERENCES crm.job ON DELETE CASCADE,
    row       bigint NOT NULL,
    field     text NOT NULL,
    record_id uuid NOT NULL,
    value     text NOT NULL,
    PRIMARY KEY (job_id, row, field)
);
COMMENT ON TABLE crm.job_pending IS 'References to rows that come later in the same file, set once all rows are there.';

CREATE TABLE crm.job_file (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    size        bigint NOT NULL DEFAULT 0,
    is_complete boolean NOT NULL DEFAULT false,
    encoding    jsonb,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by  uuid NOT NULL
);
COMMENT ON TABLE crm.job_file IS 'Uploaded files, in the database so that any host can read them.';

CREATE TABLE crm.job_file_chunk (
    file_id uuid NOT NULL REFERENCES crm.job_file ON DELETE CASCADE,
    number  integer NOT NULL,
    data    bytea NOT NULL,
    PRIMARY KEY (file_id, number)
);
-- Read once or twice and then deleted: compressing would only cost time.
ALTER TABLE crm.job_file_chunk ALTER COLUMN data SET STORAGE EXTERNAL;
