-- The model registry: models, their versions, and the aliases that point at versions. In `files`, owner 3 is a version.

-- experiment_id: the model's default experiment; a prompt has none. made_experiment: whether that one was made with
-- the model, and goes to the bin with it, or was there before. last_number: the last sequence number given out.
CREATE TABLE models ( -- clustered
    project_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    is_prompt BOOLEAN NOT NULL,
    experiment_id BIGINT,
    made_experiment BOOLEAN NOT NULL,
    last_number BIGINT NOT NULL,
    creator_id BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX models_by_name ON models (project_id, name) WHERE deleted_at IS NULL;
CREATE INDEX models_by_experiment ON models (project_id, experiment_id);

CREATE TABLE model_metadata ( -- clustered
    project_id BIGINT NOT NULL,
    model_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project_id, model_id, name)
);

-- version: the semantic version. precedence: bytes that sort as SemVer does. source: as it was sent. location: where
-- the files of a copy are outside of this server, else NULL. run_eid: the run that clients are told; candidate_id: the
-- candidate of this project that it names, if there is one. A version is a draft until published_at is set. A yanked one
-- is found only by who names it exactly; warning: why it is deprecated or yanked.
-- draft_dir: the directory among the candidate's artifacts that holds the files of a draft, NULL for all of them.
CREATE TABLE versions ( -- clustered
    project_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    model_id BIGINT NOT NULL,
    number BIGINT NOT NULL,
    version TEXT NOT NULL,
    precedence BYTEA NOT NULL,
    is_prerelease BOOLEAN NOT NULL,
    stage TEXT NOT NULL,
    description TEXT NOT NULL,
    source TEXT NOT NULL,
    location TEXT,
    run_eid TEXT,
    candidate_id BIGINT,
    draft_dir TEXT,
    run_link TEXT NOT NULL,
    logged_model_eid TEXT,
    creator_id BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    published_at BIGINT,
    deprecated_at BIGINT,
    yanked_at BIGINT,
    warning TEXT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX versions_by_number ON versions (project_id, model_id, number);
CREATE UNIQUE INDEX versions_by_version ON versions (project_id, model_id, version) WHERE deleted_at IS NULL;
CREATE INDEX versions_by_precedence ON versions (project_id, model_id, precedence, number);
CREATE INDEX versions_by_stage ON versions (project_id, model_id, stage, precedence, number);
CREATE INDEX versions_by_updated ON versions (project_id, updated_at, id);
CREATE INDEX versions_by_run ON versions (project_id, run_eid);
CREATE INDEX versions_by_logged_model ON versions (project_id, logged_model_eid);
CREATE INDEX versions_by_candidate ON versions (project_id, candidate_id);

CREATE TABLE version_metadata ( -- clustered
    project_id BIGINT NOT NULL,
    version_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project_id, version_id, name)
);

-- Semantic versions that were published once: none is given to other bytes, even after a deletion.
CREATE TABLE published_versions ( -- clustered
    project_id BIGINT NOT NULL,
    model_id BIGINT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (project_id, model_id, version)
);

CREATE TABLE aliases ( -- clustered
    project_id BIGINT NOT NULL,
    model_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    version_id BIGINT NOT NULL,
    PRIMARY KEY (project_id, model_id, name)
);
CREATE INDEX aliases_by_version ON aliases (project_id, version_id);

-- Where each alias pointed over time. NULL: nowhere.
CREATE TABLE alias_moves ( -- clustered
    project_id BIGINT NOT NULL,
    model_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    id BIGINT NOT NULL,
    from_version_id BIGINT,
    to_version_id BIGINT,
    user_id BIGINT,
    moved_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (project_id, model_id, name, id)
);

-- Aliases that only those may move who may move protected ones; whether or not they point anywhere.
CREATE TABLE protected_aliases ( -- clustered
    project_id BIGINT NOT NULL,
    model_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (project_id, model_id, name)
);
