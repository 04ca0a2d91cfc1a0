// What the box sends by itself: history with cursors, real-time events, status, device operations.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Box, temporaryFolder } from './lib/box.mjs';
import { base64, blank, encode, people, sampleBytes } from './lib/pictures.mjs';
import { enrolAll, Receiver, show } from './lib/receiver.mjs';

const realtimePath = '/SophonFogSys/api/EventServerUrl';
const historyPath = '/SophonFogSys/api/HistoryEventUrl';

let box, data, folk;
const settings = { 'reports.set_aside_seconds': 2 };

before(async () => {
  data = temporaryFolder();
  box = await Box.start({ data, settings });
  folk = await people(box, 4);
  await enrolAll(box, folk.slice(0, 3)); // the last one is a stranger
});
after(async () => {
  await box.stop();
  rmSync(data, { recursive: true, force: true });
});

const post = async (path, body) => {
  const answer = await box.post(path, { 'content-type': 'json', ...body });
  assert.equal(answer.status, 200, answer.body);
};
const history = (urls, more = {}) => post(historyPath, { history_upload_event_url: urls, reported_peroid: 1, ...more });
const realtime = (urls, more = {}) => post(realtimePath, { event_server_url: urls, ...more });
const state = async () => (await box.get('/api/reports')).json.data;

test('history: an event has all its fields', async () => {
  const receiver = await Receiver.start();
  await history([`${receiver.url}/HistoryEvent`]);
  const known = await show(box, folk[0].other, { grab_fiqa_info: { confidence: 0.9 } });
  const stranger = await show(box, folk[3].photo);
  await receiver.until(({ requests }) => requests.length === 2);
  const [first, second] = receiver.requests;
  assert.equal(first.method, 'POST');
  assert.equal(first.path, '/HistoryEvent');
  assert.equal(first.headers['content-type'], 'application/json');
  assert.equal(first.headers['idempotency-key'], known.event_id);
  const { ext_data, reg_pic, ...rest } = first.json;
  assert.deepEqual(rest, {
    identity_id: 'p0',
    identity_name: 'name of p0',
    group_name: 'default_group',
    timestamp: rest.timestamp,
    score: known.score,
  });
  assert.equal(String(rest.timestamp).length, 13);
  assert.equal(reg_pic, base64(folk[0].photo));
  assert.equal(ext_data.event_id, known.event_id);
  assert.equal(ext_data.spot_pic, base64(folk[0].other));
  assert.ok(Buffer.from(ext_data.recognize_face, 'base64').subarray(0, 2).equals(Buffer.from([0xff, 0xd8])));
  assert.deepEqual(ext_data.grab_fiqa_info, { confidence: 0.9 });
  assert.equal(typeof ext_data.box_fiqa_info.fiqa_result, 'boolean');
  assert.equal(ext_data.person_type, 1);
  assert.equal(ext_data.reason, 'passed');
  assert.equal(ext_data.supersedes, '');
  assert.equal(ext_data.dev_sno, '');
  assert.equal(ext_data.want_action, '0');
  for (const key of ['device_ip', 'ep_id', 'device_type']) assert.equal(ext_data[key], '', key);
  assert.equal(second.json.identity_name, 'stranger');
  assert.notEqual(second.json.identity_id, '');
  assert.equal(second.json.reg_pic, '');
  assert.equal(second.json.ext_data.person_type, 4);
  assert.equal(second.json.ext_data.event_id, stranger.event_id);
  await history([]);
  await receiver.stop();
});

test('history: tried again until it is taken, in order, each event once', async () => {
  const receiver = await Receiver.start({
    answer: ({ n }) => (n === 0 ? 'reset' : [500, 200, 404, 200, 200, 503, 301][n % 7]),
  });
  await history([receiver.url]);
  const made = [];
  for (let i = 0; i < 6; i++) made.push((await show(box, folk[i % 3].other)).event_id);
  await receiver.until(({ requests }) => requests.length >= 6);
  assert.deepEqual(receiver.eventIds(), made);
  await history([]);
  await receiver.stop();
});

