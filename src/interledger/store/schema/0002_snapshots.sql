-- More than one snapshot: the newest, from which a start reads the journal, and the oldest, which is the opening balance
-- of the journal that is still kept.
CREATE TABLE snapshots (
    seq INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    chain INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    state BLOB NOT NULL
) STRICT;

INSERT INTO snapshots SELECT seq, at_ms, chain, crc, state FROM snapshot;

DROP TABLE snapshot;

ALTER TABLE snapshots RENAME TO snapshot;
