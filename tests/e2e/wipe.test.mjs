// Wiping: what is deleted is gone from the answers, the gallery and the disk; what is not asked for stays.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';

import { Box, temporaryFolder } from './lib/box.mjs';
import { base64, people } from './lib/pictures.mjs';

let box, data, folk;
before(async () => {
  data = temporaryFolder();
  box = await Box.start({ data });
  folk = await people(box, 2);
});
after(async () => {
  await box.stop();
  rmSync(data, { recursive: true, force: true });
});

const wipe = (wipe_options) => box.post('/SophonFogSys/api/WipeData', { wipe_options });
const match = (photo) =>
  box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(photo), group_name: 'default_group' });
const count = async (target) => (await box.get(target)).json;
const peopleCount = async () => (await count('/SophonFogSys/api/users?need_reg_photo=false')).data.pagination.total_count;
const eventCount = async () => (await count('/SophonFace/api/events')).pagination.total_count;
const groups = async () => (await count('/SophonFogSys/api/groups')).data.groups_list.map((g) => g.name);
const permissions = async () => (await count('/SophonFogSys/api/permissions')).data.permissions_list.map((p) => p.name);

/** In which files of the data folder does this text occur, or any of 20 pieces of this picture (without its tables; a page holds a part only)? */
function filesWith(trace) {
  const pieces = typeof trace === 'string' ? [trace] : Array.from({ length: 20 }, (_, i) => trace.subarray(1000 + i * 128, 1032 + i * 128));
  const files = readdirSync(data, { recursive: true }).filter((name) => statSync(path.join(data, name)).isFile());
  return files.filter((name) => {
    const content = readFileSync(path.join(data, name));
    return pieces.some((piece) => piece.length > 0 && content.includes(piece));
  });
}

beforeEach(async () => {
  await wipe({ users: true, events: true });
  await box.post('/SophonFogSys/api/groups', { group_name: 'staff', description: '' });
  const answer = await box.post('/SophonFogSys/api/users', {
    identity_id: 'geheimnisträger',
    group_name: 'staff,default_group',
    reg_photo: base64(folk[0].photo),
    fiqa_level: 'no',
    create_no_exit_permission: true,
    info: { name: 'Ein Name, den man sucht', permission_ids: ['Labor'] },
  });
  assert.equal(answer.status, 200, answer.body);
  assert.equal((await match(folk[0].other)).json.identity_id, 'geheimnisträger');
  assert.equal(await eventCount(), 1);
  for (const trace of ['Ein Name, den man sucht', folk[0].photo, folk[0].other]) assert.notDeepEqual(filesWith(trace), []);
});

test('users only', async () => {
  const answer = await wipe({ users: true, events: false });
  assert.deepEqual(answer.json, { data: { wipe_options: { users: true, events: false } } });
  assert.equal(await peopleCount(), 0);
  assert.deepEqual(await groups(), ['default_group']);
  assert.deepEqual(await permissions(), []);
  assert.equal(await eventCount(), 1);
  assert.deepEqual(filesWith(folk[0].photo), []);
  assert.equal((await match(folk[0].other)).json.error.code, 40008);
});

test('events only', async () => {
  const [event] = (await count('/SophonFace/api/events')).data;
  const answer = await wipe({ users: 'False', events: 1 });
  assert.deepEqual(answer.json, { data: { wipe_options: { users: false, events: true } } });
  assert.equal(await eventCount(), 0);
  assert.equal((await box.get(`/SophonFace/api/event_images/${event.spot_pic_id}`)).status, 404);
  assert.deepEqual(filesWith(folk[0].other), []);
  assert.deepEqual(filesWith(event._id), []);
  assert.equal(await peopleCount(), 1);
  assert.ok((await groups()).includes('staff'));
  assert.equal((await match(folk[0].other)).json.identity_id, 'geheimnisträger');
});

