-- The journal: one row per commit, the records of its whole batch in one string. `chain` is the CRC-32 of this row and
-- of the chain before it, so a changed, missing or exchanged row is found.
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    chain INTEGER NOT NULL,
    records BLOB NOT NULL
) STRICT;

-- Posted balances, as of commit `seq`. Decimal text: SQLite has no integer of more than 63 bits, and nothing here is
-- ever added up in SQL. What is pending follows from the journal.
CREATE TABLE balance (
    account INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    asset_code TEXT NOT NULL,
    asset_scale INTEGER NOT NULL,
    debits_posted TEXT NOT NULL,
    credits_posted TEXT NOT NULL,
    seq INTEGER NOT NULL
) STRICT;

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

-- A commit is one statement: an INSERT into this view. Python's sqlite3 gives up the interpreter lock around every step
-- of every statement and has to wait for it again afterwards, up to 5 ms each while the packet path is busy. A
-- transaction of 22 statements took 205 ms beside a busy thread, this one statement 11 ms.
CREATE VIEW new_commit AS
    SELECT seq, at_ms, chain, records, NULL AS balances, NULL AS prune_to FROM journal;

CREATE TRIGGER write_commit INSTEAD OF INSERT ON new_commit
BEGIN
    INSERT INTO journal VALUES (NEW.seq, NEW.at_ms, NEW.chain, NEW.records);
    INSERT INTO balance
        SELECT
            json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
            json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'), NEW.seq
        FROM json_each(NEW.balances)
        WHERE true
        ON CONFLICT (account) DO UPDATE SET
            debits_posted = excluded.debits_posted, credits_posted = excluded.credits_posted, seq = excluded.seq;
    DELETE FROM journal WHERE seq <= NEW.prune_to;
END;
