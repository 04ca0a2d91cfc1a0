-- aibox.db, version 1. Everything but picture bytes.
--
-- Columns key_id and nonce stand beside everything biometric: 0 and NULL mean plain bytes, other keys say how the
-- bytes beside them are sealed. UUIDs are 16 bytes, times are Unix milliseconds.

-- Counts that must not cost a table scan. Kept by triggers, so that no code path can forget them.
CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counter (name, value) VALUES ('people', 0), ('faces', 0), ('events', 0), ('events_total', 0), ('probe', 0);

CREATE TABLE setting (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Settings blocks that are no single values.
CREATE TABLE document (
    name TEXT PRIMARY KEY,
    json TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE model_set (
    model_set_id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);

-- Groups (kind 0) and permission groups (kind 1). label_id is never reused and gives the order of creation;
-- number (0..1023, unique within the kind) is the bit in masks and is reused.
CREATE TABLE label (
    label_id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL CHECK (kind IN (0, 1)),
    number INTEGER NOT NULL CHECK (number BETWEEN 0 AND 1023),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    info TEXT NOT NULL,
    members INTEGER NOT NULL DEFAULT 0, -- kept by triggers on member
    UNIQUE (kind, number),
    UNIQUE (kind, id),
    UNIQUE (kind, name)
);
INSERT INTO label (label_id, kind, number, id, name, description, info) VALUES
    (1, 0, 0, 'default_group', 'default_group', '', '{}'),
    (2, 1, 0, '0', '0', '', '{}');

-- A person's own lists are in their row, in order, so that a page of people is one walk of an index:
--   groups       label_ids (uint32 little-endian), ascending
--   permissions  label_ids, as given
--   faces        48 bytes a face, oldest first: face_id 16, image_id 16 (zeros: none), norm f32, quality f32, created i64
-- member is the reverse of the first two, face holds the features of the third. One function writes all of them.
CREATE TABLE person (
    person_id INTEGER PRIMARY KEY AUTOINCREMENT,
    identity_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    type INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    groups BLOB NOT NULL,
    permissions BLOB NOT NULL,
    faces BLOB NOT NULL,
    info TEXT NOT NULL
);
CREATE INDEX person_name ON person (name, identity_id);
CREATE INDEX person_search ON person (identity_id, name, type);

-- identity_id never changes in a person's life: here it orders the members of a label.
CREATE TABLE member (
    label_id INTEGER NOT NULL REFERENCES label (label_id) ON DELETE CASCADE,
    identity_id TEXT NOT NULL,
    person_id INTEGER NOT NULL REFERENCES person (person_id) ON DELETE CASCADE,
    PRIMARY KEY (label_id, identity_id)
) WITHOUT ROWID;
CREATE INDEX member_person ON member (person_id);

CREATE TABLE face (
    face_row INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id INTEGER NOT NULL REFERENCES person (person_id) ON DELETE CASCADE,
    model_set_id INTEGER NOT NULL REFERENCES model_set (model_set_id),
    face_id BLOB NOT NULL,
    key_id INTEGER NOT NULL DEFAULT 0,
    nonce BLOB,
    feature BLOB NOT NULL -- 512 float32, little-endian
);
CREATE INDEX face_person ON face (person_id);

-- Names of pictures. The bytes are in pictures.db under their SHA-256, shared by equal pictures.
CREATE TABLE image (
    image_id BLOB PRIMARY KEY,
    sha256 BLOB NOT NULL,
    kind INTEGER NOT NULL, -- 0 photo of a person, 1 picture of an event
    size INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX image_sha256 ON image (sha256);

-- Floats that are not set are NULL. seq is the order of commit, never reused.
CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    timestamp_ms INTEGER NOT NULL,
    identity_id TEXT NOT NULL,
    identity_name TEXT NOT NULL,
    person_type INTEGER NOT NULL,
    group_name TEXT NOT NULL,
    device_id TEXT NOT NULL,
    device_ip TEXT NOT NULL,
    ep_id TEXT NOT NULL,
    device_type TEXT NOT NULL,
    reason TEXT NOT NULL,
    action TEXT NOT NULL,
    verdict INTEGER NOT NULL,
    score REAL,
    threshold REAL,
    margin REAL,
    best_identity_id TEXT NOT NULL,
    best_score REAL,
    liveness REAL,
    mask REAL,
    room TEXT NOT NULL,
    grab_fiqa_info TEXT NOT NULL,
    box_fiqa_info TEXT NOT NULL,
    supersedes TEXT NOT NULL,
    spot_id BLOB,
    face_id BLOB,
    reg_id BLOB -- names a person's photo without holding it: when the person goes, the photo goes
);
CREATE INDEX event_timestamp ON event (timestamp_ms);
CREATE INDEX event_identity ON event (identity_id, timestamp_ms);
CREATE INDEX event_ep ON event (ep_id, timestamp_ms);

CREATE TABLE event_feature (
    seq INTEGER PRIMARY KEY REFERENCES event (seq) ON DELETE CASCADE,
    model_set_id INTEGER NOT NULL REFERENCES model_set (model_set_id),
    key_id INTEGER NOT NULL DEFAULT 0,
    nonce BLOB,
    feature BLOB NOT NULL -- 512 IEEE 754 binary16, little-endian
);

-- device_key: by which the device is known, without credentials. doc: the device as a JSON object, credentials included.
-- device_row gives the order of creation.
CREATE TABLE device (
    device_row INTEGER PRIMARY KEY AUTOINCREMENT,
    device_id TEXT NOT NULL UNIQUE,
    device_key TEXT NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    doc TEXT NOT NULL
);

-- How far each history receiver has confirmed events. An inactive one no longer holds events back.
CREATE TABLE cursor (
    url TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    active INTEGER NOT NULL DEFAULT 1,
    updated_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Commands received and not yet answered, and the answers and reports that are to be sent.
CREATE TABLE inbox (
    inbox_id INTEGER PRIMARY KEY AUTOINCREMENT,
    message_key BLOB NOT NULL UNIQUE, -- SHA-256 of id and body
    received_ms INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE TABLE outbox (
    outbox_id INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    next_try_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    payload BLOB NOT NULL
);
CREATE INDEX outbox_due ON outbox (lane, next_try_ms);

CREATE TRIGGER person_added AFTER INSERT ON person BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'people';
END;
CREATE TRIGGER person_gone AFTER DELETE ON person BEGIN
    UPDATE counter SET value = value - 1 WHERE name = 'people';
END;
CREATE TRIGGER face_added AFTER INSERT ON face BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'faces';
END;
CREATE TRIGGER face_gone AFTER DELETE ON face BEGIN
    UPDATE counter SET value = value - 1 WHERE name = 'faces';
END;
CREATE TRIGGER member_added AFTER INSERT ON member BEGIN
    UPDATE label SET members = members + 1 WHERE label_id = NEW.label_id;
END;
CREATE TRIGGER member_gone AFTER DELETE ON member BEGIN
    UPDATE label SET members = members - 1 WHERE label_id = OLD.label_id;
END;
CREATE TRIGGER event_added AFTER INSERT ON event BEGIN
    UPDATE counter SET value = value + 1 WHERE name IN ('events', 'events_total');
    INSERT INTO counter (name, value) VALUES ('reason.' || NEW.reason, 1)
        ON CONFLICT (name) DO UPDATE SET value = value + 1;
END;
CREATE TRIGGER event_gone AFTER DELETE ON event BEGIN
    UPDATE counter SET value = value - 1 WHERE name = 'events';
END;
