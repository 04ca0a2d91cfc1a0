// Pictures, events and devices: what is asked, and every field that is answered.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Box } from './lib/box.mjs';
import { codes } from './lib/contract.mjs';
import { encodeBody, urlencode } from './lib/openapi.mjs';
import { base64, blank, encode, people, sampleBytes } from './lib/pictures.mjs';

const forms = ['json', 'multipart', 'urlencoded'];
const items = ['face_size', 'headpose', 'clarity', 'brightness', 'partial', 'occlusion', 'mask'];
let box, folk, nobody;

before(async () => {
  box = await Box.start();
  folk = await people(box, 4);
  nobody = base64(encode(blank(200, 200)));
  for (const [i, { photo }] of folk.slice(0, 2).entries()) {
    const person = { identity_id: `p${i}`, group_name: '', reg_photo: base64(photo), fiqa_level: 'no', info: { name: `n${i}`, type: 1 } };
    assert.equal((await box.post('/SophonFogSys/api/users', person)).status, 200);
  }
});
after(() => box.stop());

async function call(method, path, values = {}, encoding = 'json') {
  const query = urlencode(values);
  const answer =
    method === 'GET' ? await box.get(query === '' ? path : `${path}?${query}`) : await box.request(method, path, encodeBody(encoding, values));
  return { ...answer, said: `${method} ${path} ${encoding}: ${answer.body.toString('utf8', 0, 300)}` };
}

async function done(...args) {
  const { status, json, said } = await call(...args);
  assert.equal(status, 200, said);
  return json;
}

async function refused(code, ...args) {
  const { status, json, said } = await call(...args);
  assert.equal(json?.error?.code, code, said);
  assert.deepEqual([json.error.status, status], codes[code], said);
}

function has(object, kinds, where) {
  for (const [key, kind] of Object.entries(kinds)) {
    const value = object[key];
    const found = Array.isArray(value) ? 'list' : typeof value;
    assert.equal(found, kind, `${where}.${key}: ${JSON.stringify(value)?.slice(0, 100)}`);
  }
}

