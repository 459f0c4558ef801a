ALTER TABLE crm.history ADD COLUMN cause_entity text, ADD COLUMN cause_id uuid;
COMMENT ON COLUMN crm.history.cause_id IS 'The record whose save changed calculated fields of this one, which nobody saved; its version stays.';

ALTER TABLE crm.outbox ADD COLUMN cause_entity text, ADD COLUMN cause_id uuid;
COMMENT ON COLUMN crm.outbox.cause_id IS 'As in crm.history.';

ALTER TABLE crm.webhook_delivery ADD COLUMN cause_entity text, ADD COLUMN cause_id uuid;
COMMENT ON COLUMN crm.webhook_delivery.cause_id IS 'As in crm.history.';
