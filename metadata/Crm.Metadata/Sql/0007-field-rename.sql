CREATE TABLE crm.field_rename (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version      bigint NOT NULL,
    entity       text NOT NULL,
    from_name    text NOT NULL,
    to_name      text NOT NULL,
    last_history bigint NOT NULL
);
COMMENT ON TABLE crm.field_rename IS 'Fields that got another name, so that what the history of a record says of the old one is found under the new one.';
COMMENT ON COLUMN crm.field_rename.last_history IS 'Entries of crm.history up to this id were written under the old name.';
CREATE INDEX field_rename_entity ON crm.field_rename (entity);
