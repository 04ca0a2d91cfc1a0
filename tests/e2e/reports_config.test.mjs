// Where reports go: the three blocks of addresses, set and read over REST.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { Box, temporaryFolder } from './lib/box.mjs';

const events = '/SophonFogSys/api/EventServerUrl';
const history = '/SophonFogSys/api/HistoryEventUrl';
const monitor = '/SophonFogSys/api/MonitorServerUrl';

let box, data;
before(async () => {
  data = temporaryFolder();
  box = await Box.start({ data });
});
after(async () => {
  await box.stop();
  rmSync(data, { recursive: true, force: true });
});

const read = async (path) => (await box.get(path)).json.data;
async function refused(path, body, field) {
  const before = await read(path);
  const answer = await box.post(path, body);
  assert.equal(answer.status, 400, JSON.stringify(body));
  assert.equal(answer.json.error.code, 40091);
  assert.ok(answer.json.error.message.includes(field), answer.json.error.message);
  assert.deepEqual(await read(path), before, 'nothing changed');
}

const eventDefaults = {
  'content-type': 'json',
  real_need_reg_pic: true,
  real_need_spot_pic: true,
  real_need_recognize_face: true,
  real_need_send_all_person_type: false,
};
const historyDefaults = {
  'content-type': 'json',
  reported_peroid: 20,
  history_need_reg_pic: true,
  history_need_spot_pic: true,
  history_need_recognize_face: true,
  from: 'now',
};

test('a new box reports nothing', async () => {
  assert.deepEqual(await read(events), { event_server_url: [], ...eventDefaults });
  assert.deepEqual(await read(history), { history_upload_event_url: [], ...historyDefaults });
  assert.deepEqual(await read(monitor), { monitor_server_url: '', 'content-type': 'json', reported_peroid: 20 });
});

test('EventServerUrl: a POST sets the whole block', async () => {
  const all = {
    event_server_url: ['http://10.0.0.1:9528/RealTimeEvent', 'https://b.example/x?y=z'],
    'content-type': 'form-data',
    real_need_reg_pic: false,
    real_need_spot_pic: false,
    real_need_recognize_face: false,
    real_need_send_all_person_type: true,
  };
  const answer = await box.post(events, all);
  assert.equal(answer.status, 200, answer.body);
  assert.deepEqual(answer.json, { data: all });
  assert.deepEqual(await read(events), all);
  const short = await box.post(events, { event_server_url: ['http://a/'], 'content-type': 'json' });
  assert.deepEqual(short.json.data, { event_server_url: ['http://a/'], ...eventDefaults });
});

test('HistoryEventUrl: with a message, from now or the oldest', async () => {
  const all = {
    history_upload_event_url: ['http://10.0.0.1:9528/HistoryEvent'],
    'content-type': 'json',
    reported_peroid: 1,
    history_need_reg_pic: false,
    history_need_spot_pic: true,
    history_need_recognize_face: false,
    from: 'oldest',
  };
  const { json } = await box.post(history, all);
  assert.equal(typeof json.data.message, 'string');
  const { message, ...rest } = json.data;
  assert.deepEqual(rest, all);
  assert.deepEqual(await read(history), all);
  await box.post(history, { history_upload_event_url: ['http://a/'], 'content-type': 'form-data', reported_peroid: '30' });
  assert.deepEqual(await read(history), {
    history_upload_event_url: ['http://a/'],
    ...historyDefaults,
    'content-type': 'form-data',
    reported_peroid: 30,
  });
});

test('MonitorServerUrl: answers ok', async () => {
  const block = { monitor_server_url: 'http://10.0.0.1/状态', 'content-type': 'json', reported_peroid: 5 };
  const answer = await box.post(monitor, block);
  assert.deepEqual(answer.json, { data: 'ok' });
  assert.deepEqual(await read(monitor), block);
  await refused(monitor, { ...block, 'content-type': 'form-data' }, 'content-type');
});

