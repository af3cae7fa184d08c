-- Uploads that take more than one request, and what the headers of files said.

-- An upload until it is given up, or, so that a lost answer can be asked for, a while after its file is there. target, path: the file that it becomes, in the words of the
-- protocol. size_bytes, sha256: as announced. received_bytes: how much of what lies at store_key is durable. An upload in
-- parts has a secret, of which this is the hash, and its bytes in upload_parts.
CREATE TABLE uploads ( -- clustered
    project_id BIGINT NOT NULL,
    id TEXT NOT NULL,
    user_id BIGINT,
    target TEXT NOT NULL,
    path TEXT NOT NULL,
    size_bytes BIGINT,
    sha256 BYTEA,
    store_key TEXT,
    received_bytes BIGINT NOT NULL,
    secret BYTEA,
    is_done BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX uploads_by_file ON uploads (project_id, target, path);
CREATE INDEX uploads_by_age ON uploads (updated_at);
CREATE INDEX uploads_by_store_key ON uploads (store_key);

CREATE TABLE upload_parts ( -- clustered
    project_id BIGINT NOT NULL,
    upload_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    store_key TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 BYTEA NOT NULL,
    PRIMARY KEY (project_id, upload_id, number)
);
CREATE INDEX upload_parts_by_store_key ON upload_parts (store_key);

-- What the bytes of a blob say of themselves, read as the format that a file's name promised: facts as JSON.
CREATE TABLE blob_facts ( -- clustered
    blob_id BIGINT NOT NULL,
    format TEXT NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (blob_id, format)
);

-- Whether a version is refused whose step is less than what its signature asks for.
ALTER TABLE projects ADD COLUMN refuses_wrong_steps BOOLEAN NOT NULL DEFAULT FALSE;

-- Since when the files and metadata of a version are gone; what remains says what it was, in histories.
ALTER TABLE versions ADD COLUMN purged_at BIGINT;

-- What the candidate of a version held when the version was published, as JSON.
CREATE TABLE version_records ( -- clustered
    project_id BIGINT NOT NULL,
    version_id BIGINT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (project_id, version_id)
);

-- A model's versions, the last changed first.
CREATE INDEX versions_of_model_by_updated ON versions (project_id, model_id, updated_at, number);

-- What is in the bin, oldest first.
CREATE INDEX models_in_bin ON models (project_id, deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX versions_in_bin ON versions (project_id, deleted_at, id) WHERE deleted_at IS NOT NULL AND purged_at IS NULL;
CREATE INDEX experiments_in_bin ON experiments (project_id, deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX candidates_in_bin ON candidates (project_id, deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX logged_models_in_bin ON logged_models (project_id, deleted_at, id) WHERE deleted_at IS NOT NULL;

-- What is being removed for good, slice by slice. kind: 1 a candidate, 2 a logged model, 3 a version, 4 a model, 5 an
-- experiment.
CREATE TABLE purges ( -- clustered
    project_id BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    id BIGINT NOT NULL,
    PRIMARY KEY (project_id, kind, id)
);
