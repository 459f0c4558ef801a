ALTER TABLE crm.module ADD COLUMN version text;
COMMENT ON COLUMN crm.module.version IS 'Version of the assembly whose definitions are in force.';

CREATE TABLE crm.upgrade_note (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version      bigint NOT NULL,
    at           timestamptz NOT NULL,
    module       text NOT NULL,
    from_version text,
    to_version   text,
    kind         text NOT NULL CHECK (kind IN ('kept', 'gone', 'records')),
    entity       text NOT NULL,
    key          text NOT NULL,
    before       jsonb,
    after        jsonb,
    yours        jsonb,
    text         text,
    decided_at   timestamptz,
    decided_by   uuid,
    decided_name text
);
COMMENT ON TABLE crm.upgrade_note IS 'What new versions of modules could not change because the customer had, and what else a person should know about them.';
COMMENT ON COLUMN crm.upgrade_note.key IS 'The property: label, fields/website/label, views/open, form.';
COMMENT ON COLUMN crm.upgrade_note.decided_at IS 'When somebody kept what they have; null while nobody did.';
CREATE INDEX upgrade_note_open ON crm.upgrade_note (module, entity, key) WHERE decided_at IS NULL;