for (const encoding of forms) {
  test(`FIQA, ${encoding}`, async () => {
    const path = '/SophonFace/api/FIQA';
    const { data } = await done('POST', path, { image_base64_str: base64(sampleBytes(3)), fiqa_level: 'high' }, encoding);
    assert.ok(data.length > 1);
    const area = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1);
    for (const [i, face] of data.entries()) {
      has(face, { bbox: 'list', fails: 'list', success: 'list', fiqa_result: 'boolean', info: 'object', score: 'number' }, 'FIQA');
      has(face.info, { face_size: 'number', headpose: 'object', clarity: 'number', brightness: 'number', partial: 'boolean', occlusion: 'list', mask: 'number' }, 'info');
      has(face.info.headpose, { pitch_angle: 'number', roll_angle: 'number', yaw_angle: 'number' }, 'headpose');
      assert.deepEqual([...face.fails, ...face.success].filter((item) => items.includes(item)).sort(), [...items].sort());
      assert.equal(face.fiqa_result, face.fails.length === 0);
      if (i > 0) assert.ok(area(face.bbox) <= area(data[i - 1].bbox), 'largest first');
    }
    const [judgedByNone] = (await done('POST', path, { image_base64_str: base64(folk[0].photo), fiqa_level: 'no' }, encoding)).data;
    assert.deepEqual([judgedByNone.fiqa_result, judgedByNone.fails, judgedByNone.success], [true, [], []]);
    await refused(40004, 'POST', path, { image_base64_str: nobody }, encoding);
    await refused(40091, 'POST', path, { fiqa_level: 'high' }, encoding);
    await refused(40091, 'POST', path, { image_base64_str: nobody, fiqa_level: 'best' }, encoding);
  });

  test(`detect, ${encoding}`, async () => {
    const path = '/SophonFace/api/detect';
    const image_base64_str = base64(sampleBytes(3));
    const plain = (await done('POST', path, { image_base64_str }, encoding)).data;
    assert.ok(plain.length > 1 && plain.length <= 10);
    for (const face of plain) {
      has(face, { bbox: 'list', score: 'number' }, 'detect');
      for (const key of ['feature', 'attribute', 'headpose', 'landmark']) assert.equal(face[key], undefined, key);
    }
    const all = { with_feature: true, with_attribute: 'True', with_headpose: 1, with_landmark: '1', max_num_faces: 1 };
    const full = (await done('POST', path, { image_base64_str, ...all }, encoding)).data;
    assert.equal(full.length, 1);
    assert.equal(full[0].feature.length, 512);
    assert.equal(full[0].landmark.length, 10);
    has(full[0].headpose, { pitch_angle: 'number', roll_angle: 'number', yaw_angle: 'number' }, 'headpose');
    has(full[0].attribute, { age: 'number', gender: 'string', sex: 'number' }, 'attribute');
    assert.equal(full[0].attribute.gender, full[0].attribute.sex === 0 ? 'male' : 'female');
    assert.deepEqual((await done('POST', path, { image_base64_str: nobody }, encoding)).data, []);
    await refused(40091, 'POST', path, {}, encoding);
    await refused(40091, 'POST', path, { image_base64_str, max_num_faces: 0 }, encoding);
  });

  test(`compare, ${encoding}`, async () => {
    const path = '/SophonMatch/api/compare';
    const [one, other, stranger] = [folk[0].photo, folk[0].other, folk[1].photo].map(base64);
    for (const [values, retcode] of [
      [{ face_image_base64: one, card_image_base64: other }, '1'],
      [{ image1_base64_str: one, image2_base64_str: stranger }, '0'],
      [{ face_image_base64: other, identity_id: 'p0', threshold: 'low' }, '1'],
      [{ face_image_base64: other, identity_id: 'p1', threshold: '0.9' }, '0'],
    ]) {
      const answer = await done('POST', path, values, encoding);
      has(answer, { retcode: 'string', score: 'number', threshold: 'number', identity_id: 'string', name: 'string' }, 'compare');
      assert.equal(answer.retcode, retcode);
      assert.equal(answer.score >= answer.threshold, retcode === '1');
      const { data, ...top } = answer;
      assert.deepEqual(data, top);
    }
    await refused(40004, 'POST', path, { face_image_base64: one, card_image_base64: nobody }, encoding);
    await refused(40401, 'POST', path, { face_image_base64: one, identity_id: 'who' }, encoding);
    await refused(40091, 'POST', path, { face_image_base64: one }, encoding);
    await refused(40091, 'POST', path, { face_image_base64: one, identity_id: 'p0', threshold: 'medium' }, encoding);
  });

  test(`PictureMatch, ${encoding}`, async () => {
    const path = '/SophonMatch/api/PictureMatch';
    const ask = { rgb_image_base64: base64(folk[0].other), group_name: 'default_group' };
    const answer = await done('POST', path, { ...ask, grab_fiqa_info: { confidence: 3 }, compare_time: 5, support_stranger: true, need_keep_info: 0 }, encoding);
    has(answer, { retcode: 'string', reason: 'string', score: 'number', identity_id: 'string', name: 'string', identity_info: 'object' }, 'match');
    has(answer, { person_type: 'number', reg_pic: 'string', event_id: 'string', action: 'string', verdict: 'string', threshold: 'number' }, 'match');
    has(answer, { margin: 'number', best: 'object', quality: 'object' }, 'match');
    assert.deepEqual([answer.retcode, answer.reason, answer.identity_id, answer.name, answer.verdict], ['1', 'passed', 'p0', 'n0', 'known']);
    const { data, ...top } = answer;
    assert.deepEqual(data, top);
    const unknown = await done('POST', path, { ...ask, rgb_image_base64: base64(folk[3].photo) }, encoding);
    assert.deepEqual([unknown.retcode, unknown.identity_id, unknown.name], ['0', '', 'stranger']);
    const empty = await done('POST', path, { ...ask, rgb_image_base64: nobody }, encoding);
    assert.deepEqual([empty.retcode, empty.reason, empty.event_id], ['0', 'no_face', '']);
    for (const liveness_mode of ['off', 'rgb', 'liveness_off', 'liveness_rgb']) await done('POST', path, { ...ask, liveness_mode }, encoding);
    for (const more of [{ liveness_mode: 'rgb_ir' }, { liveness_mode: 'liveness_rgb_ir' }, { ir_image_base64: 'AAAA' }, { image_file_path: '/x.jpg' }])
      await refused(50100, 'POST', path, { ...ask, ...more }, encoding);
    await refused(40091, 'POST', path, { rgb_image_base64: ask.rgb_image_base64 }, encoding);
    await refused(40491, 'POST', path, { rgb_image_base64: ask.rgb_image_base64, device_ip: '192.0.2.77' }, encoding);
    await refused(40491, 'POST', path, { ...ask, group_name: 'nowhere' }, encoding);
    await refused(40091, 'POST', path, { group_name: 'default_group' }, encoding);
  });
}

