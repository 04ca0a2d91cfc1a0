// Commands of a platform, over a real RabbitMQ: what they do, what the result says, and what goes wrong with photos and
// answers. The messages are those of the protocol's examples.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import http from 'node:http';
import { after, afterEach, before, test } from 'node:test';

import { Box, temporaryFolder } from './lib/box.mjs';
import { base64, blank, encode, people } from './lib/pictures.mjs';
import { Platform } from './lib/platform.mjs';
import { RabbitMq } from './lib/rabbitmq.mjs';

const USERS = '/SophonFogSys/api/users';
const long = process.env.AIBOX_LONG === '1';

let rabbit, platform, box, data, folk;
let number = 0;

before(async () => {
  rabbit = await RabbitMq.start();
  platform = await Platform.start({
    broker: {
      ...rabbit.fields(),
      queue: 'queue-dev-SE0001',
      uploadQueue: 'upload-queue',
      fiqaDownQueue: 'fiqa.download',
      fiqaUploadQueue: 'fiqa.upload',
      unNeedBindExchange: true,
    },
    login: { imgServerAddr: '/pics', recordAddr: '/getRecord', recordUploadPeriod: 1 },
  });
  await platform.connect(rabbit.url);
  data = temporaryFolder();
  box = await Box.start({ data });
  folk = await people(box, 3);
  await logIn();
});
after(async () => {
  await box.stop();
  await platform.stop();
  await rabbit.stop();
  rmSync(data, { recursive: true, force: true });
});
afterEach(() => {
  platform.heal();
  platform.people.clear();
  platform.photos.clear();
});

async function put(path, value) {
  const answer = await box.put(path, value);
  assert.equal(answer.status, 200, answer.body.toString());
}

async function logIn() {
  await put('/SophonMQ/api/DevSno', { dev_sno: platform.devSno });
  await put('/SophonMQ/api/LoginUrl', { login_url: platform.loginUrl });
}

/** Sends the command and waits for its result. */
async function ask(command, options) {
  const messageId = command.messageId ?? `m${++number}`;
  await platform.send({ messageId, extend_params: {}, ...command }, options);
  return platform.result(messageId, 60000);
}

const addById = (ids, more = {}) =>
  ask({ method: 'add_users_plus', fiqa_level: 'no', userid_list: ids, extend_params: { path: '/getSendPerson' }, ...more });

async function person(id) {
  const answer = await box.get(`${USERS}?identity_id=${id}&need_reg_photo=false`);
  return answer.status === 200 ? answer.json.data.identities_list[0] : undefined;
}

async function seen(photo) {
  const answer = await box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(photo), group_name: 'default_group' });
  return answer.json.identity_id;
}

const codes = (result) =>
  Object.fromEntries([...result.result.success_users, ...result.result.failed_users].map(({ userid, code }) => [userid, code]));

test('add_users_plus by id: people are fetched, enrolled and recognised', async () => {
  platform.photos.set('/pics/10086.png', folk[0].photo);
  platform.photos.set('/pics/10087.jpg', encode(blank(300, 300)));
  platform.people.set('10086', { identity_id: '10086', reg_url: `${platform.url}/pics/10086.png`, register_type: 1, info: { name: '小赵', type: 1 } });
  platform.people.set('10087', { identity_id: '10087', relative_pic_url: '/10087.jpg', register_type: 1, info: { name: '小王', type: 2, permission_ids: ['1046'] } });
  const result = await addById(['10086', '10087'], { messageId: '8f0c2', extend_params: { path: '/getSendPerson', notify_path: '/mqResult' } });
  assert.deepEqual(result, {
    success: true,
    code: 0,
    message: 'add_users_plus done: 1 added, 1 failed',
    dev_sno: 'SE0001',
    messageKey: 'add_users_plus',
    messageId: '8f0c2',
    result: {
      success_users: [{ userid: '10086', username: '小赵', message: 'ok', code: 0, type: 1 }],
      failed_users: [{ userid: '10087', username: '小王', message: 'reg_photo: no face found in the picture', code: 40094, type: 2 }],
    },
  });
  const [{ queue, properties }] = platform.results.filter(({ json }) => json.messageId === '8f0c2');
  assert.equal(queue, 'upload-queue');
  assert.equal(properties.deliveryMode, 2);
  assert.equal(platform.received['/mqResult'], undefined); // the queue goes first
  assert.deepEqual(platform.asked.at(-1), ['10086', '10087']);
  const downloads = platform.requests.filter(({ path }) => path.startsWith('/pics/'));
  for (const { query } of downloads) assert.deepEqual(query, { dev_sno: 'SE0001', token: '5c1e' });
  assert.equal(await seen(folk[0].other), '10086');
});

