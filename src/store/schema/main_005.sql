-- aibox.db, version 5: what the console asks for.

-- How many events there were in each quarter of an hour, by what came of them: the events' reasons, and 'alarm'. Kept
-- beside the events, which may be gone sooner, and which would take long to count. An event that takes the place of an
-- earlier one takes it here, too.
CREATE TABLE tally (
    quarter INTEGER NOT NULL, -- since 1970, of 900,000 ms
    kind TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (quarter, kind)
) WITHOUT ROWID;
INSERT INTO tally (quarter, kind, count)
    SELECT timestamp_ms / 900000, reason, count(*) FROM event GROUP BY 1, 2;
INSERT INTO tally (quarter, kind, count)
    SELECT timestamp_ms / 900000, 'alarm', count(*) FROM event WHERE action = 'alarm' GROUP BY 1;
CREATE TRIGGER event_tallied AFTER INSERT ON event BEGIN
    INSERT INTO tally (quarter, kind, count) VALUES (NEW.timestamp_ms / 900000, NEW.reason, 1)
        ON CONFLICT (quarter, kind) DO UPDATE SET count = count + 1;
    INSERT INTO tally (quarter, kind, count) SELECT NEW.timestamp_ms / 900000, 'alarm', 1 WHERE NEW.action = 'alarm'
        ON CONFLICT (quarter, kind) DO UPDATE SET count = count + 1;
    UPDATE tally SET count = count - 1
        WHERE (quarter, kind) = (SELECT timestamp_ms / 900000, reason FROM event WHERE event_id = NEW.supersedes);
END;

-- Who holds which card: info.ext_info.visit_card_number as text; '' for none.
ALTER TABLE person ADD COLUMN card TEXT NOT NULL DEFAULT '';
UPDATE person SET card = coalesce(CAST(json_extract(info, '$.ext_info.visit_card_number') AS TEXT), '')
    WHERE json_valid(info);
CREATE INDEX person_card ON person (card) WHERE card <> '';
