-- aibox.db, version 7: how many bytes the pictures of events take, kept beside the other counts.

INSERT OR REPLACE INTO counter (name, value)
    SELECT 'event_picture_bytes', coalesce(sum(size), 0) FROM image WHERE kind = 1;
CREATE TRIGGER event_image_added AFTER INSERT ON image WHEN NEW.kind = 1 BEGIN
    UPDATE counter SET value = value + NEW.size WHERE name = 'event_picture_bytes';
END;
CREATE TRIGGER event_image_gone AFTER DELETE ON image WHEN OLD.kind = 1 BEGIN
    UPDATE counter SET value = value - OLD.size WHERE name = 'event_picture_bytes';
END;
