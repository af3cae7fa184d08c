-- The versions of one model in the bin, page by page: those of its project are in `versions_in_bin`.
CREATE INDEX versions_of_model_in_bin ON versions (project_id, model_id, deleted_at, number)
    WHERE deleted_at IS NOT NULL AND purged_at IS NULL;
