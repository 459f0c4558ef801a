-- What expressions compute, for values that change without their record being saved. The evaluator in the sdk computes the same; a test compares the two.
CREATE OR REPLACE FUNCTION crm.bound(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN abs($1) <= 1000000000000000000 THEN $1 END $$;
COMMENT ON FUNCTION crm.bound(numeric) IS 'A number, or nothing when it is greater than any number there is.';

-- The zeros give the quotient digits enough to be rounded.
CREATE OR REPLACE FUNCTION crm.divide(numeric, numeric) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT crm.bound(round(($1 + 0.00000000000000000000) / nullif($2, 0), 10)) $$;
COMMENT ON FUNCTION crm.divide(numeric, numeric) IS 'A quotient of ten digits after the point; nothing when divided by zero.';

CREATE OR REPLACE FUNCTION crm.bound(date) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN $1 BETWEEN '0001-01-01' AND '9999-12-31' THEN $1 END $$;
COMMENT ON FUNCTION crm.bound(date) IS 'A date, or nothing when its year has no four digits.';

CREATE OR REPLACE FUNCTION crm.add_days(date, numeric) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN abs($2) <= 4000000 THEN CASE WHEN abs(($1 - date '0001-01-01') + trunc($2)) <= 4000000 THEN crm.bound($1 + trunc($2)::integer) END END $$;
COMMENT ON FUNCTION crm.add_days(date, numeric) IS 'A date some days later.';

CREATE OR REPLACE FUNCTION crm.add_months(date, numeric, integer) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT CASE WHEN abs($2) <= 120000 THEN
        CASE WHEN extract(year FROM $1) * 12 + extract(month FROM $1) - 1 + trunc($2) * $3 BETWEEN 12 AND 119999
        THEN ($1 + make_interval(months => trunc($2)::integer * $3))::date END END
$$;
COMMENT ON FUNCTION crm.add_months(date, numeric, integer) IS 'A date some times so many months later; the last day of a shorter month.';
