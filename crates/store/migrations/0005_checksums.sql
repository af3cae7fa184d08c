-- The CRC-32 of every 512 KiB of a blob, four bytes each: what is read of it is verified by them. A table of its own, since
-- few rows of a list need them, and those of a large blob have many bytes.
CREATE TABLE blob_checksums ( -- clustered
    blob_id BIGINT NOT NULL,
    checksums BYTEA NOT NULL,
    PRIMARY KEY (blob_id)
);
