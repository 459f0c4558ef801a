-- What quick search compares: lower case and, where the extension is there, without accents. Marked immutable so that indexes can be made of it.
DO $$
DECLARE
    home text := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'unaccent');
    body text := CASE WHEN home IS NULL THEN 'lower($1)' ELSE format('lower(%1$I.unaccent(''%1$I.unaccent''::regdictionary, $1))', home) END;
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION crm.fold(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS %L', 'SELECT ' || body);
END
$$;
COMMENT ON FUNCTION crm.fold(text) IS 'A text as quick search compares it.';

-- The escape comes after folding, because folding turns a full-width percent sign into a plain one.
CREATE OR REPLACE FUNCTION crm.fold_like(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS
$$ SELECT '%' || replace(replace(replace(crm.fold($1), '\', '\\'), '%', '\%'), '_', '\_') || '%' $$;
COMMENT ON FUNCTION crm.fold_like(text) IS 'A pattern for LIKE that finds a text anywhere in a folded one.';
