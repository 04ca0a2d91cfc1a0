// The memory for strangers: who was here before, of those whom nobody knows; and that what is to be forgotten is.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Box, temporaryFolder } from './lib/box.mjs';
import { base64, blank, encode, people } from './lib/pictures.mjs';

const USERS = '/SophonFogSys/api/users';
const MATCH = '/SophonMatch/api/PictureMatch';
const EVENTS = '/SophonFace/api/events';
const DAY = 86400000;

let box, folk, data;

const start = () => Box.start({ data });
const set = async (values) => {
  const answer = await box.put('/api/settings', values);
  assert.equal(answer.status, 200, answer.body.toString());
};
const match = async (photo, device_ip = '192.0.2.1') => {
  const answer = await box.post(MATCH, { rgb_image_base64: base64(photo), device_ip });
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json.data;
};
const strangers = async (query = '') => (await box.get(`/api/strangers${query}`)).json.data;
const events = async (query) => (await box.get(`${EVENTS}?per_page=100&${query}`)).json.data;
const search = (photo, more = {}) => box.post('/api/strangers/search', { image_base64_str: base64(photo), ...more });

before(async () => {
  data = temporaryFolder();
  box = await start();
  folk = await people(box, 4);
  const devices_list = ['192.0.2.1', '192.0.2.2'].map((device_key, i) => ({
    device_id: `pad${i + 1}`,
    device_name: `Pad ${i + 1}`,
    device_key,
    ep_type: '0',
    fiqa_level: 'no',
  }));
  assert.equal((await box.post('/SophonDevice/api/Devices', { devices_list })).status, 200);
  // What the pictures show is good enough a look; how good it has to be is a test of its own.
  await set({ 'quality.custom.face_size': 16, 'quality.custom.pitch': 90, 'quality.custom.yaw': 90, 'quality.custom.clarity': false, 'quality.custom.brightness': false });
});
after(async () => {
  await box.stop();
  rmSync(data, { recursive: true, force: true });
});

test('switched off, as it comes, nobody is remembered', async () => {
  const answer = await match(folk[0].photo);
  assert.equal(answer.reason, 'stranger');
  assert.equal('stranger_id' in answer, false);
  assert.deepEqual(await strangers(), { ...(await strangers()), enabled: false, strangers_list: [] });
  assert.equal((await search(folk[0].photo)).json.data.seen_before, false);
  assert.equal((await box.get('/api/strangers/1')).json.error.code, 40491);
});

test('a stranger is known again by a number, at any device, and events tell it', async () => {
  await set({ 'recognition.stranger_memory': true, 'recognition.stranger_absent_minutes': 0 });
  const first = await match(folk[0].photo);
  assert.equal(first.reason, 'stranger');
  assert.ok(Number.isInteger(first.stranger_id), JSON.stringify(first));
  assert.equal(first.seen_before, false);
  assert.equal(first.seen_count, 1);
  assert.ok(Math.abs(first.first_seen - Date.now()) < 60000);

  const other = await match(folk[1].photo);
  assert.notEqual(other.stranger_id, first.stranger_id);
  const again = await match(folk[0].other, '192.0.2.2');
  assert.deepEqual(
    { id: again.stranger_id, before: again.seen_before, count: again.seen_count, first: again.first_seen },
    { id: first.stranger_id, before: true, count: 2, first: first.first_seen },
  );
  // The wire's own names mean what they meant: a stranger's id is new with every event.
  assert.equal(again.identity_id, '');
  const [newest] = await events(`stranger=${first.stranger_id}`);
  assert.equal(newest._id, again.event_id);
  assert.equal(newest.stranger_id, first.stranger_id);
  assert.equal(newest.seen_count, 2);
  const ofFirst = (await events(`stranger=${first.stranger_id}`)).map((event) => event._id);
  assert.deepEqual(ofFirst, [again.event_id, first.event_id]);
  assert.deepEqual((await events('seen_before=true')).map((event) => event._id), [again.event_id]);
  assert.equal(new Set((await events('')).map((event) => event.identity_id)).size, (await events('')).length);
});

