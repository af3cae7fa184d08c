-- PostgreSQL only
--
-- A search looks up thousands of rows by their primary key, each in a page of its own. SQLite finds the row itself where it
-- finds the key; here, with what is ordered by beside the key, no row is read. The key stays the candidate and the name, so
-- that no plan can take it for a range of all candidates.
ALTER TABLE metric_latest DROP CONSTRAINT metric_latest_pkey,
    ADD PRIMARY KEY (project_id, candidate_id, key_id) INCLUDE (rank, value, start_time);

ALTER TABLE params DROP CONSTRAINT params_pkey,
    ADD PRIMARY KEY (project_id, candidate_id, key_id) INCLUDE (sort, start_time);

ALTER TABLE metadata DROP CONSTRAINT metadata_pkey,
    ADD PRIMARY KEY (project_id, candidate_id, key_id) INCLUDE (sort, start_time);

ALTER TABLE candidates DROP CONSTRAINT candidates_pkey,
    ADD PRIMARY KEY (project_id, id) INCLUDE (status, start_time, end_time, deleted_at);
