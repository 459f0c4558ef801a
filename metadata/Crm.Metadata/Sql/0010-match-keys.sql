ALTER TABLE crm.metadata_step DROP CONSTRAINT metadata_step_kind_check;
ALTER TABLE crm.metadata_step ADD CONSTRAINT metadata_step_kind_check CHECK (kind IN ('index', 'key', 'fill', 'convert', 'keys'));
