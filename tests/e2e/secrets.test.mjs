// Secrets at rest, seen from outside: nothing of them in the data folder, and no start without the right key.
import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { aiboxd, Box, models, run, temporaryFolder } from './lib/box.mjs';

const secrets = ['stream-Geheimnis-1', 'relay-Geheimnis-2', 'report-Geheimnis-3', 'login-Geheimnis-4'];
const feature = Array.from({ length: 512 }, (_, i) => Math.sin(i + 1));
let folder, data;

before(() => {
  folder = temporaryFolder();
  data = path.join(folder, 'data');
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** The stored form of the feature: normalised, as 32-bit floats. */
function featureBytes() {
  const norm = Math.hypot(...feature);
  return Buffer.from(Float32Array.from(feature, (value) => value / norm).buffer).subarray(400, 432);
}

function filesWith(bytes) {
  return readdirSync(data, { recursive: true })
    .filter((name) => statSync(path.join(data, name)).isFile())
    .filter((name) => readFileSync(path.join(data, name)).includes(bytes));
}

async function refused(args, pattern) {
  const end = await run(aiboxd, ['--data', data, '--listen', '127.0.0.1:0', '--models', models, '--set', 'access.mode=open', ...args]);
  assert.notEqual(end.code, 0);
  const said = end.stderr.split('\n').filter((line) => line.startsWith('aiboxd: '));
  assert.equal(said.length, 1, end.stderr);
  assert.match(said[0], pattern);
}

test('no feature and no password is in the files, and all of them work after a restart', async () => {
  let box = await Box.start({ data });
  const person = { identity_id: 'a', group_name: '', import_mode: true, feature, reg_photo: '', info: { name: 'A' } };
  assert.equal((await box.post('/SophonFogSys/api/users', person)).status, 200);
  const devices = [
    { device_name: 'stream', device_key: `rtsp://user:${secrets[0]}@192.0.2.7/live`, ep_type: '3' },
    { device_name: 'gate', device_key: '192.0.2.8', ep_type: '0',
      device_attr: { netRelay: { ip: '192.0.2.9', relay_type: 'http', user: 'u', password: secrets[1] } },
      netRelay: { ip: '192.0.2.9', relay_type: 'http', user: 'u', password: secrets[1] } },
  ];
  const made = await box.post('/SophonDevice/api/Devices', { devices_list: devices });
  assert.equal(made.status, 200, made.body.toString());
  const url = { event_server_url: [`http://user:${secrets[2]}@192.0.2.10/event`], 'content-type': 'json' };
  assert.equal((await box.post('/SophonFogSys/api/EventServerUrl', url)).status, 200);
  assert.equal((await box.put('/api/settings', { 'cloud.login_url': `http://u:${secrets[3]}@192.0.2.11/` })).status, 200);
  for (const secret of secrets) assert.deepEqual(filesWith(secret), [], secret);
  assert.deepEqual(filesWith(featureBytes()), []);
  await box.stop();
  for (const secret of secrets) assert.deepEqual(filesWith(secret), [], secret);
  assert.deepEqual(filesWith(featureBytes()), []);
  box = await Box.start({ data });
  assert.match((await box.get('/metrics')).body.toString(), /^aibox_gallery_people 1$/m);
  assert.equal((await box.get('/SophonDevice/api/Devices')).json.data.devices_list.length, 2);
  assert.deepEqual((await box.get('/SophonFogSys/api/EventServerUrl')).json.data.event_server_url, url.event_server_url);
  await box.stop();
});

test('the key may live apart from the data; without it, or with another, the box says why it does not start', async () => {
  const inside = path.join(data, 'seal.key');
  const apart = path.join(folder, 'apart.key');
  assert.equal(statSync(inside).mode & 0o777, 0o600);
  renameSync(inside, apart);
  await refused([], /key file is missing/);
  writeFileSync(path.join(folder, 'other.key'), `${'5a'.repeat(32)}\n`, { mode: 0o600 });
  await refused(['--key-file', path.join(folder, 'other.key')], /not the one/);
  const box = await Box.start({ data, args: ['--key-file', apart] });
  assert.match((await box.get('/metrics')).body.toString(), /^aibox_gallery_people 1$/m);
  await box.stop();
  copyFileSync(apart, inside);
});
