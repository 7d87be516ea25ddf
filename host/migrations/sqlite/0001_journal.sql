-- The journal: everything that happened, what each happening meant in money, and what is still to be done about it.
--
-- One task writes, in transactions that hold a fact together with all that it implies. So a sale, its money and the
-- duty to tell somebody exist together or not at all. Facts and entries are only ever added: a mistake is put right by
-- another fact. Times are milliseconds since 1970-01-01 UTC, amounts are millionths of the exchange's one currency, and
-- subjects are 16-byte handles of pings, big-endian, so that they sort by time and tables keyed by them grow at the end.

-- What happened, in the order in which it became true, and what it means in money: double entry, whose legs sum to
-- zero. The legs lie in the row of their fact, because one row is less to write and to read than four.
CREATE TABLE fact (
    seq     INTEGER PRIMARY KEY CHECK (seq > 0), -- 1, 2, 3 and so on: a gap is damage
    at      INTEGER NOT NULL,
    subject BLOB,                -- the ping it is about; NULL for facts about the exchange itself
    kind    INTEGER NOT NULL,    -- what sort of fact it is, hence how to read the payload
    payload BLOB    NOT NULL,    -- never holds contact data
    entries TEXT,                -- [account, amount, code, previous] of each leg, as JSON; NULL if there is none
    hash    BLOB    NOT NULL     -- SHA-256 over this fact, its entries and the hash before: a chain
) STRICT;

CREATE INDEX fact_of_subject ON fact (subject) WHERE subject IS NOT NULL;

-- The legs, a row each.
CREATE VIEW entry (
    seq,
    leg,                         -- 0, 1, 2 within the fact
    account,                     -- such as buyer:acme:prepaid
    amount,                      -- above zero is a debit, below zero a credit
    code,                        -- why: sale, deposit, return
    previous                     -- the fact with the account's leg before this one, 0 if there is none
) AS
SELECT seq, leg.key, leg.value ->> 0, leg.value ->> 1, leg.value ->> 2, leg.value ->> 3
FROM fact CROSS JOIN json_each(fact.entries) AS leg;

-- The sum of every account's entries, kept in the transaction that adds them, and where its statement begins: from
-- `newest` back along `previous`. An index by account would find the same, but rewrites a page for every account in
-- every transaction.
CREATE TABLE balance (
    account TEXT    PRIMARY KEY,
    amount  INTEGER NOT NULL,
    newest  INTEGER NOT NULL     -- the newest fact that moved it
) STRICT, WITHOUT ROWID;

-- What is still to be done about a fact: a delivery, a postback, an expiry. The row goes when the duty is done.
CREATE TABLE duty (
    subject  BLOB    NOT NULL,
    step     INTEGER NOT NULL,   -- tells the duties of one subject apart
    kind     INTEGER NOT NULL,
    due      INTEGER NOT NULL,   -- not to be tried before
    attempts INTEGER NOT NULL,   -- how often it was tried
    payload  BLOB    NOT NULL,
    PRIMARY KEY (subject, step)
) STRICT, WITHOUT ROWID;

-- Who the person is, sealed with a key of that lead's own. Apart from the facts, so that a person can be forgotten and
-- the chain still holds.
CREATE TABLE contact (
    subject BLOB PRIMARY KEY,
    sealed  BLOB NOT NULL,
    until   INTEGER              -- when it is forgotten; NULL while a delivery may need it
) STRICT;

CREATE INDEX contact_until ON contact (until) WHERE until IS NOT NULL;

-- The key of each sealed lead, wrapped by the master key. Backups leave this table out: what they hold of a person,
-- nobody can open.
CREATE TABLE contact_key (
    subject BLOB PRIMARY KEY,
    wrapped BLOB NOT NULL
) STRICT;

-- By which leads a person is found: keyed prints of phones and e-mails.
CREATE TABLE person (
    print   BLOB    NOT NULL,
    subject BLOB    NOT NULL,
    until   INTEGER NOT NULL,    -- when the print is forgotten
    PRIMARY KEY (print, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX person_subject ON person (subject);
CREATE INDEX person_until ON person (until);

-- Keys of the exchange itself, wrapped by the master key.
CREATE TABLE secret (
    name    TEXT PRIMARY KEY,
    wrapped BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Wasm components by the SHA-256 of their bytes.
CREATE TABLE module (
    digest BLOB PRIMARY KEY,
    wasm   BLOB NOT NULL
) STRICT;

-- The newest fact, kept in the transaction that adds it: without it, facts cut off the end would not be missed. And the
-- right to add the next: every start counts `epoch` up, and a process writes only while it is still its own. One that was
-- left for dead and comes back finds another number and changes nothing.
CREATE TABLE head (
    only  INTEGER PRIMARY KEY CHECK (only = 1),
    seq   INTEGER NOT NULL,
    hash  BLOB    NOT NULL,
    epoch INTEGER NOT NULL
) STRICT;

INSERT INTO head (only, seq, hash, epoch) VALUES (1, 0, zeroblob(32), 0);

-- A slip of the hand at a database prompt is refused. Whoever means it can drop these; the chain still tells.
CREATE TRIGGER fact_stays BEFORE DELETE ON fact BEGIN SELECT RAISE(ABORT, 'facts are never deleted'); END;
CREATE TRIGGER fact_holds BEFORE UPDATE ON fact BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
