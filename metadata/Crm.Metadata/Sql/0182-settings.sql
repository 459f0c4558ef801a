ALTER TABLE crm.definition DROP CONSTRAINT definition_kind_check;
ALTER TABLE crm.definition ADD CONSTRAINT definition_kind_check CHECK (kind IN ('entity', 'area', 'settings'));
COMMENT ON TABLE crm.definition IS 'What each layer says about each entity and area: the product (platform), every module by its id, the customer (custom); and what the customer says about the whole installation (settings).';
