-- Records that were made one: what is needed to take that back, besides the history and the recycle bin.
CREATE TABLE crm.merge (
    id uuid PRIMARY KEY,
    entity text NOT NULL,
    survivor uuid NOT NULL,
    others uuid[] NOT NULL,
    version bigint NOT NULL,
    at timestamptz NOT NULL,
    user_id uuid NOT NULL,
    user_name text NOT NULL,
    moved_entity text[] NOT NULL,
    moved_record uuid[] NOT NULL,
    moved_field text[] NOT NULL,
    moved_from uuid[] NOT NULL,
    undone_at timestamptz
);
COMMENT ON COLUMN crm.merge.version IS 'The version of the survivor after the merge.';
COMMENT ON COLUMN crm.merge.moved_field IS 'The field of the moved record that pointed to one of the others; empty for a link that was made.';
CREATE INDEX merge_survivor ON crm.merge (survivor);
