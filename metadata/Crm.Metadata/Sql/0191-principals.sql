-- Whoever a record may belong to: each user, and each team from the first record on that is given to it. What belongs to somebody keeps them from being deleted.
CREATE TABLE crm.principal (
    id uuid CONSTRAINT principal_p PRIMARY KEY
);

CREATE FUNCTION crm.keep_principal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM crm.principal WHERE id = OLD.id;
        RETURN NULL;
    ELSIF TG_TABLE_NAME = 'user' THEN
        IF EXISTS (SELECT FROM records.team WHERE id = NEW.id) THEN
            RAISE unique_violation USING MESSAGE = 'A team has the id of this user.', CONSTRAINT = 'principal_p', SCHEMA = 'crm', TABLE = 'principal';
        END IF;
        INSERT INTO crm.principal (id) VALUES (NEW.id);
    ELSIF EXISTS (SELECT FROM crm.principal WHERE id = NEW.id) THEN
        RAISE unique_violation USING MESSAGE = 'A user has the id of this team.', CONSTRAINT = 'principal_p', SCHEMA = 'crm', TABLE = 'principal';
    END IF;
    RETURN NEW;
END
$$;

-- Where there are users already, the records keep their owners, who are principals now.
DO $$
DECLARE
    owned record;
BEGIN
    IF to_regclass('records."user"') IS NULL THEN
        RETURN;
    END IF;

    LOCK TABLE records."user", records.team IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO crm.principal (id) SELECT id FROM records."user";
    CREATE TRIGGER crm_principal_comes BEFORE INSERT ON records."user" FOR EACH ROW EXECUTE FUNCTION crm.keep_principal();
    CREATE TRIGGER crm_principal_goes AFTER DELETE ON records."user" FOR EACH ROW EXECUTE FUNCTION crm.keep_principal();
    CREATE TRIGGER crm_principal_comes BEFORE INSERT ON records.team FOR EACH ROW EXECUTE FUNCTION crm.keep_principal();
    CREATE TRIGGER crm_principal_goes AFTER DELETE ON records.team FOR EACH ROW EXECUTE FUNCTION crm.keep_principal();
    FOR owned IN
        SELECT t.relname AS entity, k.conname AS name, a.attname AS field
        FROM pg_constraint AS k
        JOIN pg_class AS t ON t.oid = k.conrelid AND t.relnamespace = 'records'::regnamespace
        JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
        WHERE k.contype = 'f' AND k.confrelid = 'records."user"'::regclass
          AND (a.attname = 'owner' OR EXISTS (
                SELECT FROM crm.definition AS d, jsonb_array_elements(d.body -> 'fields') AS f(field)
                WHERE d.kind = 'entity' AND d.name = t.relname AND f.field ->> 'name' = a.attname AND f.field ->> 'type' = 'owner'))
        ORDER BY 1, 2
    LOOP
        EXECUTE format(
            'ALTER TABLE records.%I DROP CONSTRAINT %I, ADD CONSTRAINT %I FOREIGN KEY (%I) REFERENCES crm.principal (id) ON DELETE RESTRICT',
            owned.entity, owned.name, owned.name, owned.field);
    END LOOP;
END
$$;
