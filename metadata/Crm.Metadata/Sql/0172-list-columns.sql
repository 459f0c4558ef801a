CREATE TABLE crm.list_columns (
    user_id uuid NOT NULL,
    entity  text NOT NULL,
    view    text NOT NULL,
    columns text[] NOT NULL,
    PRIMARY KEY (user_id, entity, view)
);
COMMENT ON TABLE crm.list_columns IS 'The columns a user wants to see of a view, in their order, where they differ from its own.';
