-- Grows with every change of what decides who may do what: users with their roles and managers, and teams. Whoever reads compares it in the same statement,
-- so that what was taken from somebody is gone with their next query, on every host.
CREATE TABLE crm.access_version (
    version bigint NOT NULL
);

INSERT INTO crm.access_version VALUES (1);
