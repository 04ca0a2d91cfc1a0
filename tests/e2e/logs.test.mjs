// The log over the wire: filters, paging backwards, the text file, who may read it, and what never stands in it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { keyOf, setUp, setupToken } from './lib/access.mjs';
import { Box } from './lib/box.mjs';

let box;
before(async () => {
  box = await Box.start({ settings: { 'log.level': 'debug' } });
});
after(() => box.stop());

/** A line is kept a moment before it reaches the terminal. */
async function terminalHas(n, filter = () => true) {
  for (let i = 0; box.stderr.trim().split('\n').filter(filter).length < n; i++) {
    assert.ok(i < 500, 'the lines on the terminal');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
const logs = async (query = '') => {
  const answer = await box.get(`/api/logs${query}`);
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json.data;
};
/** {time, level, room, text} of a line as it stands in the log. */
function parsed(line) {
  const [, time, level, room, text] = /^(\S+Z) (\w+) (\S+) (.*)$/.exec(line);
  return { time: Date.parse(time), level, room, text };
}
/** Has the box write at least `n` lines: one for each key that is made. */
async function write(n) {
  for (let i = 0; i < n; i++) {
    assert.equal((await box.post('/api/keys', { name: `probe ${i}`, role: 'viewer' })).status, 200);
    assert.equal((await box.delete('/api/keys', { name: `probe ${i}` })).status, 200);
  }
}

test('what stands on the terminal stands there, newest first', async () => {
  await write(5);
  const { lines, total_count, rooms, oldest } = await logs('?limit=2000');
  await terminalHas(lines.length);
  const written = box.stderr.trim().split('\n').map(parsed);
  const kept = lines.map(({ id, ...line }) => line).reverse();
  assert.deepEqual(kept, written.slice(0, kept.length));
  assert.equal(total_count, lines.length);
  assert.equal(oldest, lines.at(-1).id);
  assert.deepEqual(rooms, [...new Set(kept.map(({ room }) => room))].sort());
  lines.slice(1).forEach(({ id }, i) => assert.equal(id, lines[i].id - 1));
});

test('filters', async () => {
  const { lines } = await logs('?limit=2000');
  const same = async (query, allowed) => {
    const to = `to=${lines[0].time}`; // what is written meanwhile stays out
    const found = (await logs(`?limit=2000&${to}&${query}`)).lines;
    assert.deepEqual(found.map(({ id }) => id), lines.filter(allowed).map(({ id }) => id), query);
    return found.length;
  };
  assert.ok((await same('room=access', ({ room }) => room === 'access')) >= 5);
  assert.ok((await same('text=KEY%20MADE', ({ text }) => text.includes('key made'))) >= 5);
  assert.equal(await same('text=no%20such%20text%20anywhere', () => false), 0);
  await same('level=info', ({ level }) => level !== 'debug');
  await same('level=error', ({ level }) => level === 'error');
  const middle = lines[Math.floor(lines.length / 2)].time;
  await same(`from=${middle}`, ({ time }) => time >= middle);
  assert.deepEqual((await logs(`?to=${lines.at(-1).time - 1}`)).lines, []);
  assert.equal(await same('room=&text=', () => true), lines.length);
});

test('pages backwards', async () => {
  const all = (await logs('?limit=2000&room=access')).lines;
  const seen = [];
  for (let before = ''; ; ) {
    const { lines, total_count } = await logs(`?room=access&limit=2${before}`);
    assert.ok(total_count >= all.length);
    if (lines.length === 0) break;
    seen.push(...lines);
    before = `&before=${lines.at(-1).id}`;
  }
  assert.deepEqual(seen, all);
});

test('a text file, oldest first', async () => {
  const answer = await box.get('/api/logs/download?room=access');
  assert.equal(answer.status, 200);
  assert.match(answer.headers['content-type'], /^text\/plain/);
  assert.match(answer.headers['content-disposition'], /attachment; filename="aibox-log-.*\.txt"/);
  const lines = answer.body.toString().trimEnd().split('\n');
  const ofRoom = (line) => line.split(' ')[2] === 'access';
  await terminalHas(lines.length, ofRoom);
  assert.deepEqual(lines, box.stderr.split('\n').filter(ofRoom));
  const nothing = await box.get('/api/logs/download?text=no%20such%20text%20anywhere');
  assert.deepEqual([nothing.status, nothing.body.length], [200, 0]);
});

test('wrong arguments are named', async () => {
  for (const [query, field] of [
    ['level=loud', 'level'],
    ['limit=0', 'limit'],
    ['limit=2001', 'limit'],
    ['before=0', 'before'],
    ['from=-1', 'from'],
    [`room=${'x'.repeat(16)}`, 'room'],
    [`text=${'x'.repeat(257)}`, 'text'],
  ]) {
    const { status, json } = await box.get(`/api/logs?${query}`);
    assert.equal(status, 400, query);
    assert.equal(json.error.code, 40091);
    assert.ok(json.error.message.includes(field), json.error.message);
  }
});

test('a wipe of people forgets what may name them', async () => {
  await write(1);
  const wiped = await box.post('/SophonFogSys/api/WipeData', { wipe_options: { users: true, events: false } });
  assert.equal(wiped.status, 200);
  assert.equal((await logs('?text=key%20made')).lines.length, 0);
});

test('for administrators alone; no secret stands in it; downloads are audited', async () => {
  const closed = await Box.start({ settings: { 'access.mode': 'closed' } });
  try {
    const token = setupToken(closed);
    const admin = await setUp(closed);
    const operator = await keyOf(admin, closed, 'ops', 'operator');
    for (const path of ['/api/logs', '/api/logs/download']) {
      assert.equal((await closed.get(path)).status, 401);
      assert.equal((await operator.get(path)).status, 403);
    }
    const { lines } = (await admin.get('/api/logs?limit=2000')).json.data;
    assert.ok(lines.some(({ text }) => text.startsWith('key made')));
    const file = (await admin.get('/api/logs/download')).body.toString();
    for (const text of [JSON.stringify(lines), file]) {
      assert.ok(!text.includes(token));
      assert.ok(!text.includes(operator.headers.Authorization.slice('Bearer '.length)));
    }
    assert.ok(closed.stderr.includes(token), 'the link is for the terminal');
    const { data } = (await admin.get('/api/audit?kind=changes')).json;
    const kept = JSON.stringify(data);
    assert.ok(kept.includes('/api/logs/download') && !kept.includes('/api/logs"'));
  } finally {
    await closed.stop();
  }
});
