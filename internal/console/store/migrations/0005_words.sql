-- Shared part: a device's reason in both languages. What was stored before is
-- taken from the stored bytes.
ALTER TABLE devices ADD COLUMN words_vi TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN words_en TEXT NOT NULL DEFAULT '';
ALTER TABLE device_changes ADD COLUMN words_vi TEXT NOT NULL DEFAULT '';
ALTER TABLE device_changes ADD COLUMN words_en TEXT NOT NULL DEFAULT '';

UPDATE devices SET
  words_vi = coalesce((SELECT CAST(e.payload AS TEXT) ->> '$.data.words.vi' FROM events e
    WHERE e.chain = devices.chain AND e.sequence = devices.sequence AND e.type = 'vn.gatehouse.device.v1'), ''),
  words_en = coalesce((SELECT CAST(e.payload AS TEXT) ->> '$.data.words.en' FROM events e
    WHERE e.chain = devices.chain AND e.sequence = devices.sequence AND e.type = 'vn.gatehouse.device.v1'), '');
UPDATE device_changes SET
  words_vi = coalesce((SELECT CAST(e.payload AS TEXT) ->> '$.data.words.vi' FROM events e
    WHERE e.chain = device_changes.chain AND e.sequence = device_changes.sequence), ''),
  words_en = coalesce((SELECT CAST(e.payload AS TEXT) ->> '$.data.words.en' FROM events e
    WHERE e.chain = device_changes.chain AND e.sequence = device_changes.sequence), '');
