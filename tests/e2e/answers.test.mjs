// What the compatible calls answer is what /openapi.json says: no member that it doesn't name, none that it promises missing.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { Box } from './lib/box.mjs';
import { contract } from './lib/contract.mjs';
import { base64, people } from './lib/pictures.mjs';

const require = createRequire(new URL('../package.json', import.meta.url));
const { default: Ajv2020 } = require('ajv/dist/2020.js');

const SYS = '/SophonFogSys/api', FACE = '/SophonFace/api', MATCH = '/SophonMatch/api', MQ = '/SophonMQ/api';
const DEVICES = '/SophonDevice/api/Devices';
// Bytes, or doors that there are none of here.
const without = ['PUT /SophonFogSys/api/EventAction', 'GET /SophonFace/api/event_images/{id}', 'GET /SophonFace/api/images/{image_id}'];

let box, document, folk;
const seen = new Set();

before(async () => {
  box = await Box.start();
  document = (await box.get('/openapi.json')).json;
  folk = await people(box, 3);
});
after(() => box.stop());

const schemaOf = (method, path) => document.paths[path][method.toLowerCase()].responses['200'].content?.['application/json'].schema;

/** The schema with objects closed that don't say that they have more members. */
function closed(schema) {
  const out = { ...schema };
  if (schema.items) out.items = closed(schema.items);
  if (schema.properties) {
    out.properties = Object.fromEntries(Object.entries(schema.properties).map(([name, each]) => [name, closed(each)]));
    out.additionalProperties ??= false;
  }
  return out;
}

async function call(method, path, values) {
  const query = method === 'GET' && values ? `?${new URLSearchParams(values)}` : '';
  const body = method === 'GET' ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(values) };
  const answer = await box.request(method, path + query, body);
  const where = `${method} ${path}`;
  assert.equal(answer.status, 200, `${where}: ${answer.body}`);
  const schema = schemaOf(method, path);
  assert.notEqual(schema, undefined, `${where} has no schema`);
  const validate = new Ajv2020({ strict: true, allErrors: true }).compile(closed(schema));
  assert.ok(validate(answer.json), `${where}: ${JSON.stringify(validate.errors, null, 1)}`);
  seen.add(where);
  return answer.json;
}

test('groups, permission groups, people', async () => {
  const label = { description: 'd', info: { floor: 3 } };
  for (const [word, name] of [['permissions', 'permission_name'], ['groups', 'group_name']]) {
    const path = `${SYS}/${word}`;
    await call('POST', path, { [name]: 'one', ...label });
    await call('PUT', path, { [name]: 'one', ...label });
    await call('GET', path);
    await call('GET', `${FACE}/${word}`);
  }
  const info = { name: 'n', permission_ids: ['one'], shoe_size: 44 };
  for (const [i, { photo }] of folk.slice(0, 2).entries())
    await call('POST', `${SYS}/users`, { identity_id: `p${i}`, group_name: 'one', reg_photo: base64(photo), fiqa_level: 'no', info });
  await call('GET', `${SYS}/users`);
  await call('GET', `${SYS}/users`, { need_reg_photo: 'false' });
  await call('PUT', `${SYS}/users`, { identity_id: 'p0', info: { name: 'm' } });
  for (const with_identity_id of [true, false]) {
    await call('PUT', `${SYS}/GroupUsers`, { group_name: 'default_group', identity_id: ['p0'], with_identity_id });
    await call('DELETE', `${SYS}/GroupUsers`, { group_name: 'default_group', identity_id: ['p0'], with_identity_id });
  }
});

test('settings of reports, doors and the platform', async () => {
  await call('POST', `${SYS}/GateControllerMode`, { controller_mode: 'avoid' });
  await call('GET', `${SYS}/GateControllerMode`);
  await call('POST', `${SYS}/EventServerUrl`, { event_server_url: ['http://127.0.0.1:9/'], 'content-type': 'json' });
  await call('GET', `${SYS}/EventServerUrl`);
  await call('POST', `${SYS}/HistoryEventUrl`, { history_upload_event_url: ['http://127.0.0.1:9/'], 'content-type': 'form-data' });
  await call('GET', `${SYS}/HistoryEventUrl`);
  await call('POST', `${SYS}/MonitorServerUrl`, { monitor_server_url: '', 'content-type': 'json' });
  await call('GET', `${SYS}/MonitorServerUrl`);
  await call('PUT', `${MQ}/DevSno`, { dev_sno: 'SE0001' });
  await call('GET', `${MQ}/DevSno`);
  await call('PUT', `${MQ}/LoginUrl`, { login_url: '' });
  await call('GET', `${MQ}/LoginUrl`);
});

test('faces, decisions, events', async () => {
  const [known, , stranger] = folk;
  await call('POST', `${FACE}/FIQA`, { image_base64_str: base64(known.photo) });
  await call('POST', `${FACE}/detect`, { image_base64_str: base64(known.photo), with_attribute: true, with_headpose: true, with_landmark: true });
  await call('POST', `${FACE}/detect`, { image_base64_str: base64(known.photo), with_feature: true });
  await call('POST', `${MATCH}/compare`, { face_image_base64: base64(known.photo), card_image_base64: base64(known.other) });
  await call('POST', `${MATCH}/compare`, { face_image_base64: base64(known.photo), identity_id: 'p0', need_save: true });
  const match = (photo, more) => call('POST', `${MATCH}/PictureMatch`, { rgb_image_base64: base64(photo), group_name: 'one', ...more });
  await match(known.other);
  await match(known.other, { liveness_mode: 'rgb', with_attribute: true });
  await match(stranger.photo);
  await call('POST', `${MATCH}/picturesearch`, { face_image_base64: base64(known.photo), threshold: 0 });
  const { data } = await call('GET', `${FACE}/events`);
  assert.ok(data.length >= 3);
  await call('DELETE', `${FACE}/event_images`, { image_id_list: [data[0].spot_pic_id] });
  await call('DELETE', `${FACE}/events`, { event_id_list: [data[0]._id] });
});

test('devices', async () => {
  const device = { device_id: 'a', device_name: 'a', device_key: '10.0.0.1', device_type: 'photo', ep_type: '0' };
  const camera = { device_id: 'b', device_name: 'b', device_key: '10.0.0.2', device_type: 'photo', ep_type: '1' };
  const stream = { device_id: 'c', device_name: 'c', device_key: 'rtsp://127.0.0.1:9/', device_type: 'rtsp', ep_type: '2' };
  await call('POST', DEVICES, { devices_list: [device, camera, stream] });
  await call('GET', DEVICES);
  await call('PUT', DEVICES, { devices_list: [{ device_id: 'a', device_name: 'd', threshold: 0.5 }] });
  await call('DELETE', DEVICES, { devices_list: [{ device_id: 'a' }] });
});

test('deleting, wiping', async () => {
  await call('DELETE', `${SYS}/users`, { identity_id: 'p0' });
  await call('DELETE', `${SYS}/users`, { identity_ids: ['p1'] });
  await call('DELETE', `${SYS}/groups`, { group_name: 'one' });
  await call('DELETE', `${SYS}/permissions`, { permission_name: 'one' });
  await call('POST', `${SYS}/WipeData`, { wipe_options: { users: true, events: true } });
});

test('each compatible call was asked', () => {
  const compatible = contract.filter(({ path }) => path.startsWith('/Sophon')).map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(compatible.filter((each) => !seen.has(each)), without);
});
