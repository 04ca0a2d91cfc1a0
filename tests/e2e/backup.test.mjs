// Backup and restore: one encrypted file brings back people, devices, settings and events; nothing else does.
import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { Box, temporaryFolder } from './lib/box.mjs';
import { base64, people } from './lib/pictures.mjs';
import { until } from './lib/until.mjs';

const password = 'a password of some length';
let box, data, folk;
before(async () => {
  data = temporaryFolder();
  box = await Box.start({ data });
  folk = await people(box, 2);
  await wipe();
  await enrol('kept', folk[0].photo);
  assert.equal((await match(folk[0].other)).json.identity_id, 'kept');
  const device = { device_id: 'gate', device_name: 'Gate', device_key: '127.0.0.9', ep_type: '0' };
  assert.equal((await box.post('/SophonDevice/api/Devices', { devices_list: [device] })).status, 200);
  assert.equal((await box.put('/api/settings', { 'recognition.dedup_seconds': 77 })).status, 200);
});
after(async () => {
  await box.stop();
  rmSync(data, { recursive: true, force: true });
});

const wipe = () => box.post('/SophonFogSys/api/WipeData', { wipe_options: { users: true, events: true } });
const match = (photo) =>
  box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(photo), group_name: 'default_group' });
const eventCount = async () => (await box.get('/SophonFace/api/events')).json.pagination.total_count;
const userIds = async () =>
  (await box.get('/SophonFogSys/api/users?need_reg_photo=false')).json.data.identities_list.map((user) => user.identity_id);

async function enrol(identity_id, photo) {
  const answer = await box.post('/SophonFogSys/api/users', {
    identity_id,
    group_name: 'default_group',
    reg_photo: base64(photo),
    fiqa_level: 'no',
    info: { name: identity_id },
  });
  assert.equal(answer.status, 200, answer.body);
}

function reached(state) {
  return until(async () => {
    const { data } = (await box.get('/api/backup')).json;
    if (data.state === state) return data;
    assert.equal(data.state, 'running', JSON.stringify(data));
    return undefined;
  }, `state ${state}`);
}

async function makeBackup(options = {}) {
  const begun = await box.post('/api/backup', { password, ...options });
  assert.equal(begun.status, 200, begun.body);
  assert.match(begun.json.data.state, /^(running|ready)$/);
  const ready = await reached('ready');
  assert.equal(ready.progress, 1);
  const file = await box.get(`/api/backup/${ready.backup_id}`);
  assert.equal(file.status, 200);
  assert.match(file.headers['content-disposition'], /aiboxbackup/);
  assert.equal(file.body.length, ready.size);
  return file.body;
}

async function upload(bytes) {
  const answer = await box.request('POST', '/api/restore', {
    headers: { 'Content-Type': 'application/octet-stream' },
    body: bytes,
  });
  assert.equal(answer.status, 200, answer.body);
  return answer.json.data.restore_id;
}

/** Restores and waits until the box is back. */
async function restore(bytes, options = {}) {
  const restore_id = await upload(bytes);
  const starts = box.stdout.split('ready on').length;
  const answer = await box.put('/api/restore', { restore_id, password, confirm: true, ...options });
  assert.equal(answer.status, 200, answer.body);
  assert.equal(answer.json.data.restoring, true);
  await until(() => box.stdout.split('ready on').length > starts, 'the box to be back');
  box.url = /.*ready on (http:\/\/\S+)/s.exec(box.stdout)[1];
  return answer.json.data;
}

