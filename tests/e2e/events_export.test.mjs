// Events for spreadsheets: every event once, filters as in the list, no cell that a spreadsheet would calculate.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Box } from './lib/box.mjs';
import { base64, people } from './lib/pictures.mjs';
import { unzip } from './lib/zip.mjs';

let box, folk;
before(async () => {
  box = await Box.start();
  folk = await people(box, 1);
  await box.post('/SophonFogSys/api/WipeData', { wipe_options: { users: true, events: true } });
  const answer = await box.post('/SophonFogSys/api/users', {
    identity_id: '=1+1',
    group_name: 'default_group',
    reg_photo: base64(folk[0].photo),
    fiqa_level: 'no',
    info: { name: '张, "三"' },
  });
  assert.equal(answer.status, 200, answer.body);
  for (let i = 0; i < 5; i++) await match(folk[0].other);
});
after(() => box.stop());

const match = (photo) =>
  box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(photo), group_name: 'default_group' });

/** Rows of a table without line ends in its cells. */
function parse(bytes) {
  const text = bytes.toString();
  assert.equal(text[0], '\uFEFF');
  const lines = text.slice(1).split(/\r?\n/).filter(Boolean);
  const rows = lines.map((line) => [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell]) => cell.replace(/^"|"$/g, '').replaceAll('""', '"')));
  return rows.slice(1).map((row) => Object.fromEntries(rows[0].map((name, i) => [name, row[i]])));
}

test('a table of all events, the oldest first', async () => {
  const answer = await box.get('/api/events/export');
  assert.equal(answer.status, 200);
  assert.match(answer.headers['content-type'], /^text\/csv/);
  assert.match(answer.headers['content-disposition'], /events-\d{8}-\d{6}\.csv/);
  const rows = parse(answer.body);
  const listed = (await box.get('/SophonFace/api/events?per_page=100')).json.data;
  assert.deepEqual(rows.map((row) => row.event_id), listed.map((event) => event._id).reverse());
  assert.equal(rows[0].identity_id, "'=1+1", 'no formula');
  assert.equal(rows[0].name, '张, "三"');
  assert.equal(rows[0].reason, 'passed');
  assert.equal(rows[0].verdict, 'known');
  assert.equal(Date.parse(rows[0].time), listed.at(-1).timestamp);
});

test('filters', async () => {
  assert.equal(parse((await box.get('/api/events/export?reason=stranger')).body).length, 0);
  assert.equal(parse((await box.get('/api/events/export?identity_id=%3D1%2B1')).body).length, 5);
  assert.equal(parse((await box.get('/api/events/export?groups=nobody&groups=default_group')).body).length, 5);
  const middle = (await box.get('/SophonFace/api/events?per_page=100')).json.data[2].timestamp / 1000;
  assert.equal(parse((await box.get(`/api/events/export?datetime_gte=${middle}`)).body).length, 3);
  const wrong = await box.get('/api/events/export?format=xls');
  assert.equal(wrong.status, 400);
  assert.match(wrong.json.error.message, /format/);
});

test('an archive with pictures', async () => {
  const answer = await box.get('/api/events/export?format=zip');
  assert.equal(answer.status, 200);
  const entries = unzip(answer.body);
  const rows = parse(entries.get('events.csv'));
  assert.equal(rows.length, 5);
  for (const row of rows) assert.ok(entries.get(row.spot_picture).length > 1000, row.spot_picture);
});
