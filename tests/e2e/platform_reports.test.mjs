// What the box reports to the addresses that the platform's login names, beside those set by REST.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { Box, temporaryFolder } from './lib/box.mjs';
import { base64, people } from './lib/pictures.mjs';
import { Platform } from './lib/platform.mjs';
import { enrolAll, Receiver, show } from './lib/receiver.mjs';

// Reports need no broker: nobody listens there.
const broker = { host: '127.0.0.1', port: 9, login: 'box', password: 'secret', queue: 'queue' };

let box, data, folk, platform;
before(async () => {
  platform = await Platform.start({
    broker,
    login: {
      recordAddr: '/getRecord, /second',
      recordUploadPeriod: 1,
      recordUploadReg: 0,
      recordUploadInfo: 1,
      deviceInfoAddr: '/getDeviceInfo',
      deviceMonitorAddr: '/monitor',
      deviceMonitorPeriod: 1,
    },
  });
  data = temporaryFolder();
  box = await Box.start({ data });
  folk = await people(box, 2);
  await enrolAll(box, folk.slice(0, 1)); // the other one is a stranger
});
after(async () => {
  await box.stop();
  await platform.stop();
  await Receiver.stopAll();
  rmSync(data, { recursive: true, force: true });
});

const logIn = async (more = '') => {
  assert.equal((await box.put('/SophonMQ/api/LoginUrl', { login_url: platform.loginUrl + more })).status, 200);
};
const received = (path) => platform.received[path] ?? [];
const ids = (path) => received(path).map(({ json }) => json.ext_data.event_id);
const until = (path, n) => platform.until(() => received(path).length >= n, `${n} requests to ${path}`);
const state = async () => (await box.get('/api/reports')).json.data;

test('records begin with the oldest event, go to all addresses, and have what the login asks for', async () => {
  const first = (await show(box, folk[0].other)).event_id;
  assert.equal((await box.put('/SophonMQ/api/DevSno', { dev_sno: platform.devSno })).status, 200);
  await logIn();
  const second = (await show(box, folk[1].photo)).event_id;
  await until('/getRecord', 2);
  await until('/second', 2);
  for (const path of ['/getRecord', '/second']) assert.deepEqual(ids(path), [first, second]);
  const [known, stranger] = received('/getRecord');
  assert.deepEqual(known.query, { dev_sno: 'SE0001', token: '5c1e' });
  assert.equal(known.json.info.name, 'name of p0');
  assert.equal(known.json.reg_pic, '');
  assert.equal(known.json.ext_data.spot_pic, base64(folk[0].other));
  assert.equal(known.json.ext_data.dev_sno, 'SE0001');
  assert.deepEqual(stranger.json.info, {});
});

test('the status goes there too', async () => {
  await until('/monitor', 2);
  assert.equal(received('/monitor')[0].json.dev_sno, 'SE0001');
  assert.equal(received('/monitor')[0].query.token, '5c1e');
});

test('device operations go to the address of the login', async () => {
  const device = { device_id: 'east', device_name: 'east', device_key: '10.0.0.9', device_type: 'photo', ep_type: '0' };
  const answer = await box.post('/SophonDevice/api/Devices', { devices_list: [device] });
  assert.equal(answer.status, 200, answer.body);
  await until('/getDeviceInfo', 1);
  assert.equal(received('/getDeviceInfo')[0].json.actionType, 1);
});

test('test messages go there, too, with the token, which is not shown', async () => {
  const isTest = {
    history: ({ ext_data }) => ext_data.reason === 'test',
    monitor: ({ gateway_ext_data }) => gateway_ext_data.status_desc === 'test message',
    outbox: ({ deviceInfo }) => deviceInfo.epName === 'test message',
  };
  for (const [kind, to] of [['history', '/second'], ['monitor', '/monitor'], ['outbox', '/getDeviceInfo']]) {
    const { url } = (await state())[kind].find((lane) => lane.url.includes(to));
    const answer = await box.post('/api/reports/test', { kind, url });
    assert.equal(answer.status, 200, answer.body);
    assert.deepEqual([answer.json.data.url, answer.json.data.taken], [url, true], answer.body);
    assert.doesNotMatch(answer.body.toString(), /5c1e/);
    const came = received(to).filter(({ json }) => isTest[kind](json));
    assert.equal(came.length, 1, kind);
    assert.equal(came[0].query.token, '5c1e');
    if (kind === 'history') assert.deepEqual(came[0].json.info, {}, 'as the login asks');
    platform.received[to] = received(to).filter((each) => !came.includes(each));
  }
});

test('an address set by REST is sent to as well, one that both name once, by the token', async () => {
  const mine = await Receiver.start();
  const before = received('/getRecord').length;
  const set = await box.post('/SophonFogSys/api/HistoryEventUrl', {
    history_upload_event_url: [mine.url, `${platform.url}/getRecord`],
    'content-type': 'json',
    reported_peroid: 1,
    history_need_spot_pic: false,
  });
  assert.equal(set.status, 200, set.body);
  const made = (await show(box, folk[0].other)).event_id;
  await mine.until(({ requests }) => requests.length === 1);
  await until('/getRecord', before + 1);
  assert.deepEqual(mine.eventIds(), [made]);
  assert.equal(mine.requests[0].json.info, undefined);
  const record = received('/getRecord').at(-1);
  assert.equal(record.query.token, '5c1e');
  assert.equal(record.json.ext_data.spot_pic, '');
  assert.equal(record.json.reg_pic, base64(folk[0].photo));
  assert.equal((await state()).history.length, 3);
});

test('a new login changes the token and nothing else; a token is shown nowhere', async () => {
  platform.token = 'a9b8';
  await logIn('?again=1');
  const made = (await show(box, folk[0].other)).event_id;
  await platform.until(() => ids('/second').includes(made), 'the next record');
  assert.deepEqual(ids('/second'), [...new Set(ids('/second'))].sort(), 'in order, none twice');
  assert.equal(received('/second').at(-1).query.token, 'a9b8');
  assert.doesNotMatch(JSON.stringify(await state()), /5c1e|a9b8/);
  assert.doesNotMatch(box.stderr, /5c1e|a9b8/);
});

test('what happens while the platform is away arrives after a restart', async () => {
  platform.fault('/second', 'error');
  platform.fault('/login', 'error');
  const waiting = [(await show(box, folk[0].other)).event_id];
  await box.stop();
  box = await Box.start({ data });
  waiting.push((await show(box, folk[0].other)).event_id);
  platform.heal();
  await platform.until(() => waiting.every((id) => ids('/second').includes(id)), 'the records', 60000);
  assert.equal(new Set(ids('/second')).size, ids('/second').length);
});
