// Which platform the box belongs to: DevSno and LoginUrl.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { Box, temporaryFolder } from './lib/box.mjs';

const devSno = '/SophonMQ/api/DevSno';
const loginUrl = '/SophonMQ/api/LoginUrl';

let box, data;
before(async () => {
  data = temporaryFolder();
  box = await Box.start({ data });
});
after(async () => {
  await box.stop();
  rmSync(data, { recursive: true, force: true });
});

test('empty on a new box', async () => {
  assert.deepEqual((await box.get(devSno)).json, { data: { response: '', dev_sno: '' } });
  assert.deepEqual((await box.get(loginUrl)).json, { data: { response: '', login_url: '' } });
});

test('set, read, kept over a restart', async () => {
  const url = 'http://platform.example:9061/login?site=东门';
  assert.deepEqual((await box.put(devSno, { dev_sno: 'SE0001' })).json, { data: { response: 'SE0001' } });
  assert.deepEqual((await box.put(loginUrl, { login_url: url })).json, { data: { response: url } });
  for (let i = 0; i < 2; i++) {
    assert.deepEqual((await box.get(devSno)).json, { data: { response: 'SE0001', dev_sno: 'SE0001' } });
    assert.deepEqual((await box.get(loginUrl)).json, { data: { response: url, login_url: url } });
    assert.equal((await box.get('/api/settings?key=cloud.dev_sno')).json.data['cloud.dev_sno'].value, 'SE0001');
    if (i === 0) {
      await box.stop();
      box = await Box.start({ data });
    }
  }
});

test('integers are taken as text', async () => {
  assert.deepEqual((await box.put(devSno, { dev_sno: 4711 })).json, { data: { response: '4711' } });
});

test('wrong values change nothing', async () => {
  for (const [path, body, field] of [
    [devSno, {}, 'dev_sno'],
    [devSno, { dev_sno: null }, 'dev_sno'],
    [devSno, { dev_sno: ['a'] }, 'dev_sno'],
    [devSno, { dev_sno: 1.5 }, 'dev_sno'],
    [devSno, { dev_sno: 'x'.repeat(65) }, 'dev_sno'],
    [devSno, { dev_sno: 'a\nb' }, 'dev_sno'],
    [loginUrl, { dev_sno: 'x' }, 'login_url'],
    [loginUrl, { login_url: 'platform.example' }, 'login_url'],
    [loginUrl, { login_url: 'ftp://platform.example/' }, 'login_url'],
    [loginUrl, { login_url: 'http:///login' }, 'login_url'],
  ]) {
    const answer = await box.put(path, body);
    assert.equal(answer.json.error?.code, 40091, JSON.stringify(body));
    assert.ok(answer.json.error.message.includes(field), answer.json.error.message);
  }
  assert.equal((await box.get(devSno)).json.data.response, '4711');
  assert.match((await box.get(loginUrl)).json.data.response, /^http:\/\/platform/);
  assert.equal((await box.put('/api/settings', { 'cloud.login_url': 'nonsense' })).json.error.code, 40091);
});

test("'' switches platform mode off", async () => {
  assert.deepEqual((await box.put(devSno, { dev_sno: '' })).json, { data: { response: '' } });
  assert.deepEqual((await box.put(loginUrl, { login_url: '' })).json, { data: { response: '' } });
  assert.equal((await box.get(devSno)).json.data.dev_sno, '');
});

test('a value fixed on the command line is not changed', async () => {
  const fixed = await Box.start({ settings: { 'cloud.dev_sno': 'FIXED' } });
  const answer = await fixed.put(devSno, { dev_sno: 'other' });
  assert.equal(answer.json.error.code, 40091);
  assert.match(answer.json.error.message, /dev_sno.*--set/);
  assert.equal((await fixed.get(devSno)).json.data.dev_sno, 'FIXED');
  await fixed.stop();
});
