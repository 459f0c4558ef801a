CREATE TABLE crm.outbox (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL,
    user_id   uuid NOT NULL,
    entity    text NOT NULL,
    record_id uuid NOT NULL,
    kind      smallint NOT NULL,
    version   bigint NOT NULL,
    fields    text[] NOT NULL,
    attempts  integer NOT NULL DEFAULT 0,
    next_at   timestamptz NOT NULL DEFAULT '-infinity',
    told      text[] NOT NULL DEFAULT '{}',
    error     text
);
COMMENT ON TABLE crm.outbox IS 'Committed changes listeners were not told of yet. A row goes once every listener has handled it.';
COMMENT ON COLUMN crm.outbox.told IS 'Listeners that have handled it, when another one has not.';
-- Only rows somebody could not be told of, which are few: writing the others costs nothing.
CREATE INDEX outbox_waiting ON crm.outbox (record_id, id) WHERE attempts > 0;