test('history: a URL starts now, or with the oldest; one that returns goes on', async () => {
  const [now, oldest] = [await Receiver.start(), await Receiver.start()];
  await history([now.url]);
  const first = (await show(box, folk[0].other)).event_id;
  await now.until(({ requests }) => requests.length === 1);
  assert.deepEqual(now.eventIds(), [first]);
  await history([]);
  const second = (await show(box, folk[1].other)).event_id;
  await history([now.url, oldest.url], { from: 'oldest' });
  await now.until(({ requests }) => requests.length === 2);
  assert.deepEqual(now.eventIds(), [first, second]);
  const { json } = await box.get('/SophonFace/api/events?per_page=100');
  const kept = json.data.map((event) => event._id).reverse();
  await oldest.until(({ requests }) => requests.length === kept.length);
  assert.deepEqual(oldest.eventIds(), kept);
  await history([]);
  await Promise.all([now.stop(), oldest.stop()]);
});

test('history: a dead receiver holds up no other', async () => {
  const alive = await Receiver.start();
  const hanging = await Receiver.start({ answer: () => 'hang' });
  await history([hanging.url, 'http://127.0.0.1:9/', alive.url]);
  const made = (await show(box, folk[0].other)).event_id;
  await alive.until(({ requests }) => requests.length === 1);
  assert.deepEqual(alive.eventIds(), [made]);
  await history([]); // breaks the hanging one off
  await Promise.all([alive.stop(), hanging.stop()]);
});

test('history: form-data', async () => {
  const receiver = await Receiver.start();
  await history([receiver.url], { 'content-type': 'form-data' });
  const made = await show(box, folk[0].other);
  await receiver.until(({ requests }) => requests.length === 1);
  const { form } = receiver.requests[0];
  assert.equal(form.identity_id, 'p0');
  assert.equal(form.identity_name, 'name of p0');
  assert.equal(form.reg_pic, base64(folk[0].photo));
  assert.equal(form.timestamp.length, 13);
  assert.equal(Number(form.score), made.score);
  const ext = JSON.parse(form.ext_data);
  assert.equal(ext.event_id, made.event_id);
  assert.equal(ext.spot_pic, base64(folk[0].other));
  await history([]);
  await receiver.stop();
});

test('history: pictures that are switched off are empty, one by one and altogether', async () => {
  const receiver = await Receiver.start();
  const pictures = async (block) => {
    await history([receiver.url], block);
    const before = receiver.requests.length;
    await show(box, folk[0].other);
    await receiver.until(({ requests }) => requests.length === before + 1);
    const { reg_pic, ext_data } = receiver.events().at(-1);
    return [reg_pic, ext_data.spot_pic, ext_data.recognize_face].map((text) => text !== '');
  };
  assert.deepEqual(await pictures({}), [true, true, true]);
  assert.deepEqual(await pictures({ history_need_reg_pic: false }), [false, true, true]);
  assert.deepEqual(await pictures({ history_need_spot_pic: false }), [true, false, true]);
  assert.deepEqual(await pictures({ history_need_recognize_face: false }), [true, true, false]);
  await box.put('/api/settings', { 'cloud.send_pictures': 'events' });
  assert.deepEqual(await pictures({}), [false, true, true]);
  await box.put('/api/settings', { 'cloud.send_pictures': 'never' });
  assert.deepEqual(await pictures({}), [false, false, false]);
  await box.put('/api/settings', { 'cloud.send_pictures': 'all' });
  await history([]);
  await receiver.stop();
});

test('history: batches, and one bad event among them', async () => {
  let bad;
  const receiver = await Receiver.start({
    answer: ({ json }) => (json.some((event) => event.ext_data.event_id === bad) ? 422 : 200),
  });
  await box.put('/api/settings', { 'reports.history_batch': true });
  await history(['http://127.0.0.1:9/']); // holds the events back until all are there
  const made = [];
  for (let i = 0; i < 7; i++) made.push((await show(box, folk[i % 3].other)).event_id);
  bad = made[4];
  await history([receiver.url], { from: 'oldest' });
  await receiver.until(() => receiver.eventIds().includes(made[6]));
  assert.ok(Array.isArray(receiver.requests[0].json));
  assert.ok(receiver.requests.some(({ json }) => json.length > 1));
  assert.equal(receiver.requests[0].headers['idempotency-key'], undefined);
  const ids = receiver.eventIds();
  assert.deepEqual(ids.slice(-6), made.filter((id) => id !== bad));
  assert.equal(new Set(ids).size, ids.length);
  await box.put('/api/settings', { 'reports.history_batch': false });
  await history([]);
  await receiver.stop();
});