test('add_users_plus inline overwrites; a failed photo changes nothing', async () => {
  await box.post('/SophonFogSys/api/groups', { group_name: 'staff', description: '' });
  await box.put('/SophonFogSys/api/GroupUsers', { group_name: 'staff', identity_id: ['10086'] });
  const first = await ask({
    method: 'add_users_plus',
    user_info_list: [{ identity_id: '10086', fiqa_level: 'no', reg_photo: base64(folk[1].photo), info: { name: '小李', type: 5, permission_ids: ['1047'], ext_info: { room: '1' } } }],
  });
  assert.deepEqual(codes(first), { 10086: 0 });
  const { group_name, info } = await person('10086');
  assert.deepEqual(group_name, ['default_group', 'staff']);
  assert.deepEqual([info.name, info.type, info.permission_ids, info.ext_info], ['小李', 5, ['1047'], { room: '1' }]);
  assert.equal(info.face_ids.length, 1);
  assert.equal(await seen(folk[1].other), '10086');
  assert.notEqual(await seen(folk[0].other), '10086');

  platform.photos.set('/pics/666.png', encode(blank(200, 200)));
  const second = await ask({
    method: 'add_users_plus',
    user_info_list: [{ identity_id: '10086', reg_url: `${platform.url}/pics/666.png`, info: { name: 'other' } }],
  });
  assert.deepEqual([second.success, second.code], [false, 40094]);
  assert.deepEqual((await person('10086')).info, info);
});

test('add_users_plus from features: with the person, or asked for', async () => {
  const { feature } = (await box.post('/SophonFace/api/detect', { image_base64_str: base64(folk[2].photo), with_feature: true })).json.data[0];
  platform.people.set('f1', { identity_id: 'f1', feature, info: { name: 'f1' } });
  platform.people.set('f2', { identity_id: 'f2', feature: [1, 2], info: { name: 'f2' } });
  platform.people.set('f3', { identity_id: 'f3', info: { name: 'f3' } });
  const import_mode = { import_mode: true };
  assert.deepEqual(codes(await addById(['f1', 'f2', 'f3'], import_mode)), { f1: 0, f2: 40010, f3: 40071 });
  const user_info_list = ['f1', 'f2', 'f3', 'f4'].map((identity_id) => ({ identity_id, info: { name: `${identity_id} again` } }));
  const asked = await ask({ method: 'add_users_plus', ...import_mode, user_info_list, extend_params: { get_features_url: '/getSendPerson' } });
  assert.deepEqual(codes(asked), { f1: 0, f2: 40010, f3: 50074, f4: 50074 });
  assert.equal(await seen(folk[2].other), 'f1');
  assert.equal((await person('f1')).info.name, 'f1 again');
  await ask({ method: 'delete_users', userid_list: ['f1'] });
});

test('photos that go wrong: everybody gets the right code, nobody else is stopped', async () => {
  const expected = {
    good: 0, slow: 0, reset: 50073, error: 50073, 'expired-token': 50073, half: 50073, 'redirect-loop': 50073, huge: 40007,
    endless: 40007, bomb: 40007, html: 40003, empty: 40003, never: 50073, away: 50073, gone: 50074,
  };
  const ids = Object.keys(expected);
  for (const id of ids.slice(0, -2)) platform.add({ identity_id: id, info: { name: id } }, folk[0].photo);
  for (const id of ids.slice(1, -3)) if (id !== 'endless') platform.fault(`/pics/${id}.jpg`, id, { ms: 300 });
  platform.fault('/pics/endless.jpg', 'huge', { announce: false });
  platform.fault('/pics/never.jpg', 'never');
  platform.people.set('away', { identity_id: 'away', reg_url: 'http://127.0.0.1:1/x.jpg', info: { name: 'away' } });
  const result = await addById(ids);
  assert.deepEqual(codes(result), expected);
  assert.deepEqual(result.result.success_users.map(({ userid }) => userid), ['good', 'slow']); // in the order asked for
  assert.deepEqual(result.result.failed_users.map(({ userid }) => userid), ids.slice(2));
});

test('answers of the platform that go wrong: the ids of that batch fail, with its message', async () => {
  const faults = { error: 50073, 'expired-token': 50073, reset: 50073, half: 50073, 'bad-json': 50074, 'wrong-type': 50074, empty: 50074, html: 50074, huge: 50074 };
  const ids = Array.from({ length: 60 }, (_, i) => `id${i}`);
  for (const [fault, code] of Object.entries(faults)) {
    platform.fault('/getSendPerson', fault, { times: 1 });
    const result = await addById(ids);
    const failed = result.result.failed_users;
    assert.equal(failed.length, 60, fault);
    assert.ok(failed.slice(0, 50).every((user) => user.code === code), `${fault}: ${JSON.stringify(failed[0])}`);
    assert.ok(failed.slice(50).every((user) => user.code === 50074), fault); // asked for, and not told of
    if (fault === 'error') assert.equal(failed[0].message, 'out of order');
    platform.heal();
  }
});

