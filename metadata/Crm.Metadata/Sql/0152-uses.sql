CREATE TABLE crm.metadata_use (
    kind   text NOT NULL,
    target text NOT NULL,
    name   text NOT NULL,
    used   text NOT NULL,
    PRIMARY KEY (kind, target, used)
);
COMMENT ON TABLE crm.metadata_use IS 'What uses entities and fields without being a definition itself: published workflows. Named by plans.';
COMMENT ON COLUMN crm.metadata_use.used IS 'An entity, or a field as entity.field.';
CREATE INDEX metadata_use_used ON crm.metadata_use (used);
