-- The same tables as in SQLite, in the schema that comes first in the search path. No money is ever added up in SQL.

-- Whose this is. One row. `form`: the number of the last of these files that was applied; `mark`: tells this database,
-- and its copies, from any other; `epoch`: how often a node has taken it, so that who had it before cannot write.
CREATE TABLE ilp_node (
    id integer PRIMARY KEY CHECK (id = 1),
    form integer NOT NULL,
    mark text NOT NULL,
    epoch bigint NOT NULL,
    taken_at timestamptz NOT NULL
);

INSERT INTO ilp_node VALUES (1, 1, gen_random_uuid()::text, 0, now());

-- One row per commit, the records of its whole batch in one string. `chain` is the CRC-32 of this row and of the chain
-- before it, so a changed, missing or exchanged row is found.
CREATE TABLE journal (
    seq bigint PRIMARY KEY,
    at_ms bigint NOT NULL,
    chain bigint NOT NULL,
    records bytea NOT NULL
);

-- Hashes and counters do not get smaller by being compressed; trying would cost more than the rest of a commit.
ALTER TABLE journal ALTER COLUMN records SET STORAGE EXTERNAL;

-- The ledger after commit `seq`.
CREATE TABLE snapshot (
    seq bigint PRIMARY KEY,
    at_ms bigint NOT NULL,
    chain bigint NOT NULL,
    crc bigint NOT NULL,
    state bytea NOT NULL
);

-- Accounts, routes, rates, payments and facts of the node: JSON, each with the version of its form.
CREATE TABLE document (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    key text NOT NULL,
    at_ms bigint NOT NULL,
    crc bigint NOT NULL,
    body text NOT NULL,
    UNIQUE (kind, key)
);

CREATE INDEX document_by_age ON document (kind, id);

-- Room for the outcomes of packets in flight when the disk of the server is full: emptied then.
CREATE TABLE reserve (filler bytea NOT NULL);

ALTER TABLE reserve ALTER COLUMN filler SET STORAGE EXTERNAL;