test('strangers are listed with when, how often and where, and found by a picture', async () => {
  const list = await strangers();
  assert.equal(list.enabled, true);
  assert.equal(list.pagination.total_count, 2);
  const [last, before] = list.strangers_list;
  assert.equal(last.seen_count, 2);
  assert.equal(last.events, 2);
  assert.equal(last.device_id, 'pad2');
  assert.equal(last.expires, last.last_seen + 30 * DAY);
  assert.ok(last.last_seen >= before.last_seen);
  const picture = await box.get(`/SophonFace/api/event_images/${last.recognize_face_pic_id}`);
  assert.equal(picture.headers['content-type'], 'image/jpeg');
  assert.deepEqual((await strangers('?seen_min=2')).strangers_list, [last]);
  assert.deepEqual((await strangers('?limit=1&skip_num=1')).strangers_list, [before]);
  assert.deepEqual((await strangers('?datetime_lte=1000')).strangers_list, []);

  const one = (await box.get(`/api/strangers/${last.stranger_id}`)).json.data;
  assert.deepEqual(one.devices.map(({ device_id, events: n }) => [device_id, n]), [['pad2', 1], ['pad1', 1]]);
  const { devices, ...fields } = one;
  assert.deepEqual(fields, last);

  const found = (await search(folk[0].other)).json.data;
  assert.equal(found.seen_before, true);
  assert.equal(found.strangers_list.length, 1);
  assert.equal(found.strangers_list[0].stranger_id, last.stranger_id);
  assert.ok(found.strangers_list[0].score >= found.threshold && found.strangers_list[0].score <= 1);
  assert.equal((await search(folk[3].photo)).json.data.seen_before, false);
  assert.ok((await search(folk[0].photo, { threshold: 0, limit: 1 })).json.data.strangers_list.length === 1);
  assert.equal((await events('')).length, 4); // a question makes no event
  assert.match((await box.get('/metrics')).body.toString(), /^aibox_strangers 2$/m);
});

test('events of one visit count once', async () => {
  await set({ 'recognition.stranger_absent_minutes': 60 });
  assert.equal((await match(folk[0].photo)).seen_count, 2);
  assert.equal((await match(folk[0].other)).seen_count, 2);
  await set({ 'recognition.stranger_absent_minutes': 0 });
  assert.equal((await match(folk[0].photo)).seen_count, 3);
});

test('a bad look is not remembered', async () => {
  await set({ 'quality.custom.face_size': 1000 });
  const small = await match(folk[2].photo);
  assert.equal(small.reason, 'stranger');
  assert.equal('stranger_id' in small, false);
  await set({ 'quality.custom.face_size': 16 });
  assert.equal('stranger_id' in (await match(folk[2].photo)), true);
  assert.equal((await strangers()).pagination.total_count, 3);
});

test('pictures of one new face that come at the same moment get one number', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => match(i % 2 ? folk[3].photo : folk[3].other)));
  assert.equal(new Set(answers.map((answer) => answer.stranger_id)).size, 1);
  assert.deepEqual(answers.map((answer) => answer.seen_count).sort((a, b) => a - b), [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal((await strangers()).pagination.total_count, 4);
});

test('strangers survive a restart and a kill', async () => {
  const earlier = (await strangers()).strangers_list;
  await box.stop({ keep: true });
  box = await start();
  assert.deepEqual((await strangers()).strangers_list, earlier);
  const again = await match(folk[3].photo);
  assert.equal(again.stranger_id, earlier[0].stranger_id);
  assert.equal(again.seen_count, 9);
  await box.kill();
  box = await start();
  assert.equal((await match(folk[3].other)).seen_count, 10);
});