test('forms: one address, several, JSON text', async () => {
  const one = await box.form('POST', events, { event_server_url: 'http://a/1', 'content-type': 'json', real_need_reg_pic: 'False' });
  assert.deepEqual(one.json.data.event_server_url, ['http://a/1']);
  assert.equal(one.json.data.real_need_reg_pic, false);
  const two = await box.form('POST', events, { event_server_url: ['http://a/1', 'http://a/2'], 'content-type': 'json' });
  assert.deepEqual(two.json.data.event_server_url, ['http://a/1', 'http://a/2']);
  const text = await box.form('POST', events, { event_server_url: '["http://a/3"]', 'content-type': 'json' });
  assert.deepEqual(text.json.data.event_server_url, ['http://a/3']);
  const form = await box.form('POST', monitor, { monitor_server_url: 'http://a/', reported_peroid: '3' });
  assert.deepEqual(form.json, { data: 'ok' });
});

test('what is no address, or missing, is refused and changes nothing', async () => {
  for (const url of ['ftp://a/', 'a.example', 'http://', 'http://:80/', 'http:///x', 'http://a/#b', 'http://a b/', `http://a/${'x'.repeat(1020)}`]) {
    await refused(events, { event_server_url: ['http://good/', url], 'content-type': 'json' }, 'event_server_url');
    await refused(history, { history_upload_event_url: [url], 'content-type': 'json' }, 'history_upload_event_url');
    await refused(monitor, { monitor_server_url: url, 'content-type': 'json' }, 'monitor_server_url');
  }
  await refused(events, { 'content-type': 'json' }, 'event_server_url');
  await refused(events, { event_server_url: ['http://a/'] }, 'content-type');
  await refused(events, { event_server_url: ['http://a/'], 'content-type': 'xml' }, 'content-type');
  await refused(events, { event_server_url: { a: 1 }, 'content-type': 'json' }, 'event_server_url');
  await refused(events, { event_server_url: Array.from({ length: 17 }, (_, i) => `http://a/${i}`), 'content-type': 'json' }, 'event_server_url');
  await refused(history, { history_upload_event_url: [], 'content-type': 'json', reported_peroid: 0 }, 'reported_peroid');
  await refused(history, { history_upload_event_url: [], 'content-type': 'json', reported_peroid: 1.5 }, 'reported_peroid');
  await refused(history, { history_upload_event_url: [], 'content-type': 'json', from: 'yesterday' }, 'from');
  await refused(monitor, { 'content-type': 'json' }, 'monitor_server_url');
  const flag = await box.post(events, { event_server_url: [], 'content-type': 'json', real_need_reg_pic: 'maybe' });
  assert.equal(flag.json.error.code, 40005);
});

test('the same address twice counts once', async () => {
  const { json } = await box.post(events, { event_server_url: ['http://a/', 'http://b/', 'http://a/'], 'content-type': 'json' });
  assert.deepEqual(json.data.event_server_url, ['http://a/', 'http://b/']);
});

test('a restart keeps the blocks', async () => {
  const before = await Promise.all([events, history, monitor].map(read));
  assert.ok(before[0].event_server_url.length > 0);
  await box.stop();
  box = await Box.start({ data });
  assert.deepEqual(await Promise.all([events, history, monitor].map(read)), before);
});

test("[], [''] and '' turn reports off", async () => {
  for (const none of [[], ['']]) {
    await box.post(events, { event_server_url: ['http://a/'], 'content-type': 'json' });
    const off = await box.post(events, { event_server_url: none, 'content-type': 'json' });
    assert.deepEqual(off.json.data.event_server_url, []);
  }
  const form = await box.form('POST', history, { history_upload_event_url: '', 'content-type': 'json' });
  assert.deepEqual(form.json.data.history_upload_event_url, []);
  assert.equal((await box.post(monitor, { monitor_server_url: '' })).status, 200);
  assert.equal((await read(monitor)).monitor_server_url, '');
});