test('many ids: asked for by at most 50, everybody in the result, in order', async () => {
  const ids = Array.from({ length: long ? 10000 : 1000 }, (_, i) => `many${i}`);
  const before = platform.asked.length;
  const result = await addById(ids);
  assert.deepEqual(result.result.failed_users.map(({ userid }) => userid), ids);
  const asked = platform.asked.slice(before);
  assert.deepEqual(asked.flat(), ids);
  assert.ok(asked.every((list) => list.length <= 50));
  const tooMany = await addById(Array.from({ length: 10001 }, (_, i) => `${i}`));
  assert.deepEqual([tooMany.success, tooMany.code], [false, 40071]);
  assert.match(tooMany.message, /^userid_list: /);
});

test('who could not be enrolled is told of on the stream', async () => {
  const seenEvents = [];
  const request = http.get(new URL('/api/stream', box.url), { agent: false }, (response) => {
    let rest = '';
    response.setEncoding('utf8');
    response.on('data', (text) => {
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop();
      seenEvents.push(...blocks.filter((block) => block.includes('event: command') || block.includes('event:command')));
    });
    response.on('error', () => {});
  });
  await new Promise((resolve) => request.on('response', (response) => response.once('data', resolve)));
  await ask({ method: 'add_users_plus', messageId: 'streamed', user_info_list: [{ identity_id: '9', reg_photo: '!', info: { name: 'nine' } }] });
  await platform.until(() => seenEvents.length > 0, 'the event');
  request.destroy();
  const { timestamp, ...event } = JSON.parse(/data: ?(.*)/.exec(seenEvents[0])[1]);
  assert.deepEqual(event, { method: 'add_users_plus', messageId: 'streamed', userid: '9', username: 'nine', code: 40003, message: 'reg_photo: not a picture in base64' });
  assert.ok(timestamp > 1.7e12);
});

test('fiqa: by its own queue, or by the main one', async () => {
  const info = { image_base64_str: base64(folk[0].photo), fiqa_level: 'no' };
  for (const queue of ['fiqa.download', 'queue-dev-SE0001']) {
    const result = await ask({ method: 'fiqa', info }, { queue });
    assert.deepEqual([result.success, result.code, result.message], [true, 0, 'fiqa done']);
    const [face] = result.result.data;
    assert.deepEqual(Object.keys(face).sort(), ['bbox', 'fails', 'fiqa_result', 'info', 'score', 'success']);
    assert.deepEqual(Object.keys(face.info.headpose).sort(), ['pitch_angle', 'roll_angle', 'yaw_angle']);
    assert.equal(face.info.occlusion.length, 3);
    assert.equal(platform.results.at(-1).queue, 'fiqa.upload');
  }
  const none = await ask({ method: 'fiqa', info: { image_base64_str: base64(encode(blank(200, 200))), fiqa_level: '' } }, { queue: 'fiqa.download' });
  assert.deepEqual([none.success, none.code, none.result], [false, 40004, { data: [] }]);
});

test('sync_permissions, control_config and devices', async () => {
  const sync = await ask({ method: 'sync_permissions', permissions_info_list: [{ id: '1046', info: { name: 'east', description: 'labs' } }] });
  assert.deepEqual(sync.result, {
    success_permission: [{ permission_id: '1046', permission_name: 'east', permission_description: 'labs', message: 'ok', code: 0 }],
    failed_permission: [],
  });
  const list = (await box.get('/SophonFogSys/api/permissions?permission_name=east')).json.data.permissions_list;
  assert.deepEqual(list.map(({ name, description }) => [name, description]), [['east', 'labs']]);

  const config = await ask({ method: 'control_config', config_field: { passmode: 'allpass', volume: 3 } });
  assert.deepEqual(config.result, { success_field: { passmode: 'allpass' }, faild_field: { volume: 'there is no such field' } });
  const passmode = (await box.get('/api/settings?key=passmode')).body.toString();
  assert.match(passmode, /"allpass"/);
  await ask({ method: 'control_config', config_field: { passmode: 'normal', history_upload_need_info: true } });
  assert.equal(await seen(folk[1].other), '10086');
  await platform.until(({ received }) => received['/getRecord']?.some(({ json }) => json.info?.ext_info?.room === '1'), 'an event with info');

  const added = await ask({ method: 'add_device', device_info: { device_id: 'd1', device_name: 'east gate', device_key: '192.168.1.25', ep_type: '0', group_name: 'default_group' } });
  assert.equal(added.result.device_info.ep_id, 'SE0001__192.168.1.25');
  const changed = await ask({ method: 'update_device', device_info: { device_id: 'd1', device_name: 'west gate' } });
  assert.equal(changed.result.device_info.device_name, 'west gate');
  const gone = await ask({ method: 'delete_device', device_id: 'd1' });
  assert.deepEqual(gone.result, { device_id: 'd1' });
});

