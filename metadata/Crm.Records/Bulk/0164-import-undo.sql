ALTER TABLE crm.bulk_row ADD COLUMN entity text;
COMMENT ON COLUMN crm.bulk_row.entity IS 'Entity of a record that an import made for a name nobody knew; null for the entity of the job.';
COMMENT ON TABLE crm.bulk_row IS 'The records of a bulk change, as they were when it was started; the records of an import, as it found and left them.';
