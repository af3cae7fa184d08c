-- Orders that are walked to the end: the start of a candidate decides between equal values, so the indexes that have an
-- order by a value have the start behind it. The start of a candidate never changes.
DROP INDEX params_by_value;
ALTER TABLE params ADD COLUMN start_time BIGINT NOT NULL DEFAULT 0;
UPDATE params SET start_time = coalesce((SELECT c.start_time FROM candidates c
    WHERE c.project_id = params.project_id AND c.id = params.candidate_id), 0);
CREATE INDEX params_by_value ON params (project_id, experiment_id, key_id, sort, start_time, candidate_id);

DROP INDEX metadata_by_value;
ALTER TABLE metadata ADD COLUMN start_time BIGINT NOT NULL DEFAULT 0;
UPDATE metadata SET start_time = coalesce((SELECT c.start_time FROM candidates c
    WHERE c.project_id = metadata.project_id AND c.id = metadata.candidate_id), 0);
CREATE INDEX metadata_by_value ON metadata (project_id, experiment_id, key_id, sort, start_time, candidate_id);

DROP INDEX metric_latest_by_value;
ALTER TABLE metric_latest ADD COLUMN start_time BIGINT NOT NULL DEFAULT 0;
UPDATE metric_latest SET start_time = coalesce((SELECT c.start_time FROM candidates c
    WHERE c.project_id = metric_latest.project_id AND c.id = metric_latest.candidate_id), 0);
CREATE INDEX metric_latest_by_value
    ON metric_latest (project_id, experiment_id, key_id, rank, value, start_time, candidate_id);

-- Orders by what every candidate has. Of texts the first 128 characters are indexed (PostgreSQL refuses index rows over
-- 2,704 bytes); a status goes by its name on the wire; what has no end yet need not be written twice.
CREATE INDEX candidates_by_name ON candidates (project_id, experiment_id, substr(name, 1, 128), start_time, id);
CREATE INDEX candidates_by_user ON candidates (project_id, experiment_id, substr(user_name, 1, 128), start_time, id);
CREATE INDEX candidates_by_end ON candidates (project_id, experiment_id, end_time, start_time, id)
    WHERE end_time IS NOT NULL;
CREATE INDEX candidates_by_status ON candidates (project_id, experiment_id,
    (CASE status WHEN 1 THEN 'RUNNING' WHEN 2 THEN 'SCHEDULED' WHEN 3 THEN 'FINISHED' WHEN 4 THEN 'FAILED'
     WHEN 5 THEN 'KILLED' END), start_time, id);
