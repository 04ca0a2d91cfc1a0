-- aibox.db, version 9: a face may have features of several model sets, and still counts once.

DROP TRIGGER face_added;
DROP TRIGGER face_gone;
CREATE TRIGGER face_added AFTER INSERT ON face
    WHEN NOT EXISTS (SELECT 1 FROM face f WHERE f.person_id = NEW.person_id AND f.face_id = NEW.face_id
        AND f.face_row <> NEW.face_row) BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'faces';
END;
CREATE TRIGGER face_gone AFTER DELETE ON face
    WHEN NOT EXISTS (SELECT 1 FROM face f WHERE f.person_id = OLD.person_id AND f.face_id = OLD.face_id) BEGIN
    UPDATE counter SET value = value - 1 WHERE name = 'faces';
END;
