CREATE TABLE crm.saved_view (
    id          uuid PRIMARY KEY,
    entity      text NOT NULL,
    name        text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    is_shared   boolean NOT NULL,
    owner       uuid NOT NULL,
    query       jsonb NOT NULL,
    modified_at timestamptz NOT NULL
);
COMMENT ON TABLE crm.saved_view IS 'Lists that users saved: a query under a name.';
COMMENT ON COLUMN crm.saved_view.is_shared IS 'Whether everybody sees it; otherwise only its owner does.';
COMMENT ON COLUMN crm.saved_view.query IS 'Columns, filter and order, in the words of the API.';

-- A name is told apart by everybody who sees it.
CREATE UNIQUE INDEX saved_view_name ON crm.saved_view (entity, (CASE WHEN is_shared THEN NULL ELSE owner END), lower(name)) NULLS NOT DISTINCT;

CREATE TABLE crm.default_view (
    user_id uuid NOT NULL,
    entity  text NOT NULL,
    view    text NOT NULL,
    PRIMARY KEY (user_id, entity)
);
COMMENT ON TABLE crm.default_view IS 'The view a user wants to see first.';
