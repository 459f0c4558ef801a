-- Whether a word is spelt similarly to one of a text, and how similarly, where the extension is there. Not strict and not immutable, so that they are inlined and an index answers.
DO $$
DECLARE
    home text := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm');
BEGIN
    EXECUTE format('CREATE FUNCTION crm.is_similar(word text, body text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS %L',
        CASE WHEN home IS NULL THEN 'SELECT false' ELSE format('SELECT $1 OPERATOR(%I.<%%) $2', home) END);
    EXECUTE format('CREATE FUNCTION crm.search_fit(word text, body text) RETURNS real LANGUAGE sql STABLE PARALLEL SAFE AS %L',
        CASE WHEN home IS NULL THEN 'SELECT 0::real' ELSE format('SELECT %I.word_similarity($1, $2)', home) END);
END
$$;
COMMENT ON FUNCTION crm.is_similar(text, text) IS 'Whether a folded text holds a word like a folded word; pg_trgm.word_similarity_threshold says how like.';
COMMENT ON FUNCTION crm.search_fit(text, text) IS 'How like a word of a folded text is to a folded word, from 0 to 1.';
