// What happens on the box, live: GET /api/stream (Server-Sent Events).
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import http from 'node:http';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Box, temporaryFolder } from './lib/box.mjs';
import { people } from './lib/pictures.mjs';
import { enrolAll, show } from './lib/receiver.mjs';

let box, data, folk;
const open = new Set();

before(async () => {
  data = temporaryFolder();
  box = await Box.start({ data });
  folk = await people(box, 2);
  await enrolAll(box, folk.slice(0, 1));
});
afterEach(() => {
  for (const stream of open) stream.close();
});
after(async () => {
  await box.stop();
  rmSync(data, { recursive: true, force: true });
});

/** A client: `messages` are {id, kind, data}; `ended` resolves when the box has ended the stream. */
function watch(query = '', headers = {}) {
  const stream = { messages: [], comments: 0, status: undefined, rest: '' };
  open.add(stream);
  stream.ready = new Promise((resolve, reject) => {
    stream.request = http.get(new URL(`/api/stream${query}`, box.url), { headers, agent: false }, (response) => {
      stream.status = response.statusCode;
      stream.headers = response.headers;
      stream.response = response;
      response.setEncoding('utf8');
      stream.ended = new Promise((end) => {
        response.on('close', end);
        response.on('error', () => {});
      });
      response.on('data', (text) => {
        const blocks = (stream.rest + text).split('\n\n');
        stream.rest = blocks.pop();
        for (const block of blocks) {
          const lines = Object.fromEntries(block.split('\n').map((line) => [line.split(':')[0], line.slice(line.indexOf(':') + 1).trim()]));
          if ('data' in lines) stream.messages.push({ id: lines.id, kind: lines.event, data: JSON.parse(lines.data) });
          else stream.comments++;
        }
        resolve(stream);
      });
      if (stream.status !== 200) resolve(stream);
    });
    stream.request.on('error', reject);
  });
  stream.of = (kind) => stream.messages.filter((message) => message.kind === kind);
  stream.until = async (condition) => {
    for (let i = 0; !condition(stream); i++) {
      if (i > 600) throw new Error(`only ${JSON.stringify(stream.messages).slice(0, 2000)}`);
      await sleep(20);
    }
  };
  stream.close = () => {
    open.delete(stream);
    stream.request.destroy();
  };
  return stream.ready;
}

test('events come as they are stored, as GET events shows them', async () => {
  const stream = await watch('?kinds=event');
  assert.match(stream.headers['content-type'], /^text\/event-stream/);
  assert.equal(stream.headers['cache-control'], 'no-store');
  const first = await show(box, folk[0].other);
  const second = await show(box, folk[1].photo);
  await stream.until(({ messages }) => messages.length === 2);
  assert.deepEqual(stream.messages.map(({ id, kind }) => [id, kind]), [
    [first.event_id, 'event'],
    [second.event_id, 'event'],
  ]);
  const { json } = await box.get('/SophonFace/api/events?per_page=2');
  assert.deepEqual(stream.messages.map((message) => message.data).reverse(), json.data);
  assert.equal(stream.messages[0].data.identity_id, 'p0');
});

test('who comes back with Last-Event-ID is told what was missed', async () => {
  const first = await watch('?kinds=event');
  const seen = (await show(box, folk[0].other)).event_id;
  await first.until(({ messages }) => messages.length === 1);
  first.close();
  const missed = [(await show(box, folk[0].other)).event_id, (await show(box, folk[1].photo)).event_id];
  const byHeader = await watch('?kinds=event', { 'Last-Event-ID': seen });
  const byQuery = await watch(`?kinds=event&last_event_id=${seen}`);
  const fresh = await watch('?kinds=event');
  const live = (await show(box, folk[0].other)).event_id;
  for (const stream of [byHeader, byQuery]) {
    await stream.until(({ messages }) => messages.length === 3);
    assert.deepEqual(stream.messages.map(({ id }) => id), [...missed, live]);
  }
  await fresh.until(({ messages }) => messages.length === 1);
  assert.equal(fresh.messages[0].id, live);
  // One that is gone by now: what is left behind it.
  assert.equal((await box.delete('/SophonFace/api/events', { event_id_list: [seen] })).status, 200);
  const later = await watch('?kinds=event', { 'Last-Event-ID': seen });
  await later.until(({ messages }) => messages.length === 3);
  assert.deepEqual(later.messages.map(({ id }) => id), [...missed, live]);
});

