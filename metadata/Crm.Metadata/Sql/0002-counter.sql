CREATE TABLE IF NOT EXISTS crm.counter (
    entity text NOT NULL,
    field  text NOT NULL,
    next   bigint NOT NULL,
    PRIMARY KEY (entity, field)
);
COMMENT ON TABLE crm.counter IS 'The next number of each auto-number field. A row is locked from taking a number to the end of the transaction, so that no number is lost.';
