-- aibox.db, version 6: pairs of a face and a person of whom an operator said that they don't belong together.

-- The face is that of an event, which may be gone since (retention); whoever deletes the event deletes this, too.
CREATE TABLE rejection (
    rejection_id INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id INTEGER NOT NULL REFERENCES person (person_id) ON DELETE CASCADE,
    event_seq INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    model_set_id INTEGER NOT NULL REFERENCES model_set (model_set_id),
    key_id INTEGER NOT NULL DEFAULT 0,
    nonce BLOB,
    feature BLOB NOT NULL, -- 512 IEEE 754 binary16, little-endian
    UNIQUE (person_id, event_seq)
);
CREATE INDEX rejection_event ON rejection (event_seq);
