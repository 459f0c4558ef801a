ALTER TABLE crm.metadata_step DROP CONSTRAINT metadata_step_kind_check;
ALTER TABLE crm.metadata_step ADD CONSTRAINT metadata_step_kind_check CHECK (kind IN ('index', 'key', 'fill', 'convert'));
ALTER TABLE crm.metadata_step ADD COLUMN plan jsonb;
COMMENT ON COLUMN crm.metadata_step.plan IS 'Of work that prepares a change: what is applied when it is done, and for whom.';
-- Work that was left open by an earlier version says itself how many records a batch has; from now on whoever runs it does.
UPDATE crm.metadata_step SET sql = replace(sql, 'LIMIT 1000 FOR', 'LIMIT $2 FOR') WHERE kind = 'fill' AND state <> 'done';
