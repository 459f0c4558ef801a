-- Runs about one record go on in the order they fell due in.
CREATE INDEX workflow_due_of_record ON crm.workflow_instance (record_id, due_at, event_id) WHERE due_at IS NOT NULL;
