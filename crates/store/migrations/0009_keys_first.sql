-- PostgreSQL only
--
-- A search looks up thousands of rows by candidate and key, in the order of the candidates. SQLite finds the row itself
-- where it finds the key. Here each row was in a page of its own, and so was its entry of the index, since the keys of one
-- candidate stood together. With the key first, the entries that one search looks up are near each other; with what is
-- ordered by beside them, the rows are not read at all. All that a candidate has is found by an index of its own, which
-- names each candidate once, however many keys it has.
ALTER TABLE metric_latest DROP CONSTRAINT metric_latest_pkey,
    ADD PRIMARY KEY (project_id, key_id, candidate_id) INCLUDE (rank, value, start_time);
CREATE INDEX metric_latest_by_candidate ON metric_latest (project_id, candidate_id);

ALTER TABLE params DROP CONSTRAINT params_pkey,
    ADD PRIMARY KEY (project_id, key_id, candidate_id) INCLUDE (sort, start_time);
CREATE INDEX params_by_candidate ON params (project_id, candidate_id);

ALTER TABLE metadata DROP CONSTRAINT metadata_pkey,
    ADD PRIMARY KEY (project_id, key_id, candidate_id) INCLUDE (sort, start_time);
CREATE INDEX metadata_by_candidate ON metadata (project_id, candidate_id);

-- The same of what a search asks of candidates themselves.
ALTER TABLE candidates DROP CONSTRAINT candidates_pkey,
    ADD PRIMARY KEY (project_id, id) INCLUDE (status, start_time, end_time, deleted_at);
