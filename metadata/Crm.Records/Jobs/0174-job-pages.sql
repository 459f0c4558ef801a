-- The page of all jobs, newest first.
CREATE INDEX job_newest ON crm.job (created_at, id);
