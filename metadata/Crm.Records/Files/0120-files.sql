-- Contents of files that records hold. A content never changes: another file is another row.
CREATE TABLE crm.file (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    content_type text NOT NULL,
    size bigint NOT NULL,
    content bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by uuid NOT NULL,
    is_used boolean NOT NULL DEFAULT false
);

-- Files are compressed already, most of them: trying again costs time on every write and read.
ALTER TABLE crm.file ALTER COLUMN content SET STORAGE EXTERNAL;

-- Uploads nobody saved with a record.
CREATE INDEX file_unused ON crm.file (created_at) WHERE NOT is_used;
