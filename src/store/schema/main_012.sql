-- aibox.db, version 12: refused calls in the audit log.

-- How many calls were refused; 0: the entry tells of a change. Refused ones have a limit of their own, so that they
-- push out no changes.
ALTER TABLE audit ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
CREATE INDEX audit_refused ON audit (audit_id) WHERE refused > 0;
