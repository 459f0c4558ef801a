CREATE SCHEMA IF NOT EXISTS records;

-- Quick search and substring filters use trigrams. Without the right to create an extension everything works, only slower on big tables.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['pg_trgm', 'unaccent', 'btree_gin'] LOOP
        BEGIN
            EXECUTE format('CREATE EXTENSION IF NOT EXISTS %I', wanted);
        EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR invalid_schema_name THEN
            RAISE WARNING 'The extension % could not be created (%). Ask the administrator of the database server to create it.', wanted, SQLERRM;
        END;
    END LOOP;
END
$$;

CREATE TABLE crm.metadata_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version  bigint NOT NULL
);
COMMENT ON TABLE crm.metadata_version IS 'One row: the version of all definitions, raised by every applied change.';
INSERT INTO crm.metadata_version (version) VALUES (0);

CREATE TABLE crm.module (
    id         text PRIMARY KEY,
    name       text NOT NULL,
    depends_on text[] NOT NULL DEFAULT '{}',
    is_enabled boolean NOT NULL DEFAULT true,
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE crm.module IS 'Modules that were ever seen, and whether they are switched on.';

CREATE TABLE crm.definition (
    layer text NOT NULL,
    kind  text NOT NULL CHECK (kind IN ('entity', 'area')),
    name  text NOT NULL,
    body  jsonb NOT NULL,
    PRIMARY KEY (layer, kind, name)
);
COMMENT ON TABLE crm.definition IS 'What each layer says about each entity and area: the product (platform), every module by its id, the customer (custom).';

CREATE TABLE crm.plan (
    id           uuid PRIMARY KEY,
    base_version bigint NOT NULL,
    changes      jsonb NOT NULL,
    statements   text NOT NULL,
    created_at   timestamptz NOT NULL,
    created_by   uuid NOT NULL
);
COMMENT ON TABLE crm.plan IS 'Planned changes of definitions, so that any host can apply what another one showed.';

CREATE TABLE crm.metadata_history (
    version   bigint PRIMARY KEY,
    at        timestamptz NOT NULL,
    user_id   uuid NOT NULL,
    user_name text NOT NULL,
    changes   jsonb NOT NULL,
    steps     jsonb NOT NULL
);
COMMENT ON TABLE crm.metadata_history IS 'Who changed the definitions, when, and what was done.';
