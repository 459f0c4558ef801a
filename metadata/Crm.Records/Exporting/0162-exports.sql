CREATE TABLE crm.export (
    id              uuid PRIMARY KEY,
    entity          text NOT NULL,
    format          text NOT NULL,
    columns         text[] NOT NULL,
    filter          jsonb,
    search          text,
    rows            bigint,
    started_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at     timestamptz,
    created_by      uuid NOT NULL,
    created_by_name text NOT NULL
);
COMMENT ON TABLE crm.export IS 'Who took which records out as a file. Written before the first row leaves, so that an export that broke off is here, too.';
COMMENT ON COLUMN crm.export.rows IS 'How many left; null while it runs or when the host died.';
COMMENT ON COLUMN crm.export.finished_at IS 'Null for one that broke off.';
CREATE INDEX export_of_user ON crm.export (created_by, id DESC);