test('devices, status and jobs', async () => {
  const stream = await watch();
  await stream.until(() => stream.of('status').length === 1);
  assert.equal(stream.of('status')[0].data.gateway_status, 'online');
  const device = { device_id: 'gate', device_name: 'gate', device_key: '192.0.2.5', ep_type: '0' };
  assert.equal((await box.post('/SophonDevice/api/Devices', { devices_list: [device] })).status, 200);
  await show(box, folk[0].other, { group_name: undefined, device_ip: '192.0.2.5' });
  await stream.until(() => stream.of('device').length >= 2);
  await box.delete('/SophonDevice/api/Devices', { clear_all: true });
  await stream.until(() => stream.of('device').length === 3);
  assert.deepEqual(stream.of('device').map(({ data }) => [data.device_id, data.change]), [
    ['gate', 'added'],
    ['gate', 'online'],
    ['gate', 'deleted'],
  ]);
  assert.equal(stream.of('device')[1].data.status, 'online');
  const job = await box.request('POST', '/api/import', {
    headers: { 'Content-Type': 'application/zip' },
    body: Buffer.from('504b0506000000000000000000000000000000000000', 'hex'),
  });
  if (job.status === 200) await stream.until(() => stream.of('job').length >= 1);
  assert.ok(stream.messages.filter(({ kind }) => kind !== 'event').every(({ id }) => id === undefined));
});

test('only what is asked for, and only what there is', async () => {
  const stream = await watch('?kinds=device&kinds=job');
  await show(box, folk[0].other);
  await sleep(300);
  assert.deepEqual(stream.messages, []);
  const wrong = await box.get('/api/stream?kinds=everything');
  assert.equal(wrong.json.error.code, 40091);
});

test('too many clients are refused, and make room when they leave', async () => {
  await sleep(2500); // who left in earlier tests is noticed by then
  const streams = await Promise.all(Array.from({ length: 32 }, () => watch('?kinds=event')));
  assert.deepEqual([...new Set(streams.map(({ status }) => status))], [200]);
  const answer = await box.get('/api/stream');
  assert.equal(answer.json.error.code, 42900);
  const made = (await show(box, folk[0].other)).event_id;
  for (const stream of streams) {
    await stream.until(({ messages }) => messages.length === 1);
    assert.equal(stream.messages[0].id, made);
  }
  for (const stream of streams) stream.close();
  for (let i = 0; ; i++) {
    assert.ok(i < 200, 'there is room again');
    const next = await watch('?kinds=event');
    if (next.status === 200) break;
    next.close();
    await sleep(50);
  }
});

test('a client that does not read holds up nobody, and is told so when it is sent away', { timeout: 120000 }, async () => {
  const sleepy = await watch();
  sleepy.response.pause();
  const awake = await watch();
  const many = Array.from({ length: 1000 }, (_, i) => ({
    device_id: `d${i}-${'x'.repeat(200)}`,
    device_key: `10.1.${i >> 8}.${i & 255}`,
    ep_type: '0',
  }));
  for (let cycle = 0; cycle < 12; cycle++) {
    assert.equal((await box.post('/SophonDevice/api/Devices', { devices_list: many })).status, 200);
    assert.equal((await box.delete('/SophonDevice/api/Devices', { clear_all: true })).status, 200);
  }
  const made = (await show(box, folk[0].other)).event_id;
  await awake.until(() => awake.of('event').length === 1);
  assert.equal(awake.of('event')[0].id, made);
  assert.ok(awake.of('device').length > 1000);
  sleepy.response.resume();
  await sleepy.ended;
  assert.equal(sleepy.messages.at(-1).kind, 'dropped');
  assert.equal(sleepy.of('event').length, 0);
});

test('the box stops at once, whoever watches', async () => {
  const stream = await watch();
  const start = performance.now();
  await box.stop();
  const took = performance.now() - start;
  await stream.ended;
  assert.ok(took < 2500, `${took} ms`);
  box = await Box.start({ data });
});
