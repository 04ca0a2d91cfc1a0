-- aibox.db, version 11: strangers who are remembered (store/strangers.h).

-- A face that nobody enrolled has, under a number that says nothing else of it. When the row goes, what ties its events
-- together goes with it.
CREATE TABLE stranger (
    stranger_id INTEGER PRIMARY KEY AUTOINCREMENT,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    visits INTEGER NOT NULL,
    face_seq INTEGER NOT NULL, -- the event that the face is of; retention may have taken it
    model_set_id INTEGER NOT NULL REFERENCES model_set (model_set_id),
    key_id INTEGER NOT NULL DEFAULT 0,
    nonce BLOB,
    feature BLOB NOT NULL -- 512 IEEE 754 binary16, little-endian
);
CREATE INDEX stranger_last ON stranger (last_ms);
CREATE INDEX stranger_face ON stranger (face_seq);

CREATE TABLE stranger_event (
    seq INTEGER PRIMARY KEY REFERENCES event (seq) ON DELETE CASCADE,
    stranger_id INTEGER NOT NULL REFERENCES stranger (stranger_id) ON DELETE CASCADE,
    visit INTEGER NOT NULL,    -- first, second, third of that stranger
    opens INTEGER NOT NULL,    -- the visit begins with this event
    first_ms INTEGER NOT NULL  -- when the stranger was first seen
);
CREATE INDEX stranger_event_stranger ON stranger_event (stranger_id, seq);
CREATE INDEX stranger_event_back ON stranger_event (seq) WHERE visit > 1;

INSERT OR REPLACE INTO counter (name, value) VALUES ('strangers', 0);
CREATE TRIGGER stranger_added AFTER INSERT ON stranger BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'strangers';
END;
CREATE TRIGGER stranger_gone AFTER DELETE ON stranger BEGIN
    UPDATE counter SET value = value - 1 WHERE name = 'strangers';
END;
