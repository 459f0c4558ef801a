ALTER TABLE crm.metadata_step ADD COLUMN tables text[];
ALTER TABLE crm.metadata_step ADD COLUMN part integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN crm.metadata_step.tables IS 'Of work that prepares a change: every table it prepares, in the order in which it does; entity is the first.';
COMMENT ON COLUMN crm.metadata_step.part IS 'How many of the tables are filled.';
COMMENT ON COLUMN crm.metadata_step.name IS 'What is made: the index, the constraint, the field or the column. Of work that prepares a change: the columns, each with its table.';
UPDATE crm.metadata_step SET tables = ARRAY[entity], name = entity || '.' || replace(name, ',', ',' || entity || '.') WHERE kind = 'convert';
