-- The whole schema, for both engines. `crates/db` rewrites the types; docs/SQL.md has the rules.
-- Every table of project data starts its keys with project_id, so that one tenant's data is one range.

-- Instance ------------------------------------------------------------------------------------------------------

CREATE TABLE settings ( -- clustered
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);

-- The next free number of a series; project 0 holds the global series.
CREATE TABLE counters ( -- clustered
    project_id BIGINT NOT NULL,
    series TEXT NOT NULL,
    next BIGINT NOT NULL,
    PRIMARY KEY (project_id, series)
);

CREATE TABLE users ( -- clustered
    id BIGINT NOT NULL,
    username TEXT NOT NULL,
    username_key TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT,
    admin BOOLEAN NOT NULL,
    blocked_at BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX users_by_username ON users (username_key);

-- Personal access tokens: only the SHA-256 of the secret is kept.
CREATE TABLE tokens ( -- clustered
    id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    hash BYTEA NOT NULL,
    scope BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX tokens_by_hash ON tokens (hash);
CREATE INDEX tokens_by_user ON tokens (user_id, id);

-- Browser sessions, by the SHA-256 of the cookie's secret.
CREATE TABLE sessions ( -- clustered
    hash BYTEA NOT NULL,
    user_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (hash)
);
CREATE INDEX sessions_by_user ON sessions (user_id);

-- One-time sign-in links, by the SHA-256 of their secret; a used one is deleted.
CREATE TABLE login_links ( -- clustered
    hash BYTEA NOT NULL,
    user_id BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (hash)
);

-- Namespaces and projects ---------------------------------------------------------------------------------------

-- A user's own space (user_id set) or a group.
CREATE TABLE namespaces ( -- clustered
    id BIGINT NOT NULL,
    user_id BIGINT,
    parent_id BIGINT,
    full_path TEXT NOT NULL,
    full_path_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX namespaces_by_path ON namespaces (full_path_key);
CREATE INDEX namespaces_by_user ON namespaces (user_id);

CREATE TABLE projects ( -- clustered
    id BIGINT NOT NULL,
    namespace_id BIGINT NOT NULL,
    path TEXT NOT NULL,
    full_path TEXT NOT NULL,
    full_path_key TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    visibility BIGINT NOT NULL,
    creator_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX projects_by_path ON projects (full_path_key);

CREATE TABLE members ( -- clustered
    project_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    role BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id, project_id);

-- Experiments and candidates ------------------------------------------------------------------------------------

-- The names of metrics, params and metadata of a project; hot tables carry the number.
CREATE TABLE keys ( -- clustered
    project_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX keys_by_name ON keys (project_id, name);

CREATE TABLE experiments ( -- clustered
    project_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    name TEXT NOT NULL,
    artifact_location TEXT,
    creator_id BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX experiments_by_name ON experiments (project_id, name) WHERE deleted_at IS NULL;
CREATE INDEX experiments_by_created ON experiments (project_id, created_at, id);

CREATE TABLE experiment_metadata ( -- clustered
    project_id BIGINT NOT NULL,
    experiment_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project_id, experiment_id, name)
);

CREATE TABLE candidates ( -- clustered
    project_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    experiment_id BIGINT NOT NULL,
    eid TEXT NOT NULL,
    name TEXT NOT NULL,
    user_name TEXT NOT NULL,
    creator_id BIGINT,
    status BIGINT NOT NULL,
    start_time BIGINT NOT NULL,
    end_time BIGINT,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX candidates_by_eid ON candidates (project_id, eid);
CREATE INDEX candidates_by_start ON candidates (project_id, experiment_id, start_time, id);

CREATE TABLE params ( -- clustered
    project_id BIGINT NOT NULL,
    candidate_id BIGINT NOT NULL,
    key_id BIGINT NOT NULL,
    experiment_id BIGINT NOT NULL,
    sort TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project_id, candidate_id, key_id)
);
CREATE INDEX params_by_value ON params (project_id, experiment_id, key_id, sort, candidate_id);

CREATE TABLE metadata ( -- clustered
    project_id BIGINT NOT NULL,
    candidate_id BIGINT NOT NULL,
    key_id BIGINT NOT NULL,
    experiment_id BIGINT NOT NULL,
    sort TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project_id, candidate_id, key_id)
);
CREATE INDEX metadata_by_value ON metadata (project_id, experiment_id, key_id, sort, candidate_id);

-- Metrics: the latest value of each key, and the points as an append-only tail that is sealed into blocks.

-- rank: 0 a number, 1 NaN (value is then NULL). minimum and maximum leave NaN out.
CREATE TABLE metric_latest ( -- clustered
    project_id BIGINT NOT NULL,
    candidate_id BIGINT NOT NULL,
    key_id BIGINT NOT NULL,
    experiment_id BIGINT NOT NULL,
    rank BIGINT NOT NULL,
    value DOUBLE PRECISION,
    step BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    minimum DOUBLE PRECISION,
    maximum DOUBLE PRECISION,
    PRIMARY KEY (project_id, candidate_id, key_id)
);
CREATE INDEX metric_latest_by_value ON metric_latest (project_id, experiment_id, key_id, rank, value, candidate_id);

CREATE TABLE metric_tail (
    id BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    candidate_id BIGINT NOT NULL,
    data BYTEA NOT NULL, -- packed
    PRIMARY KEY (project_id, candidate_id, id)
);

CREATE TABLE metric_block (
    project_id BIGINT NOT NULL,
    candidate_id BIGINT NOT NULL,
    key_id BIGINT NOT NULL,
    first_ts BIGINT NOT NULL,
    first_step BIGINT NOT NULL,
    first_bits BIGINT NOT NULL,
    last_ts BIGINT NOT NULL,
    points BIGINT NOT NULL,
    data BYTEA NOT NULL, -- packed
    PRIMARY KEY (project_id, candidate_id, key_id, first_ts, first_step, first_bits)
);

-- Datasets, inputs and outputs ----------------------------------------------------------------------------------

CREATE TABLE datasets ( -- clustered
    project_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    experiment_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    source_type TEXT NOT NULL,
    source TEXT NOT NULL,
    schema TEXT,
    profile TEXT,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX datasets_by_name ON datasets (project_id, experiment_id, name, digest);

-- context is the tag mlflow.data.context, apart because searches ask for it; tags is JSON of all of them.
CREATE TABLE candidate_datasets ( -- clustered
    project_id BIGINT NOT NULL,
    candidate_id BIGINT NOT NULL,
    dataset_id BIGINT NOT NULL,
    context TEXT,
    tags TEXT NOT NULL,
    PRIMARY KEY (project_id, candidate_id, dataset_id)
);
CREATE INDEX candidate_datasets_by_dataset ON candidate_datasets (project_id, dataset_id, candidate_id);

-- Logged models that a candidate read, by the public id as sent.
CREATE TABLE candidate_model_inputs ( -- clustered
    project_id BIGINT NOT NULL,
    candidate_id BIGINT NOT NULL,
    model_eid TEXT NOT NULL,
    PRIMARY KEY (project_id, candidate_id, model_eid)
);

CREATE TABLE candidate_model_outputs ( -- clustered
    project_id BIGINT NOT NULL,
    candidate_id BIGINT NOT NULL,
    model_eid TEXT NOT NULL,
    step BIGINT NOT NULL,
    PRIMARY KEY (project_id, candidate_id, model_eid)
);
CREATE INDEX candidate_model_outputs_by_model ON candidate_model_outputs (project_id, model_eid, candidate_id);

-- Logged models -------------------------------------------------------------------------------------------------

CREATE TABLE logged_models ( -- clustered
    project_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    eid TEXT NOT NULL,
    experiment_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    model_type TEXT NOT NULL,
    status BIGINT NOT NULL,
    source_eid TEXT,
    creator_id BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX logged_models_by_eid ON logged_models (project_id, eid);
CREATE INDEX logged_models_by_created ON logged_models (project_id, experiment_id, created_at, id);
CREATE INDEX logged_models_by_source ON logged_models (project_id, source_eid);

CREATE TABLE logged_model_params ( -- clustered
    project_id BIGINT NOT NULL,
    logged_model_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project_id, logged_model_id, name)
);

CREATE TABLE logged_model_metadata ( -- clustered
    project_id BIGINT NOT NULL,
    logged_model_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project_id, logged_model_id, name)
);

-- The latest value of a metric of a logged model, per candidate and dataset it was measured in; '' is no dataset.
CREATE TABLE logged_model_metrics ( -- clustered
    project_id BIGINT NOT NULL,
    logged_model_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    dataset_name TEXT NOT NULL,
    dataset_digest TEXT NOT NULL,
    candidate_eid TEXT NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    step BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, logged_model_id, name, dataset_name, dataset_digest, candidate_eid)
);

-- Bytes ---------------------------------------------------------------------------------------------------------

-- state: 0 live, 1 dying. store_key is random and never derived from the content. unreferenced_at: since when no
-- project refers to it, NULL while one does.
CREATE TABLE blobs ( -- clustered
    id BIGINT NOT NULL,
    sha256 BYTEA,
    size_bytes BIGINT NOT NULL,
    store_key TEXT NOT NULL,
    state BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    unreferenced_at BIGINT,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX blobs_by_store_key ON blobs (store_key);
CREATE INDEX blobs_by_digest ON blobs (sha256, size_bytes);
CREATE INDEX blobs_unreferenced ON blobs (state, unreferenced_at) WHERE unreferenced_at IS NOT NULL;

-- How often a project refers to a blob; a blob without a row here may be collected.
CREATE TABLE project_blobs ( -- clustered
    project_id BIGINT NOT NULL,
    blob_id BIGINT NOT NULL,
    files BIGINT NOT NULL,
    PRIMARY KEY (project_id, blob_id)
);
CREATE INDEX project_blobs_by_blob ON project_blobs (blob_id);

-- owner: 0 the project itself (owner_id 0), 1 a candidate, 2 a logged model.
CREATE TABLE files ( -- clustered
    project_id BIGINT NOT NULL,
    owner BIGINT NOT NULL,
    owner_id BIGINT NOT NULL,
    path TEXT NOT NULL,
    blob_id BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, owner, owner_id, path)
);