test('backup, wipe, restore: everybody is known again', async () => {
  const bytes = await makeBackup();
  for (const trace of ['kept', 'SQLite format', 'Gate']) assert.equal(bytes.includes(trace), false, trace);

  await wipe();
  assert.deepEqual((await box.get('/api/backup')).json.data, { state: 'none' }, 'a wipe deletes the backup on the box');
  await enrol('newer', folk[1].photo);
  await box.put('/api/settings', { 'recognition.dedup_seconds': 5 });
  assert.equal((await match(folk[0].other)).json.identity_id, '');

  const told = await restore(bytes);
  assert.deepEqual([told.people, told.events, told.with_events], [1, 1, true]);
  assert.deepEqual(await userIds(), ['kept']);
  assert.equal(await eventCount(), 1);
  assert.equal((await match(folk[0].other)).json.identity_id, 'kept');
  assert.equal((await match(folk[1].other)).json.identity_id, '');
  assert.equal((await box.get('/SophonDevice/api/Devices?device_id=gate')).json.data.devices_list[0].device_name, 'Gate');
  const setting = (await box.get('/api/settings?key=recognition.dedup_seconds')).json;
  assert.match(JSON.stringify(setting), /"value":\s*"?77/);
  const event = (await box.get('/SophonFace/api/events?identity_id=kept')).json.data.at(-1);
  assert.equal((await box.get(`/SophonFace/api/event_images/${event.spot_pic_id}`)).status, 200);
  assert.equal(readdirSync(data).includes('restore'), false);
});

test('without events', async () => {
  const before = await eventCount();
  assert.ok(before > 0);
  const bytes = await makeBackup({ events: false });
  const told = await restore(bytes);
  assert.deepEqual([told.people, told.events, told.with_events], [1, 0, false]);
  assert.equal(await eventCount(), 0);
  assert.equal((await match(folk[0].other)).json.identity_id, 'kept');
});

test('restoring asks first', async () => {
  const bytes = await makeBackup();
  await enrol('meanwhile', folk[1].photo);
  const restore_id = await upload(bytes);
  const answer = await box.put('/api/restore', { restore_id, password });
  assert.equal(answer.status, 200, answer.body);
  assert.equal(answer.json.data.restoring, false);
  assert.equal(answer.json.data.people, 1);
  assert.ok(Math.abs(answer.json.data.created_at - Date.now()) < 3600e3);
  assert.deepEqual(await userIds(), ['kept', 'meanwhile']);
  await box.delete('/SophonFogSys/api/users', { identity_id: 'meanwhile' });
});

test('a wrong password, a damaged, a cut and a foreign file change nothing', async () => {
  const bytes = await makeBackup();
  const before = await userIds();
  const refused = async (file, options, message) => {
    const restore_id = await upload(file);
    const answer = await box.put('/api/restore', { restore_id, password, confirm: true, ...options });
    assert.equal(answer.status, 400, answer.body);
    assert.equal(answer.json.error.code, 40091);
    assert.match(answer.json.error.message, message);
    assert.deepEqual(await userIds(), before);
    assert.equal(readdirSync(data).includes('restore'), false);
  };
  await refused(bytes, { password: 'another password of length' }, /password/);
  for (const at of [20, 50, 100, Math.floor(bytes.length / 2), bytes.length - 1]) {
    const broken = Buffer.from(bytes);
    broken[at] ^= 1;
    await refused(broken, {}, /damaged|password/);
  }
  for (const size of [70, Math.floor(bytes.length / 2), bytes.length - 1])
    await refused(bytes.subarray(0, size), {}, /damaged|incomplete|password/);
  await refused(Buffer.concat([bytes, Buffer.from('more')]), {}, /damaged|incomplete/);
  await refused(Buffer.from('PK\u0003\u0004 and so on, long enough to hold a head of a backup, which it is not'), {}, /no backup/);
  await refused(Buffer.from('short'), {}, /no backup/);
});

test('bad input', async () => {
  for (const [body, field] of [
    [{}, /password/],
    [{ password: 'short' }, /password/],
    [{ password: 'x'.repeat(2000) }, /password/],
    [{ password, events: 'perhaps' }, /events/],
  ]) {
    const answer = await box.post('/api/backup', body);
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.match(answer.json.error.message, field);
  }
  assert.equal((await box.get('/api/backup/01JDNOSUCHBACKUP0000000000')).status, 404);
  const answer = await box.put('/api/restore', { restore_id: 'x', password, confirm: true });
  assert.equal(answer.status, 404);
  assert.match(answer.json.error.message, /restore_id/);
});

test('a restart forgets backup and upload, and leaves nothing of them', async () => {
  const bytes = await makeBackup();
  await upload(bytes);
  await box.stop();
  assert.equal(readdirSync(data).includes('backup'), false);
  box = await Box.start({ data });
  assert.deepEqual((await box.get('/api/backup')).json.data, { state: 'none' });
  assert.deepEqual(readdirSync(path.join(data, 'backup')), []);
});
