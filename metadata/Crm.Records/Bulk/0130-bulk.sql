CREATE TABLE crm.bulk_row (
    job_id        uuid NOT NULL REFERENCES crm.job ON DELETE CASCADE,
    row           bigint NOT NULL,
    record_id     uuid NOT NULL,
    version       bigint NOT NULL,
    version_after bigint,
    PRIMARY KEY (job_id, row)
);
COMMENT ON TABLE crm.bulk_row IS 'The records of a bulk change, as they were when it was started.';
COMMENT ON COLUMN crm.bulk_row.version IS 'The version the change is based on; 0 for a record that was asked for and is not there.';
COMMENT ON COLUMN crm.bulk_row.version_after IS 'The version the change left behind; null when it changed nothing.';

-- One undo of a bulk change at a time, and none after one that succeeded.
CREATE UNIQUE INDEX job_undo ON crm.job ((payload ->> 'undo_of'))
    WHERE kind = 'bulk' AND payload ? 'undo_of' AND state IN ('queued', 'running', 'succeeded');
