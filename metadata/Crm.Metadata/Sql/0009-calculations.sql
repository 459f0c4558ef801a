-- One batch of records whose calculated values follow from other records. First the locks, then, in a statement of its own, the values: it sees what everybody
-- wrote who had one of the records before; whoever writes those other records now waits for these and calculates them again.
CREATE FUNCTION crm.calculate_batch(records regclass, after uuid, size bigint, statement text) RETURNS TABLE (last uuid, done bigint) LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[];
BEGIN
    EXECUTE format(
        'SELECT array_agg(b.id ORDER BY b.id) FROM (SELECT r.id FROM %s AS r WHERE r.id > $1 ORDER BY r.id LIMIT $2 FOR NO KEY UPDATE) AS b', records)
        INTO ids USING coalesce(after, '00000000-0000-0000-0000-000000000000'::uuid), size;
    IF ids IS NOT NULL THEN
        EXECUTE replace(statement, '''ids''::uuid[]', '$1') USING ids;
    END IF;
    RETURN QUERY SELECT ids[cardinality(ids)], coalesce(cardinality(ids), 0)::bigint;
END
$$;
COMMENT ON FUNCTION crm.calculate_batch IS 'Gives the next records of a table their calculated values; ''ids''::uuid[] in the statement stands for the ids of the batch.';
