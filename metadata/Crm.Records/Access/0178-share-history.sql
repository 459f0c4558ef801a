-- With whom records were shared, one row per change of a record's sharing. Rows go with the record when it is deleted for good.
CREATE TABLE crm.share_history (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    record_id  uuid NOT NULL,
    at         timestamptz NOT NULL,
    user_id    uuid NOT NULL,
    user_name  text NOT NULL,
    restricted boolean,
    shares     jsonb NOT NULL
);
COMMENT ON TABLE crm.share_history IS 'Who shared a record with whom, restricted or opened it. Not in crm.history: the record itself did not change, its version stays and nobody listens.';
COMMENT ON COLUMN crm.share_history.restricted IS 'Whether it was restricted or opened; null when it stayed as it was.';
COMMENT ON COLUMN crm.share_history.shares IS 'List of {with, isTeam, name, before, after}: id and name of the user or team (the id of nobody is everybody), and its level before and after, null for none.';
CREATE INDEX share_history_record ON crm.share_history (record_id, id);