test('events: read in pages, filtered, with their pictures, deleted', async () => {
  const path = '/SophonFace/api/events';
  const { data, pagination } = await done('GET', path);
  has(pagination, { num_pages: 'number', page: 'number', per_page: 'number', total_count: 'number' }, 'pagination');
  assert.deepEqual([pagination.page, pagination.per_page], [0, 10]);
  assert.equal(data.length, Math.min(10, pagination.total_count));
  for (const event of data) {
    has(event, { _id: 'string', identity_id: 'string', identity_name: 'string', group_name: 'string', timestamp: 'number', score: 'number', ext_data: 'object', reason: 'string' }, 'event');
    has(event, { spot_pic_id: 'string', recognize_face_pic_id: 'string' }, 'event');
    has(event.ext_data, { device_ip: 'string', ep_id: 'string', person_type: 'number', device_type: 'string', grab_fiqa_info: 'object', box_fiqa_info: 'object' }, 'ext_data');
    has(event.ext_data, { dev_sno: 'string', event_id: 'string' }, 'ext_data');
    assert.equal(event.ext_data.event_id, event._id);
    assert.ok(event.timestamp > 1e12, 'milliseconds');
    assert.ok(!JSON.stringify(event).includes('/9j/'), 'no pictures');
  }
  const ids = data.map(({ _id }) => _id);
  assert.deepEqual(ids, [...ids].sort().reverse(), 'newest first');
  const second = await done('GET', path, { page: 1, per_page: 3 });
  assert.deepEqual(second.data.map(({ _id }) => _id), ids.slice(3, 6));
  for (const [filter, holds] of [
    [{ identity_id: 'p0' }, (event) => event.identity_id === 'p0'],
    [{ name: 'tran' }, (event) => event.identity_name === 'stranger'],
    [{ userType: 4 }, (event) => event.ext_data.person_type === 4],
    [{ score_min: 0.6 }, (event) => event.score >= 0.6],
    [{ groups: 'default_group' }, (event) => event.group_name === 'default_group'],
  ]) {
    const found = (await done('GET', path, { ...filter, per_page: 100 })).data;
    assert.ok(found.length > 0 && found.every(holds), JSON.stringify(filter));
  }
  assert.equal((await done('GET', path, { datetime_gte: 1 + Math.floor(Date.now() / 1000) })).pagination.total_count, 0);
  const copied = data.filter(({ ext_data }) => ext_data.grab_fiqa_info.confidence === 3);
  assert.ok(copied.every(({ identity_id }) => identity_id === 'p0') && copied.length > 0, 'what the camera said is kept');
  for (const [name, bad] of [['per_page', 101], ['per_page', 0], ['page', -1], ['score_min', 'x'], ['userType', 'vip']]) await refused(40091, 'GET', path, { [name]: bad });

  const known = data.find(({ identity_id }) => identity_id === 'p0');
  for (const target of [known.spot_pic_id, known.recognize_face_pic_id, ...['spot', 'face', 'reg'].map((kind) => `${known._id}?kind=${kind}`)]) {
    const picture = await box.get(`/SophonFace/api/event_images/${target}`);
    assert.equal(picture.status, 200, target);
    assert.equal(picture.headers['content-type'], 'image/jpeg');
    assert.deepEqual([...picture.body.subarray(0, 2)], [0xff, 0xd8]);
  }
  const { image_id } = (await done('GET', '/SophonFogSys/api/users', { identity_id: 'p0' })).data.identities_list[0].info;
  assert.deepEqual((await box.get(`/SophonFace/api/images/${image_id}`)).body, Buffer.from(folk[0].photo));

  await refused(40091, 'DELETE', path, {});
  await refused(40091, 'DELETE', path, { identity_id: 'p0' });
  assert.deepEqual((await done('DELETE', path, { event_id_list: [ids[0]] })).data, {});
  assert.deepEqual((await done('DELETE', path, { event_id_list: `${ids[1]},${ids[2]}` })).data, {});
  assert.equal((await done('GET', path)).pagination.total_count, pagination.total_count - 3);
  await done('DELETE', path, { identity_id: 'p0', confirm: true });
  assert.equal((await done('GET', path, { identity_id: 'p0' })).pagination.total_count, 0);
});

