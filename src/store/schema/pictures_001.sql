-- pictures.db, version 1: picture bytes by SHA-256. What names them is table image of aibox.db.
CREATE TABLE picture (
    picture_id INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 BLOB NOT NULL UNIQUE,
    key_id INTEGER NOT NULL DEFAULT 0, -- 0: plain
    nonce BLOB,
    bytes BLOB NOT NULL
);
