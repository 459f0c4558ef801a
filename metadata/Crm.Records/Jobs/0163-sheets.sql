ALTER TABLE crm.job_file ADD COLUMN sheets text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN crm.job_file.sheets IS 'Names of the sheets of a workbook, in their order; empty for a text.';