test('who is enrolled is no stranger any more, and is told to have been one', async () => {
  const [past] = (await strangers()).strangers_list;
  const enrolled = await box.post(USERS, {
    identity_id: 'dan',
    group_name: 'default_group',
    reg_photo: base64(folk[3].photo),
    fiqa_level: 'no',
    need_reg_photo: false,
    info: { name: 'Dan' },
  });
  assert.equal(enrolled.status, 200, enrolled.body.toString());
  assert.deepEqual(enrolled.json.data.seen_as_stranger, [
    { stranger_id: past.stranger_id, seen_count: 10, first_seen: past.first_seen, last_seen: past.last_seen },
  ]);
  assert.equal((await box.get(`/api/strangers/${past.stranger_id}`)).status, 404);
  assert.deepEqual(await events(`stranger=${past.stranger_id}`), []);
  const known = await match(folk[3].other);
  assert.equal(known.identity_id, 'dan');
  assert.equal('stranger_id' in known, false);
  assert.equal((await strangers()).pagination.total_count, 3);
  // Once deleted, a stranger like any other, and not the one of before.
  assert.equal((await box.delete(USERS, { identity_id: 'dan' })).status, 200);
  const anew = await match(folk[3].photo);
  assert.ok(anew.stranger_id > past.stranger_id);
  assert.equal(anew.seen_before, false);
});

test('the one not seen for longest makes room, and one is forgotten by deleting it', async () => {
  await match(folk[1].photo);
  await match(folk[0].photo);
  const all = (await strangers()).strangers_list.map((stranger) => stranger.stranger_id);
  await set({ 'recognition.stranger_keep': 2 });
  for (let i = 0; i < 100 && (await strangers()).pagination.total_count > 2; i++) await sleep(50);
  assert.deepEqual((await strangers()).strangers_list.map((stranger) => stranger.stranger_id), all.slice(0, 2));
  const fresh = await match(folk[2].photo); // forgotten a moment ago
  assert.equal(fresh.seen_before, false);
  assert.equal((await strangers()).pagination.total_count, 2);
  await set({ 'recognition.stranger_keep': 100 });

  const gone = await box.delete(`/api/strangers/${fresh.stranger_id}`);
  assert.deepEqual(gone.json.data, { stranger_id: fresh.stranger_id });
  assert.equal((await box.delete(`/api/strangers/${fresh.stranger_id}`)).json.error.code, 40491);
  const [event] = await events(`reason=stranger`);
  assert.equal(event._id, fresh.event_id);
  assert.equal('stranger_id' in event, false); // the event stays, what tied it to others is gone
  assert.ok((await match(folk[2].other)).stranger_id > fresh.stranger_id);
});

test('a stranger goes with the event that the face is of', async () => {
  assert.equal((await box.delete('/api/strangers', { confirm: true })).status, 200);
  const first = await match(folk[0].photo);
  const second = await match(folk[0].other);
  assert.equal(second.stranger_id, first.stranger_id);
  assert.equal((await box.delete(EVENTS, { event_id_list: [first.event_id] })).status, 200);
  assert.equal((await box.get(`/api/strangers/${first.stranger_id}`)).status, 404);
  assert.equal((await search(folk[0].photo)).json.data.seen_before, false);
});

