-- Which candidates came after what a search knows already (store/stamps.rs). stamp: what the transaction was given that
-- made the candidate, or that took metadata from it last; 0: that was before there were stamps.
ALTER TABLE candidates ADD COLUMN stamp BIGINT NOT NULL DEFAULT 0;
CREATE INDEX candidates_by_stamp ON candidates (project_id, experiment_id, stamp);