test('bad commands: a result that names the field', async () => {
  const unknown = await ask({ method: 'reboot' });
  assert.deepEqual([unknown.success, unknown.code, unknown.messageKey, unknown.result], [false, 40071, 'reboot', {}]);
  const wrong = await ask({ method: 'delete_users', userid_list: 'all' });
  assert.match(wrong.message, /^userid_list: /);
  const before = platform.results.length;
  await platform.send('{"method": "delete_users", ');
  await platform.until(({ results }) => results.length > before, 'the result of no JSON');
  const { json } = platform.results.at(-1);
  assert.deepEqual([json.success, json.code, json.messageKey, 'messageId' in json], [false, 40071, '', false]);
});

test('a box that is killed goes on where it was, and tells of everybody once', async () => {
  const ids = Array.from({ length: 60 }, (_, i) => `k${i}`);
  for (const [i, id] of ids.entries()) {
    platform.add({ identity_id: id, info: { name: id } }, folk[i % folk.length].photo);
    platform.fault(`/pics/${id}.jpg`, 'slow', { ms: 200, times: 1 });
  }
  platform.forget();
  await platform.send({ method: 'add_users_plus', messageId: 'killed', fiqa_level: 'no', userid_list: ids, extend_params: { path: '/getSendPerson' } });
  const enrolled = async () => (await box.get(`${USERS}?limit=1000&need_reg_photo=false`)).json.data.identities_list.filter(({ identity_id }) => /^k\d/.test(identity_id));
  while ((await enrolled()).length < 15) await new Promise((resolve) => setTimeout(resolve, 20));
  await box.kill();
  assert.equal(platform.results.filter(({ json }) => json.messageId === 'killed').length, 0);
  const faces = (list) => Object.fromEntries(list.map(({ identity_id, info }) => [identity_id, info.face_ids[0]]));
  box = await Box.start({ data });
  const early = faces(await enrolled());
  const result = await platform.result('killed', 60000);
  assert.deepEqual(result.result.success_users.map(({ userid }) => userid), ids);
  const late = faces(await enrolled());
  assert.equal(Object.keys(late).length, 60);
  /* Who was enrolled before the end was not enrolled again. */
  assert.ok(Object.keys(early).length >= 15);
  for (const [id, face] of Object.entries(early)) {
    if (platform.requests.filter(({ path }) => path === `/pics/${id}.jpg`).length === 1) assert.equal(late[id], face, id);
  }
  const twice = ids.filter((id) => platform.requests.filter(({ path }) => path === `/pics/${id}.jpg`).length > 1);
  assert.ok(twice.length <= 24, `${twice.length} photos were fetched twice`); // those under way, not those that were done
  assert.equal(platform.results.filter(({ json }) => json.messageId === 'killed').length, 1);
});

test('a stop in the middle of a download leaves the command for the next start', async () => {
  platform.add({ identity_id: 'late', info: { name: 'late' } }, folk[2].photo);
  platform.fault('/pics/late.jpg', 'never', { times: 1 });
  await platform.send({ method: 'add_users_plus', messageId: 'stopped', fiqa_level: 'no', userid_list: ['late'], extend_params: { path: '/getSendPerson' } });
  await platform.until(({ requests }) => requests.some(({ path }) => path === '/pics/late.jpg'), 'the download');
  await box.stop();
  box = await Box.start({ data });
  assert.deepEqual(codes(await platform.result('stopped')), { late: 0 });
});

test('without an upload queue the result goes to notify_path, with dev_sno and token', async () => {
  delete platform.broker.uploadQueue;
  delete platform.broker.fiqaUploadQueue;
  const logins = platform.logins.length;
  await logIn();
  await platform.until((p) => p.logins.length > logins, 'the login');
  const result = await ask({ method: 'delete_users', userid_list: ['10086', 'gone'], extend_params: { notify_path: '/mqResult' } });
  assert.deepEqual(result.result, {
    success_users: [{ userid: '10086', message: 'deleted', code: 0 }],
    failed_users: [{ userid: 'gone', message: 'no such person', code: 40401 }],
  });
  const [got] = platform.received['/mqResult'];
  assert.deepEqual(got.query, { dev_sno: 'SE0001', token: '5c1e' });
  assert.equal(got.headers['content-type'], 'application/json');
  assert.equal(await person('10086'), undefined);

  const wiped = await ask({ method: 'wipe_data', wipe_options: { users: true, events: false }, extend_params: { notify_path: '/mqResult' } });
  assert.deepEqual(wiped.result, { wipe_options: { users: true, events: false } });
  assert.equal((await box.get(`${USERS}?limit=1`)).json.data.pagination.total_count, 0);
});
