CREATE TABLE crm.import_template (
    id          uuid PRIMARY KEY,
    entity      text NOT NULL,
    name        text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    is_shared   boolean NOT NULL,
    owner       uuid NOT NULL,
    version     bigint NOT NULL,
    content     jsonb NOT NULL,
    modified_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE crm.import_template IS 'What becomes what in an import, kept under a name for the next file of its kind.';
COMMENT ON COLUMN crm.import_template.is_shared IS 'Whether everybody who may import into the entity is offered it; otherwise only its owner is.';
COMMENT ON COLUMN crm.import_template.version IS 'Version of the definitions whose names of fields the content is written in: it is read through the renames since.';

-- A name is told apart by everybody who sees it.
CREATE UNIQUE INDEX import_template_name ON crm.import_template (entity, (CASE WHEN is_shared THEN NULL ELSE owner END), lower(name)) NULLS NOT DISTINCT;
