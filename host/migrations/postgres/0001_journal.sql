-- The journal, as in `migrations/sqlite`, which explains every table and column. What differs is only how this database
-- says it: numbers are bigint, bytes are bytea, and names sort by their bytes wherever the server stands.

-- What happened, in the order in which it became true, and what it means in money.
CREATE TABLE fact (
    seq     bigint PRIMARY KEY CHECK (seq > 0),
    at      bigint NOT NULL,
    subject bytea,
    kind    bigint NOT NULL,
    payload bytea  NOT NULL,
    entries text,
    hash    bytea  NOT NULL
);

CREATE INDEX fact_of_subject ON fact (subject) WHERE subject IS NOT NULL;

-- The legs, a row each.
CREATE VIEW entry (seq, leg, account, amount, code, previous) AS
SELECT seq, place - 1, leg ->> 0, (leg ->> 1)::bigint, leg ->> 2, (leg ->> 3)::bigint
FROM fact CROSS JOIN LATERAL json_array_elements(fact.entries::json) WITH ORDINALITY AS legs (leg, place);

-- The sum of every account's entries, and where its statement begins. Rows change in place, so pages keep room for that.
CREATE TABLE balance (
    account text   COLLATE "C" PRIMARY KEY,
    amount  bigint NOT NULL,
    newest  bigint NOT NULL
) WITH (fillfactor = 50);

-- What is still to be done about a fact.
CREATE TABLE duty (
    subject  bytea  NOT NULL,
    step     bigint NOT NULL,
    kind     bigint NOT NULL,
    due      bigint NOT NULL,
    attempts bigint NOT NULL,
    payload  bytea  NOT NULL,
    PRIMARY KEY (subject, step)
) WITH (fillfactor = 70);

-- Who the person is, sealed with a key of that lead's own.
CREATE TABLE contact (
    subject bytea PRIMARY KEY,
    sealed  bytea NOT NULL,
    until   bigint
);

CREATE INDEX contact_until ON contact (until) WHERE until IS NOT NULL;

-- The key of each sealed lead, wrapped by the master key. Leave this table's data out of dumps
-- (`pg_dump --exclude-table-data=contact_key`).
CREATE TABLE contact_key (
    subject bytea PRIMARY KEY,
    wrapped bytea NOT NULL
);

-- By which leads a person is found: keyed prints of phones and e-mails.
CREATE TABLE person (
    print   bytea  NOT NULL,
    subject bytea  NOT NULL,
    until   bigint NOT NULL,
    PRIMARY KEY (print, subject)
);

CREATE INDEX person_subject ON person (subject);
CREATE INDEX person_until ON person (until);

-- Keys of the exchange itself, wrapped by the master key.
CREATE TABLE secret (
    name    text PRIMARY KEY,
    wrapped bytea NOT NULL
);

-- Wasm components by the SHA-256 of their bytes.
CREATE TABLE module (
    digest bytea PRIMARY KEY,
    wasm   bytea NOT NULL
);

-- The newest fact, and who may add the next: see `migrations/sqlite`.
CREATE TABLE head (
    "only" bigint PRIMARY KEY CHECK ("only" = 1),
    seq    bigint NOT NULL,
    hash   bytea  NOT NULL,
    epoch  bigint NOT NULL
) WITH (fillfactor = 10);

INSERT INTO head ("only", seq, hash, epoch) VALUES (1, 0, decode(repeat('00', 32), 'hex'), 0);

-- A slip of the hand at a database prompt is refused. Whoever means it can drop these; the chain still tells.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never changed or deleted', TG_TABLE_NAME;
END
$$;

CREATE TRIGGER fact_stays BEFORE DELETE OR TRUNCATE ON fact FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER fact_holds BEFORE UPDATE ON fact FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
