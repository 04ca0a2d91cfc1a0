// Browser terminals: a code from the console becomes a token that may do one thing, at one device.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { caller, setUp } from './lib/access.mjs';
import { Box } from './lib/box.mjs';
import { base64, sampleBytes } from './lib/pictures.mjs';

let box, admin;
const picture = base64(sampleBytes(1));

before(async () => {
  box = await Box.start({ settings: { 'access.mode': 'closed' } });
  admin = await setUp(box);
  const device = (device_id, device_key, ep_type) => ({ device_id, device_name: `Name of ${device_id}`, device_key, ep_type });
  const made = await admin.post('/SophonDevice/api/Devices', {
    devices_list: [device('gate', '10.9.9.1', '0'), device('door', '10.9.9.2', '4'), device('camera', '10.9.9.3', '1')],
  });
  assert.equal(made.status, 200, made.body);
});
after(() => box.stop());

async function pairedWith(device_id) {
  const made = await admin.post(`/api/devices/${device_id}/pad_code`, {});
  assert.equal(made.status, 200, made.body);
  assert.match(made.json.data.code, /^\d{8}$/);
  const paired = await box.post('/api/pad/pair', { code: made.json.data.code });
  assert.equal(paired.status, 200, paired.body);
  assert.equal(paired.json.data.device_id, device_id);
  assert.equal(paired.json.data.device_name, `Name of ${device_id}`);
  return { code: made.json.data.code, who: caller(box, { Authorization: `Bearer ${paired.json.data.token}` }) };
}

test('a terminal recognises at its own device, whatever it says', async () => {
  const { code, who } = await pairedWith('gate');
  for (const extra of [{}, { device_ip: '10.9.9.2' }, { group_name: 'default_group' }]) {
    const answer = await who.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: picture, ...extra });
    assert.equal(answer.status, 200, answer.body);
    assert.equal(answer.json.reason, 'stranger');
  }
  const events = (await admin.get('/SophonFace/api/events')).json.data;
  assert.deepEqual([...new Set(events.map((event) => event.ext_data.device_ip))], ['10.9.9.1']);
  assert.equal((await box.post('/api/pad/pair', { code })).status, 401, 'a code is good once');
});

test('and nothing else', async () => {
  const { who } = await pairedWith('gate');
  const { paths } = (await admin.get('/openapi.json')).json;
  for (const [target, methods] of Object.entries(paths))
    for (const [method, call] of Object.entries(methods)) {
      if (call['x-role'] === undefined || call['x-role'] === 'open' || target === '/SophonMatch/api/PictureMatch') continue;
      const answer = await who[method](target.replaceAll(/\{\w+\}/g, 'x'), method === 'get' ? undefined : {});
      assert.equal(answer.status, 403, `${method} ${target}: ${answer.body}`);
    }
});

test('a terminal ends with its device, or when it is told so', async () => {
  const gate = await pairedWith('gate');
  const door = await pairedWith('door');
  const match = ({ who }) => who.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: picture });
  const forgotten = await admin.delete('/api/devices/gate/terminals', {});
  assert.equal(forgotten.status, 200, forgotten.body);
  assert.ok(forgotten.json.data.terminals >= 1);
  assert.equal((await match(gate)).status, 401);
  assert.equal((await match(door)).status, 200);
  assert.equal((await admin.delete('/SophonDevice/api/Devices', { devices_list: [{ device_id: 'door' }] })).status, 200);
  assert.equal((await match(door)).status, 401);
});

test('bad input', async () => {
  assert.equal((await admin.post('/api/devices/nobody/pad_code', {})).status, 404);
  const camera = await admin.post('/api/devices/camera/pad_code', {});
  assert.equal(camera.status, 400);
  assert.match(camera.json.error.message, /device_id/);
  assert.equal((await box.post('/api/devices/gate/pad_code', {})).status, 401);
  assert.equal((await box.post('/api/pad/pair', {})).status, 400);
  const { code } = (await admin.post('/api/devices/gate/pad_code', {})).json.data;
  for (let i = 0; i < 10; i++) assert.equal((await box.post('/api/pad/pair', { code: String(i) })).status, 401);
  assert.equal((await box.post('/api/pad/pair', { code })).status, 401, 'guessing ends all codes');
});
