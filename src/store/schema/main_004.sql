-- aibox.db, version 4: who may call the box, and who changed what.

CREATE TABLE account (
    name TEXT PRIMARY KEY,
    role INTEGER NOT NULL,
    password TEXT NOT NULL, -- Argon2id with salt and parameters, in libsodium's text form
    created_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Secrets that stand for somebody: sessions (kind 0) of an account, API keys (kind 1) with a name and a role of their
-- own. Only the hash of a secret is here.
CREATE TABLE credential (
    hash BLOB PRIMARY KEY,
    kind INTEGER NOT NULL CHECK (kind IN (0, 1)),
    name TEXT NOT NULL,
    role INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL, -- 0: never
    used_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- The newest entries; older ones go when new ones come. People are in `what` as hashes under the key beside.
CREATE TABLE audit (
    audit_id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    role TEXT NOT NULL,
    address TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    what TEXT NOT NULL,
    status INTEGER NOT NULL
);

-- One row at most. A wipe of people takes it away: then nobody can tell any more whom the hashes mean.
CREATE TABLE audit_key (
    key BLOB NOT NULL
);
