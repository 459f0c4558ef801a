CREATE UNLOGGED TABLE crm.presence (
    page       uuid PRIMARY KEY,
    record_id  uuid NOT NULL,
    user_id    uuid NOT NULL,
    is_editing boolean NOT NULL,
    seen_at    timestamptz NOT NULL
);
COMMENT ON TABLE crm.presence IS 'Who has which record open, one row per page; the host of the page renews it. Worth nothing after a crash.';
CREATE INDEX presence_record ON crm.presence (record_id);
