CREATE TABLE crm.history (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL,
    user_id   uuid NOT NULL,
    user_name text NOT NULL,
    entity    text NOT NULL,
    record_id uuid NOT NULL,
    kind      smallint NOT NULL,
    version   bigint NOT NULL,
    source    text NOT NULL,
    causation uuid NOT NULL,
    changes   jsonb NOT NULL
);
COMMENT ON TABLE crm.history IS 'Every write of every record: who, when, from where, and each field from what to what. kind: 0 create, 1 update, 2 delete.';
COMMENT ON COLUMN crm.history.causation IS 'The same for all writes that one save set off.';
COMMENT ON COLUMN crm.history.changes IS 'Field name to [before, after]; a value of several columns is a list.';
CREATE INDEX history_record ON crm.history (record_id, version);
