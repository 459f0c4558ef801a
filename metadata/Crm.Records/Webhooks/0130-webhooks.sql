CREATE TABLE crm.webhook (
    id              uuid PRIMARY KEY,
    name            text NOT NULL,
    url             text NOT NULL,
    secret          text NOT NULL,
    entities        text[] NOT NULL,
    kinds           smallint[] NOT NULL,
    is_active       boolean NOT NULL DEFAULT true,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by      uuid NOT NULL,
    created_by_name text NOT NULL
);
COMMENT ON TABLE crm.webhook IS 'Addresses that are told of changes of records.';
COMMENT ON COLUMN crm.webhook.secret IS 'Signs what is sent; sealed by the host.';
COMMENT ON COLUMN crm.webhook.entities IS 'Whose records; empty for all entities.';
COMMENT ON COLUMN crm.webhook.kinds IS '0 create, 1 update, 2 delete.';

CREATE TABLE crm.webhook_delivery (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    webhook      uuid NOT NULL REFERENCES crm.webhook ON DELETE CASCADE,
    event_id     bigint NOT NULL,
    at           timestamptz NOT NULL,
    user_id      uuid NOT NULL,
    entity       text NOT NULL,
    record_id    uuid NOT NULL,
    kind         smallint NOT NULL,
    version      bigint NOT NULL,
    fields       text[] NOT NULL,
    payload      text,
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts     integer NOT NULL DEFAULT 0,
    next_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    leased_until timestamptz,
    status       integer,
    answer       text,
    finished_at  timestamptz,
    UNIQUE (webhook, event_id)
);
COMMENT ON TABLE crm.webhook_delivery IS 'What was, is or will be sent to a webhook: one row for each event, kept for thirty days after it ended.';
COMMENT ON COLUMN crm.webhook_delivery.payload IS 'Made when it is first sent, and the same each time after.';
COMMENT ON COLUMN crm.webhook_delivery.answer IS 'Beginning of what the receiver answered, or why nothing was sent.';
CREATE INDEX webhook_delivery_open ON crm.webhook_delivery (webhook, record_id, event_id) WHERE state = 'waiting';