test('picturesearch: who was seen that looks like this', async () => {
  const path = '/SophonMatch/api/picturesearch';
  const match = { rgb_image_base64: base64(folk[1].other), group_name: 'default_group' };
  const { event_id } = await done('POST', '/SophonMatch/api/PictureMatch', match);
  const now = Math.floor(Date.now() / 1000);
  const ask = { face_image_base64: base64(folk[1].photo), starttime: now - 3600, endtime: now + 60 };
  const answer = await done('POST', path, ask);
  has(answer, { event_list: 'list', total_count: 'number', have_more: 'boolean', total_time: 'number' }, 'picturesearch');
  assert.ok('endtimestamp' in answer);
  const { data, ...top } = answer;
  assert.deepEqual(data, top);
  assert.ok(answer.event_list.some((event) => [event._id, event.event_id, event.ext_data?.event_id].includes(event_id)));
  await refused(40091, 'POST', path, { ...ask, limit: 1001 });
  await refused(40091, 'POST', path, { ...ask, sort: 'name' });
  await refused(40004, 'POST', path, { ...ask, face_image_base64: nobody });
});

test('devices: added, read, changed, asked by address, removed', async () => {
  const path = '/SophonDevice/api/Devices';
  const gate = { device_name: 'east gate', device_key: '192.0.2.10', ep_type: 0, netRelay: { ip: '127.0.0.1', net_port: 9, door_port: 1, delay_time: 3, type: 'tcp' } };
  const camera = { device_name: 'hall', device_key: 'rtsp://user:secret@192.0.2.11:554/main', ep_type: '2', roi_area: [0, 0, 640, 480], threshold: 'auto' };
  const ftp = { device_id: 'lobby', device_name: 'lobby', device_key: '192.0.2.12', ep_type: '1', dedup_seconds: 0, direction: 1 };
  const added = (await done('POST', path, { devices_list: [gate, camera, ftp] })).data;
  assert.deepEqual(added.success_devices.map(({ device_name }) => device_name), ['east gate', 'hall', 'lobby']);
  const told = added.devices_list.find(({ device_id }) => device_id === 'lobby');
  has(told.ftp, { host: 'string', port: 'number', user: 'string', password: 'string', directory: 'string' }, 'ftp');

  const { devices_list } = (await done('GET', path)).data;
  assert.equal(devices_list.length, 3);
  for (const device of devices_list) {
    has(device, { device_id: 'string', device_name: 'string', device_key: 'string', device_type: 'string', ep_type: 'string', device_ip: 'string', ep_id: 'string', status: 'string' }, 'device');
    has(device, { last_seen: 'number', frames: 'number', faces: 'number', drops: 'number', reconnects: 'number', dedup_seconds: 'number', direction: 'number' }, 'device');
    assert.match(device.status, /^(online|offline)$/);
    assert.match(device.ep_id, new RegExp(`__${device.device_ip}$`));
    assert.ok(!JSON.stringify(device).includes('secret'), 'passwords are not shown');
    assert.equal(device.ftp?.password, undefined);
  }
  const [seenGate] = devices_list.filter(({ device_name }) => device_name === 'east gate');
  assert.equal(devices_list.find(({ device_name }) => device_name === 'hall').device_key, 'rtsp://user:***@192.0.2.11:554/main');
  assert.deepEqual([seenGate.ep_type, seenGate.device_type, seenGate.netRelay.channels, seenGate.netRelay.relay_type], ['0', 'photo', 8, 'tcp']);
  assert.deepEqual((await done('GET', path, { device_id: 'lobby' })).data.devices_list.map(({ device_id }) => device_id), ['lobby']);

  const changed = (await done('PUT', path, { devices_list: [{ device_id: 'lobby', device_name: 'lobby 2' }] })).data;
  assert.equal(changed.devices_list[0].device_name, 'lobby 2');
  assert.equal(changed.devices_list[0].direction, 1, 'what is not sent stays');
  const match = await done('POST', '/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(folk[0].photo), device_ip: '192.0.2.10' });
  assert.equal(match.identity_id, 'p0');

  await refused(40012, 'POST', path, { devices_list: [{ device_name: 'x', device_key: '192.0.2.10', ep_type: '0' }] });
  await refused(40491, 'POST', path, { devices_list: [{ device_name: 'x', device_key: '192.0.2.13', ep_type: '0', group_id: 'nowhere' }] });
  await refused(40491, 'GET', path, { device_id: 'none' });
  await refused(40491, 'PUT', path, { devices_list: [{ device_id: 'lobby', device_name: 'y' }, { device_id: 'none' }] });
  for (const wrong of [{ ep_type: '7' }, { dedup_seconds: 3601 }, { threshold: 2 }, { liveness_mode: 'x' }, { roi_area: [1, 2] }, { direction: 2 }, { fiqa_level: 'x' }])
    await refused(40091, 'POST', path, { devices_list: [{ device_name: 'ok', device_key: '192.0.2.14', ep_type: '0' }, { device_name: 'x', device_key: '192.0.2.15', ep_type: '0', ...wrong }] });
  await refused(40091, 'DELETE', path, {});
  const after = (await done('GET', path)).data.devices_list;
  assert.deepEqual(after.map(({ device_name }) => device_name).sort(), ['east gate', 'hall', 'lobby 2'], 'all or nothing');

  const gone = (await done('DELETE', path, { devices_list: [{ device_id: 'lobby' }] })).data;
  assert.deepEqual(gone.success_devices.map(({ device_id }) => device_id), ['lobby']);
  assert.equal(typeof gone.message, 'string');
  await done('DELETE', path, { clear_all: true });
  assert.deepEqual((await done('GET', path)).data.devices_list, []);
});

test('doors: a relay that does not answer is told, by its address', async () => {
  const path = '/SophonFogSys/api/EventAction';
  const action = [{ action_ip: '127.0.0.1', action_port: '9', action_mode: 'opendoor', relay_type: 'tcp' }];
  const answer = await call('PUT', path, { action });
  assert.deepEqual([answer.status, answer.json.error.code], [500, 50072], answer.said);
  assert.match(answer.json.error.message, /127\.0\.0\.1/);
  for (const wrong of [{ action_mode: 'shut' }, { action_port: 0 }, { action_port: 65536 }, { action_duration: -1 }, { relay_type: 'serial' }, { logic_port: -1 }, { action_ip: '' }])
    await refused(40091, 'PUT', path, { action: [{ ...action[0], ...wrong }] });
});
