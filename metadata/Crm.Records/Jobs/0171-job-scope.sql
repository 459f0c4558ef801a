ALTER TABLE crm.job ADD COLUMN scope jsonb;
COMMENT ON COLUMN crm.job.scope IS 'What narrows whoever the job is done for, as when it was asked for by an API key that may not do everything.';
