-- PostgreSQL only
--
-- What searches look up for thousands of candidates stands together: the rows of a key, in the order of the candidates,
-- so that one look-up finds its page where the last one was. What a candidate logged is read by an index of its own.
ALTER TABLE metric_latest DROP CONSTRAINT metric_latest_pkey,
    ADD PRIMARY KEY (project_id, key_id, candidate_id) INCLUDE (rank, value, start_time);
CREATE INDEX metric_latest_of_candidate ON metric_latest (project_id, candidate_id);

ALTER TABLE params DROP CONSTRAINT params_pkey,
    ADD PRIMARY KEY (project_id, key_id, candidate_id) INCLUDE (sort, start_time);
CREATE INDEX params_of_candidate ON params (project_id, candidate_id);

ALTER TABLE metadata DROP CONSTRAINT metadata_pkey,
    ADD PRIMARY KEY (project_id, key_id, candidate_id) INCLUDE (sort, start_time);
CREATE INDEX metadata_of_candidate ON metadata (project_id, candidate_id);

-- The row of a candidate is not read for what it is ordered by either. A name may be too long to stand beside a key, and
-- an expression cannot: what has the order of names and users becomes columns.
DROP INDEX candidates_by_name;
DROP INDEX candidates_by_user;
ALTER TABLE candidates DROP CONSTRAINT candidates_pkey,
    ADD COLUMN name_start TEXT NOT NULL GENERATED ALWAYS AS (substr(name, 1, 128)) STORED,
    ADD COLUMN user_start TEXT NOT NULL GENERATED ALWAYS AS (substr(user_name, 1, 128)) STORED,
    ADD PRIMARY KEY (project_id, id) INCLUDE (status, name_start, user_start, start_time, end_time, deleted_at);
CREATE INDEX candidates_by_name ON candidates (project_id, experiment_id, name_start, start_time, id);
CREATE INDEX candidates_by_user ON candidates (project_id, experiment_id, user_start, start_time, id);
