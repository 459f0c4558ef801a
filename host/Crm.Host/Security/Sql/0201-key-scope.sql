ALTER TABLE crm.session ADD COLUMN scope jsonb;
COMMENT ON COLUMN crm.session.scope IS 'The allow-list of entities and fields that narrows a personal API key; null for one that may do all that its user may.';
