-- What the customer made before things had ids gets one made of its names, so that installations that exchanged packages before know the same things by the same ids.
CREATE FUNCTION pg_temp.stable_id(name text) RETURNS text LANGUAGE sql AS
$$ SELECT overlay(overlay(left(encode(sha256(convert_to(name, 'UTF8')), 'hex'), 32) PLACING '8' FROM 13) PLACING '8' FROM 17)::uuid::text $$;

UPDATE crm.definition AS d
SET body = body
    || CASE WHEN body->'owner' = 'true' AND NOT body ? 'id' THEN jsonb_build_object('id', pg_temp.stable_id('custom/' || d.name)) ELSE '{}' END
    || CASE WHEN jsonb_typeof(body->'fields') = 'array' THEN jsonb_build_object('fields', (
        SELECT coalesce(jsonb_agg(
            CASE WHEN f.field ? 'type' AND NOT f.field ? 'id' THEN f.field || jsonb_build_object('id', pg_temp.stable_id('custom/' || d.name || '/' || (f.field->>'name'))) ELSE f.field END
            ORDER BY f.place), '[]')
        FROM jsonb_array_elements(body->'fields') WITH ORDINALITY AS f (field, place))) ELSE '{}' END
WHERE layer = 'custom' AND kind = 'entity';

DROP FUNCTION pg_temp.stable_id(text);
