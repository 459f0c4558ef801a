-- Records shared with users (their id), teams (their id) or everybody (the id of nobody).
CREATE TABLE crm.record_share (
    record_id uuid NOT NULL,
    principal_id uuid NOT NULL,
    entity text NOT NULL,
    level smallint NOT NULL CHECK (level BETWEEN 1 AND 3),
    at timestamptz NOT NULL,
    user_id uuid NOT NULL,
    PRIMARY KEY (record_id, principal_id)
);

CREATE INDEX record_share_principal ON crm.record_share (principal_id);

-- Records of entities everybody sees that only their owners and those they are shared with may see.
CREATE TABLE crm.record_restriction (
    record_id uuid PRIMARY KEY,
    entity text NOT NULL,
    at timestamptz NOT NULL,
    user_id uuid NOT NULL
);

-- Entities that have any of them: the statements of all others ask nothing of these tables.
CREATE TABLE crm.access_mark (
    entity text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('share', 'restriction')),
    PRIMARY KEY (entity, kind)
);
