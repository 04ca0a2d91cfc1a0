// A history receiver that is away for so long that ten times the events kept have come meanwhile.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';

import { Box, temporaryFolder } from './lib/box.mjs';
import { people } from './lib/pictures.mjs';
import { enrolAll, Receiver, show } from './lib/receiver.mjs';

const keep = 100;
const data = temporaryFolder();
after(async () => {
  await Receiver.stopAll();
  rmSync(data, { recursive: true, force: true });
});

/** Copies the newest event of a box that is stopped, `n` times: as many more days without a receiver. */
function copyNewestEvent(n) {
  const db = path.join(data, 'aibox.db');
  const sql = (text) => execFileSync('sqlite3', [db], { input: text, encoding: 'utf8' });
  const columns = sql('SELECT group_concat(name) FROM pragma_table_info(\'event\') WHERE name NOT IN (\'seq\', \'event_id\');').trim();
  sql(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${n})
    INSERT INTO event (event_id, ${columns})
    SELECT substr(event_id, 1, 16) || printf('%010d', i), ${columns} FROM event, n WHERE seq = (SELECT max(seq) FROM event)
    ORDER BY i;`);
}

test('events are held back tenfold; what goes then is counted, and logged once', async () => {
  const receiver = await Receiver.start();
  const { port, url } = receiver;
  await receiver.stop(); // from here on it is away
  let box = await Box.start({ data, settings: { 'events.keep': keep } });
  const [person] = await people(box, 1);
  await enrolAll(box, [person]);
  const set = await box.post('/SophonFogSys/api/HistoryEventUrl', {
    history_upload_event_url: [url],
    'content-type': 'json',
    reported_peroid: 1,
  });
  assert.equal(set.status, 200, set.body);
  await show(box, person.other);
  await box.stop();
  const copies = 10 * keep - 11;
  copyNewestEvent(copies);

  box = await Box.start({ data, settings: { 'events.keep': keep } });
  const lost = async () => (await box.get('/api/reports')).json.data.events_lost;
  const made = [];
  for (let i = 0; i < 10; i++) made.push((await show(box, person.other)).event_id);
  assert.equal(await lost(), 0);
  for (let i = 0; i < 8; i++) made.push((await show(box, person.other)).event_id);
  assert.equal(await lost(), 8);
  assert.match(String((await box.get('/metrics')).body), /^aibox_events_lost_total 8$/m);
  const said = () => box.stderr.match(/events are dropped that a history receiver has not confirmed/g)?.length ?? 0;
  assert.equal(said(), 1);
  const waiting = (await box.get('/api/reports')).json.data.history[0];
  assert.equal(waiting.waiting, 10 * keep);
  assert.equal(waiting.down, true);

  const back = await Receiver.start({ port });
  await back.until(({ requests }) => requests.length >= 10 * keep, 'what was held back', 60000);
  const ids = back.eventIds();
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(ids.length, 10 * keep);
  assert.deepEqual(ids.slice(-made.length), made);
  assert.equal(await lost(), 8);
  assert.equal(said(), 1);
  // Delivered: ten times as many need not be kept any more.
  let kept = 10 * keep;
  for (const late = Date.now() + 70000; kept > keep && Date.now() < late; ) {
    await show(box, person.other);
    kept = (await box.get('/SophonFace/api/events?per_page=1')).json.pagination.total_count;
  }
  assert.ok(kept <= keep + 1, `${kept} events`);
  await box.stop();
});
