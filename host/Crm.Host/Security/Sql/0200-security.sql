CREATE TABLE crm.data_protection_key (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL,
    xml        text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE crm.data_protection_key IS 'Keys that seal cookies and anti-forgery tokens, shared by all hosts.';

CREATE TABLE crm.credential (
    user_id       uuid PRIMARY KEY,
    password_hash text NOT NULL,
    changed_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE crm.credential IS 'Password hashes by user; kept apart from the user records so that no query on records can reach them.';

CREATE TABLE crm.session (
    id           uuid PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('browser', 'token', 'key')),
    user_id      uuid NOT NULL,
    secret_hash  bytea UNIQUE,
    name         text,
    address      text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz
);
CREATE INDEX session_by_user ON crm.session (user_id);
CREATE INDEX session_by_expiry ON crm.session (expires_at);
COMMENT ON TABLE crm.session IS 'Who is signed in: browsers, tokens and personal API keys. A row that goes ends what it stands for.';
COMMENT ON COLUMN crm.session.secret_hash IS 'SHA-256 of the token or key; browsers have their session''s id in a sealed cookie instead.';

CREATE TABLE crm.sign_in_attempt (
    key           bytea PRIMARY KEY,
    failures      integer NOT NULL,
    last_at       timestamptz NOT NULL,
    blocked_until timestamptz,
    was_refused   boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE crm.sign_in_attempt IS 'Failed sign-ins by account and address, and by address, so that guessing is slow on all hosts together.';

-- Whoever changes a user, by whatever way, changes what the sessions of that user may do at once on every host.
CREATE FUNCTION crm.announce_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM crm.session WHERE user_id = OLD.id;
        DELETE FROM crm.credential WHERE user_id = OLD.id;
    ELSIF NEW.can_sign_in IS NOT TRUE OR NEW.is_active IS NOT TRUE THEN
        DELETE FROM crm.session WHERE user_id = OLD.id;
    END IF;
    PERFORM pg_notify('crm_security', OLD.id::text);
    RETURN NULL;
END
$$;
