-- Records that were deleted and can be restored. What they held stands in the last entry of their history; here stands what lists and access rules ask for.
-- The columns id and owner are called as those of a record, so that the conditions of access rules hold for both.
CREATE TABLE crm.bin (
    id uuid PRIMARY KEY,
    entity text NOT NULL,
    title text NOT NULL,
    owner uuid,
    refs uuid[] NOT NULL,
    is_link boolean NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    created_by uuid NOT NULL,
    deleted_at timestamptz NOT NULL,
    deleted_by uuid NOT NULL,
    deleted_by_name text NOT NULL,
    source text NOT NULL,
    causation uuid NOT NULL
);
COMMENT ON COLUMN crm.bin.refs IS 'Records the deleted one pointed to, and files it held.';
COMMENT ON COLUMN crm.bin.is_link IS 'A link that was deleted with one of its ends; it comes back with it.';
COMMENT ON COLUMN crm.bin.version IS 'The version of the deletion; restored, the record goes on from there.';
CREATE INDEX bin_newest ON crm.bin (deleted_at, id);
CREATE INDEX bin_entity ON crm.bin (entity, deleted_at, id);
CREATE INDEX bin_refs ON crm.bin USING gin (refs);

-- One row: how long deleted records are kept; 0 keeps them until somebody deletes them for good.
CREATE TABLE crm.bin_setting (
    keep_days integer NOT NULL CHECK (keep_days BETWEEN 0 AND 36500)
);

INSERT INTO crm.bin_setting VALUES (90);