test('days later a stranger is forgotten, unless seen meanwhile', async () => {
  await box.delete('/api/strangers', { confirm: true });
  const [stays, goes] = [await match(folk[0].photo), await match(folk[1].photo)];
  await box.stop({ keep: true });
  // Time passes: 31 days for one, 29 for the other.
  const shift = (days, id) => `UPDATE stranger SET first_ms = first_ms - ${days * DAY}, last_ms = last_ms - ${days * DAY} WHERE stranger_id = ${id};`;
  execFileSync('sqlite3', [path.join(data, 'aibox.db')], { input: shift(29, stays.stranger_id) + shift(31, goes.stranger_id) });
  box = await start();
  for (let i = 0; i < 200 && (await strangers()).pagination.total_count > 1; i++) await sleep(50);
  assert.deepEqual((await strangers()).strangers_list.map((stranger) => stranger.stranger_id), [stays.stranger_id]);
  const anew = await match(folk[1].photo);
  assert.ok(anew.stranger_id > goes.stranger_id);
  const again = await match(folk[0].photo);
  assert.equal(again.stranger_id, stays.stranger_id);
  assert.ok(again.first_seen < Date.now() - 28 * DAY);
  const [listed] = (await strangers()).strangers_list;
  assert.ok(listed.expires > Date.now() + 29 * DAY); // seen again: the days begin anew
});

test('switched off, all are forgotten, and stay so', async () => {
  assert.ok((await strangers()).pagination.total_count > 0);
  await set({ 'recognition.stranger_memory': false });
  assert.deepEqual((await strangers()).strangers_list, []);
  assert.equal((await search(folk[0].photo)).json.data.seen_before, false);
  assert.deepEqual(await events('seen_before=true'), []);
  await set({ 'recognition.stranger_memory': true });
  assert.equal((await strangers()).pagination.total_count, 0);
  assert.equal((await match(folk[0].photo)).seen_before, false);
  // Also when the box starts with it off.
  await box.stop({ keep: true });
  box = await Box.start({ data, settings: { 'recognition.stranger_memory': 'off' } });
  assert.equal((await match(folk[0].photo)).stranger_id, undefined);
  await box.stop({ keep: true });
  box = await start();
  assert.equal((await strangers()).enabled, true);
  assert.equal((await strangers()).pagination.total_count, 0);
});

test('wipes and backups hold no strangers', async () => {
  for (const wipe_options of [{ users: true, events: false }, { users: false, events: true }]) {
    assert.equal((await match(folk[0].photo)).seen_before, false);
    assert.equal((await box.post('/SophonFogSys/api/WipeData', { wipe_options })).status, 200);
    assert.equal((await strangers()).pagination.total_count, 0);
  }
});

test('wrong arguments are named', async () => {
  const wrong = async (answer, code, word) => {
    const { status, json } = await answer;
    assert.equal(json.error?.code, code, `${status} ${JSON.stringify(json)}`);
    assert.match(json.error.message, word);
  };
  await wrong(box.get('/api/strangers?limit=0'), 40091, /limit/);
  await wrong(box.get('/api/strangers?seen_min=-1'), 40091, /seen_min/);
  await wrong(box.get('/api/strangers/x'), 40091, /id/);
  await wrong(box.get('/api/strangers/0'), 40491, /id/);
  await wrong(box.get('/api/strangers/99999999999999999999'), 40091, /id/);
  await wrong(box.delete('/api/strangers/-1'), 40091, /id/);
  await wrong(box.delete('/api/strangers', {}), 40091, /confirm/);
  await wrong(box.delete('/api/strangers', { confirm: false }), 40091, /confirm/);
  await wrong(box.post('/api/strangers/search', {}), 40091, /image_base64_str/);
  await wrong(search(Buffer.from('no picture')), 40003, /image_base64_str/);
  await wrong(search(encode(blank(200, 200))), 40004, /image_base64_str/);
  await wrong(search(folk[0].photo, { threshold: 2 }), 40091, /threshold/);
  await wrong(search(folk[0].photo, { limit: 21 }), 40091, /limit/);
  await wrong(box.get(`${EVENTS}?stranger=0`), 40091, /stranger/);
  await wrong(box.get(`${EVENTS}?stranger=x`), 40091, /stranger/);
  await wrong(box.put('/api/settings', { 'recognition.stranger_days': 0 }), 40091, /recognition.stranger_days/);
  await wrong(box.put('/api/settings', { 'recognition.stranger_keep': 50001 }), 40091, /recognition.stranger_keep/);
});
