CREATE TABLE crm.entity_rename (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version      bigint NOT NULL,
    from_name    text NOT NULL,
    from_set     text NOT NULL,
    to_name      text NOT NULL,
    entity       text NOT NULL,
    last_history bigint NOT NULL
);
COMMENT ON TABLE crm.entity_rename IS 'Entities that got another name, so that links by an old one are led to the new one, and what the history of records says of the old one is understood.';
COMMENT ON COLUMN crm.entity_rename.from_set IS 'What the set was called in the API.';
COMMENT ON COLUMN crm.entity_rename.entity IS 'The name the entity has now; empty when it is gone.';
COMMENT ON COLUMN crm.entity_rename.last_history IS 'Entries of crm.history up to this id were written under the old name.';

CREATE FUNCTION crm.entity_now(name text, entry bigint) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce((SELECT r.entity FROM crm.entity_rename AS r WHERE r.from_name = $1 AND r.last_history >= $2 ORDER BY r.last_history, r.id LIMIT 1), $1) $$;
COMMENT ON FUNCTION crm.entity_now(text, bigint) IS 'The name that an entity has now which an entry of crm.history calls by the name it had then.';
