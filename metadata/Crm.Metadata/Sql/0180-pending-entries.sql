-- Indexes made earlier get what new ones are made with: no list of pending entries, which the one writer who fills it has to empty while the others wait.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT i.oid::regclass AS name
        FROM pg_class i
        JOIN pg_namespace n ON n.oid = i.relnamespace AND n.nspname = 'records'
        JOIN pg_am a ON a.oid = i.relam AND a.amname = 'gin'
        WHERE i.relkind = 'i'
    LOOP
        EXECUTE format('ALTER INDEX %s SET (fastupdate = off)', found.name);
    END LOOP;
END
$$;
