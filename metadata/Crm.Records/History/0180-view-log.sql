CREATE TABLE crm.record_view (
    record_id uuid NOT NULL,
    hour      timestamptz NOT NULL,
    user_id   uuid NOT NULL,
    user_name text NOT NULL,
    first_at  timestamptz NOT NULL,
    last_at   timestamptz NOT NULL,
    times     integer NOT NULL DEFAULT 1,
    PRIMARY KEY (record_id, hour, user_id)
);
COMMENT ON TABLE crm.record_view IS 'Who looked at a record of an entity that keeps this: one row per user and hour, so that opening a record again and again does not fill the disk.';
