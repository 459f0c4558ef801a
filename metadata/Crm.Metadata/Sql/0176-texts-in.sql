-- The texts in a list of objects, without what they are for, so that all addresses of a record are found by one condition that an index can answer.
CREATE FUNCTION crm.texts_in(list jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS
$$ SELECT string_agg(part.value, E'\n' ORDER BY item.place, part.key) FROM jsonb_array_elements(list) WITH ORDINALITY AS item(value, place), jsonb_each_text(item.value - 'kind') AS part $$;
COMMENT ON FUNCTION crm.texts_in(jsonb) IS 'The texts of a list of objects, one in each line; their kinds are left out.';
