-- aibox.db, version 3: the platform's commands, and how they were answered.

-- Commands that wait or are being executed, in the order in which they came.
DROP TABLE inbox;
CREATE TABLE inbox (
    inbox_id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue INTEGER NOT NULL,   -- enum store_inbox_queue
    message_id TEXT NOT NULL, -- '': it came without one
    command_key BLOB NOT NULL,
    received_ms INTEGER NOT NULL,
    size INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX inbox_queue ON inbox (queue, inbox_id, size, received_ms);
CREATE INDEX inbox_key ON inbox (command_key);
CREATE INDEX inbox_message ON inbox (message_id);

-- What a command that is being executed has done so far, e.g. person by person. Gone with the command.
CREATE TABLE inbox_progress (
    inbox_id INTEGER NOT NULL REFERENCES inbox (inbox_id) ON DELETE CASCADE,
    part TEXT NOT NULL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (inbox_id, part)
) WITHOUT ROWID;

-- Commands that were executed: fingerprints of the command and of its message id, and the result, sealed so that only
-- the same command can open it (see store/answered.h). lane '': there was no result to send.
CREATE TABLE answered (
    answered_id INTEGER PRIMARY KEY AUTOINCREMENT,
    command_print BLOB NOT NULL,
    message_print BLOB, -- NULL: without message id
    answered_ms INTEGER NOT NULL,
    lane TEXT NOT NULL,
    nonce BLOB,
    sealed BLOB -- NULL: none, or its key was destroyed
);
CREATE INDEX answered_command ON answered (command_print);
CREATE INDEX answered_message ON answered (message_print);

-- Random keys of the box.
CREATE TABLE secret (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

-- Commands that could not be executed, for whoever looks for the reason.
CREATE TABLE dead_command (
    dead_id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ms INTEGER NOT NULL,
    method TEXT NOT NULL,
    message_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    excerpt TEXT NOT NULL
);