test('users and events: no trace on the disk', async () => {
  assert.equal((await wipe({ users: true, events: true })).status, 200);
  for (const trace of ['geheimnisträger', 'Ein Name, den man sucht', 'Labor', folk[0].photo, folk[0].other])
    assert.deepEqual(filesWith(trace), [], String(trace).slice(0, 40));
});

test('all: the settings go too, but for those of the platform', async () => {
  await box.put('/SophonMQ/api/DevSno', { dev_sno: 'SE0001' });
  await box.put('/SophonMQ/api/LoginUrl', { login_url: 'http://platform.example/login' });
  await box.put('/api/settings', { 'recognition.dedup_seconds': 77, 'cloud.send_pictures': 'never' });
  await box.post('/SophonFogSys/api/EventServerUrl', { event_server_url: ['http://spur.example/'], 'content-type': 'form-data' });
  await box.post('/SophonFogSys/api/GateControllerMode', { controller_mode: 'avoid' });
  const answer = await wipe({ users: true, events: true, all: true });
  assert.deepEqual(answer.json, { data: { wipe_options: { users: true, events: true, all: true } } });
  for (let i = 0; i < 2; i++) {
    assert.equal(await peopleCount(), 0);
    assert.equal(await eventCount(), 0);
    assert.equal((await box.get('/api/settings?key=recognition.dedup_seconds')).json.data['recognition.dedup_seconds'].value, 10);
    assert.equal((await box.get('/api/settings?key=cloud.send_pictures')).json.data['cloud.send_pictures'].source, 'default');
    assert.deepEqual((await box.get('/SophonFogSys/api/EventServerUrl')).json.data.event_server_url, []);
    assert.equal((await box.get('/SophonFogSys/api/EventServerUrl')).json.data['content-type'], 'json');
    assert.equal((await box.get('/SophonFogSys/api/GateControllerMode')).json.data.controller_mode, 'opendoor');
    assert.equal((await box.get('/SophonMQ/api/DevSno')).json.data.dev_sno, 'SE0001');
    assert.equal((await box.get('/SophonMQ/api/LoginUrl')).json.data.login_url, 'http://platform.example/login');
    if (i === 0) {
      await box.stop();
      box = await Box.start({ data });
    }
  }
  assert.deepEqual(filesWith('spur.example'), []);
});

test('all alone is enough', async () => {
  assert.deepEqual((await wipe({ all: true })).json, { data: { wipe_options: { users: true, events: true, all: true } } });
  assert.equal(await peopleCount(), 0);
});

test('neither: nothing happens', async () => {
  assert.deepEqual((await wipe({ users: false, events: false })).json, { data: { wipe_options: { users: false, events: false } } });
  assert.equal(await peopleCount(), 1);
  assert.equal(await eventCount(), 1);
});

test('wrong options are refused and nothing is deleted', async () => {
  for (const [options, code, word] of [
    [undefined, 40091, 'wipe_options'],
    [null, 40091, 'wipe_options'],
    [true, 40091, 'wipe_options'],
    [{}, 40091, 'users'],
    [{ users: true }, 40091, 'events'],
    [{ events: true }, 40091, 'users'],
    [{ users: true, events: 'perhaps' }, 40005, 'events'],
    [{ users: true, events: true, all: 2 }, 40005, 'all'],
  ]) {
    const answer = await wipe(options);
    assert.equal(answer.json.error?.code, code, JSON.stringify(options));
    assert.ok(answer.json.error.message.includes(word), answer.json.error.message);
  }
  assert.equal(await peopleCount(), 1);
  assert.equal(await eventCount(), 1);
});

test('the box goes on: who is enrolled anew is recognised', async () => {
  await wipe({ users: true, events: true });
  const enrolled = await box.post('/SophonFogSys/api/users', {
    identity_id: 'neu', group_name: '', reg_photo: base64(folk[1].photo), fiqa_level: 'no', info: { name: 'neu' } });
  assert.equal(enrolled.status, 200, enrolled.body);
  assert.equal((await match(folk[1].other)).json.identity_id, 'neu');
});
