ALTER TABLE crm.outbox ADD COLUMN causation uuid;
COMMENT ON COLUMN crm.outbox.causation IS 'The same for all writes that one save, or one run of a workflow, set off.';
