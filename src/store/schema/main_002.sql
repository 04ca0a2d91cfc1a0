-- aibox.db, version 2: what receivers refuse, and an outbox that knows what is to be sent but not how often that was
-- tried (that is in memory: after a start everything is tried at once).

-- The event behind the cursor that its receiver refuses, and since when; 0: none.
ALTER TABLE cursor ADD COLUMN refused_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cursor ADD COLUMN refused_ms INTEGER NOT NULL DEFAULT 0;

-- Events that a receiver refused for so long that the cursor went past them. resend: somebody asked to try again.
CREATE TABLE set_aside (
    set_aside_id INTEGER PRIMARY KEY AUTOINCREMENT,
    url TEXT NOT NULL,
    seq INTEGER NOT NULL REFERENCES event (seq) ON DELETE CASCADE,
    answered INTEGER NOT NULL, -- HTTP status
    set_aside_ms INTEGER NOT NULL,
    resend INTEGER NOT NULL DEFAULT 0,
    UNIQUE (url, seq)
);
CREATE INDEX set_aside_event ON set_aside (seq);

DROP TABLE outbox;
CREATE TABLE outbox (
    outbox_id INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX outbox_lane ON outbox (lane, outbox_id);
