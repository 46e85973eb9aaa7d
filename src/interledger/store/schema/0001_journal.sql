-- The journal: one row per commit, the records of its whole batch in one string. `chain` is the CRC-32 of this row and
-- of the chain before it, so a changed, missing or exchanged row is found. The last records of a row are the posted
-- counters of every account that it changed. Nothing is ever added up in SQL.
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    chain INTEGER NOT NULL,
    records BLOB NOT NULL
) STRICT;

-- Which file beside this database is its commit log (`store/commit_log.py`): the commits that are not in `journal` yet.
CREATE TABLE commit_log (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    mark BLOB NOT NULL
) STRICT;

INSERT INTO commit_log VALUES (1, randomblob(16));

-- The ledger after commit `seq`. One row; the journal is read from there.
CREATE TABLE snapshot (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    chain INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    state BLOB NOT NULL
) STRICT;

-- Accounts, routes, rates, payments and facts of the node: JSON, each with the version of its form.
CREATE TABLE document (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (kind, key)
) STRICT;

CREATE INDEX document_by_age ON document (kind, id);
