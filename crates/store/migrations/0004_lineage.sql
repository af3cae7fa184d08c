-- What lineage needs besides the rows that say it already: ways back, and who fetched files of versions.

-- address: where the data comes from, NULL where its source names no place.
ALTER TABLE datasets ADD COLUMN address TEXT;
ALTER TABLE datasets ADD COLUMN address_sort TEXT;
CREATE INDEX datasets_by_address ON datasets (project_id, address_sort, id) WHERE address_sort IS NOT NULL;

CREATE INDEX candidate_model_inputs_by_model ON candidate_model_inputs (project_id, model_eid, candidate_id);

-- source_owner, source_owner_id: whose files a version was made from, as `files` has owners. external_source: its
-- source where that is nothing of this project.
ALTER TABLE versions ADD COLUMN source_owner BIGINT;
ALTER TABLE versions ADD COLUMN source_owner_id BIGINT;
ALTER TABLE versions ADD COLUMN external_source TEXT;
ALTER TABLE versions ADD COLUMN external_source_sort TEXT;
CREATE INDEX versions_by_source ON versions (project_id, source_owner, source_owner_id) WHERE source_owner IS NOT NULL;
CREATE INDEX versions_by_external_source ON versions (project_id, external_source_sort, id)
    WHERE external_source_sort IS NOT NULL;

-- What the card of a model names as its base, as it stands there.
CREATE TABLE model_bases ( -- clustered
    project_id BIGINT NOT NULL,
    model_id BIGINT NOT NULL,
    base TEXT NOT NULL,
    PRIMARY KEY (project_id, model_id, base)
);
CREATE INDEX model_bases_by_base ON model_bases (project_id, base, model_id);

-- Who fetched files of a version, through which door. user_id 0: nobody known; token_id 0: without a token.
CREATE TABLE pulls ( -- clustered
    project_id BIGINT NOT NULL,
    version_id BIGINT NOT NULL,
    token_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    door BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    files BIGINT NOT NULL,
    PRIMARY KEY (project_id, version_id, token_id, user_id, door)
);
CREATE INDEX pulls_by_puller ON pulls (project_id, token_id, user_id, version_id, door);
