ALTER TABLE crm.metadata_history
    ADD COLUMN comment text,
    ADD COLUMN definitions jsonb;
COMMENT ON COLUMN crm.metadata_history.comment IS 'Why, in the words of who applied it.';
COMMENT ON COLUMN crm.metadata_history.definitions IS 'Rows of crm.definition before and after the change, so that it can be shown, compared and reverted exactly; null for versions applied before this was recorded.';
