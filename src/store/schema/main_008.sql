-- aibox.db, version 8: what is sealed, and with which keys.

-- The keys that seal rows, themselves sealed with the key outside of the database (wrapper: its id; 0: with none, in
-- copies for a backup only, which is encrypted as a whole). New rows get the newest.
CREATE TABLE seal_key (
    key_id INTEGER PRIMARY KEY,
    wrapper INTEGER NOT NULL,
    nonce BLOB NOT NULL,
    wrapped BLOB NOT NULL,
    created_ms INTEGER NOT NULL
);

-- As with face and event_feature: key 0 is plain. These may hold passwords.
ALTER TABLE device ADD COLUMN key_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN nonce BLOB;
ALTER TABLE document ADD COLUMN key_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE document ADD COLUMN nonce BLOB;
ALTER TABLE setting ADD COLUMN key_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE setting ADD COLUMN nonce BLOB;
