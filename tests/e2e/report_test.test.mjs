// Test messages to the receivers of reports: each kind in its real form, whatever the receiver does; nothing of it is counted.
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { keyOf, setUp } from './lib/access.mjs';
import { Box, run, temporaryFolder } from './lib/box.mjs';
import { Receiver } from './lib/receiver.mjs';

let box, data;
before(async () => {
  data = temporaryFolder();
  box = await Box.start({ data });
});
after(async () => {
  await box.stop();
  rmSync(data, { recursive: true, force: true });
});
afterEach(async () => {
  await realtime([]);
  await history([]);
  await monitor('');
  await box.put('/api/settings', { 'reports.allow': '', 'reports.history_batch': false, 'reports.device_info_url': '' });
  await Receiver.stopAll();
});

async function set(name, body) {
  const answer = await box.post(`/SophonFogSys/api/${name}`, { 'content-type': 'json', ...body });
  assert.equal(answer.status, 200, answer.body.toString());
}
const realtime = (urls, more) => set('EventServerUrl', { event_server_url: urls, ...more });
const history = (urls, more) => set('HistoryEventUrl', { history_upload_event_url: urls, reported_peroid: 1, ...more });
const monitor = (url) => set('MonitorServerUrl', { monitor_server_url: url, reported_peroid: 86400 });
async function send(kind, url) {
  const answer = await box.post('/api/reports/test', { kind, url });
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json.data;
}

/** What is promised of the fields that differ from one to the next. */
function same({ took_ms, ...said }, wanted) {
  assert.ok(took_ms >= 0 && took_ms < 12000, `${took_ms} ms`);
  assert.deepEqual(said, wanted);
}

function isTestEvent(event, history) {
  const { identity_id, ext_data, timestamp, ...rest } = event;
  assert.deepEqual(rest, { identity_name: 'test message', group_name: '', reg_pic: '', score: 0 });
  assert.equal(identity_id, `test-${ext_data.event_id}`);
  assert.ok(Math.abs(timestamp - Date.now()) < 60000);
  assert.deepEqual([ext_data.reason, ext_data.spot_pic, ext_data.recognize_face, 'want_action' in ext_data], ['test', '', '', history]);
}

test('an event in real time and of the history, as JSON, as a form, in a batch', async () => {
  const receiver = await Receiver.start({ answer: () => ({ status: 201, body: '谢谢'.repeat(200) }) });
  const [now, then] = [`${receiver.url}/RealTimeEvent`, `${receiver.url}/HistoryEvent`];
  await realtime([now]);
  await history([then]);
  const wanted = { kind: 'realtime', url: now, taken: true, http_status: 201, answer: '谢谢'.repeat(85), error: '' };
  same(await send('realtime', now), wanted);
  same(await send('history'), { ...wanted, kind: 'history', url: then });
  const [first, second] = receiver.requests;
  assert.deepEqual([first.path, second.path], ['/RealTimeEvent', '/HistoryEvent']);
  isTestEvent(first.json, false);
  isTestEvent(second.json, true);
  assert.equal(first.headers['idempotency-key'], first.json.ext_data.event_id);
  await realtime([now], { 'content-type': 'form-data' });
  await send('realtime');
  const { form } = receiver.requests[2];
  isTestEvent({ ...form, ext_data: JSON.parse(form.ext_data), score: Number(form.score), timestamp: Number(form.timestamp) }, false);
  await box.put('/api/settings', { 'reports.history_batch': true });
  await send('history');
  assert.equal(receiver.requests[3].json.length, 1);
  isTestEvent(receiver.requests[3].json[0], true);
});

test('nothing is counted, stored or moved', async () => {
  const receiver = await Receiver.start();
  await realtime([receiver.url]);
  await history([receiver.url]);
  const before = (await box.get('/api/reports')).json.data;
  for (const kind of ['realtime', 'history', 'history']) await send(kind);
  receiver.answer = () => 500;
  assert.equal((await send('history')).taken, false);
  assert.deepEqual((await box.get('/api/reports')).json.data, before);
  assert.equal((await box.get('/SophonFace/api/events')).json.pagination.total_count, 0);
  assert.equal(receiver.all.length, 4);
  assert.doesNotMatch(box.stderr, /does not take reports/);
});

test('the status, marked; a device that never was', async () => {
  const receiver = await Receiver.start({ answer: ({ path: to }) => ({ body: to === '/status' ? '' : '{"status": 0}' }) });
  await monitor(`${receiver.url}/status`);
  await receiver.until(({ requests }) => requests.length >= 1, 'the first status');
  const [real] = receiver.requests;
  assert.equal((await send('monitor')).taken, true);
  const marked = receiver.requests.filter(({ json }) => json.gateway_ext_data.status_desc === 'test message');
  assert.equal(marked.length, 1);
  const [{ json }] = marked;
  assert.equal(json.gateway_sn, real.json.gateway_sn);
  assert.deepEqual(Object.keys(json), Object.keys(real.json));
  assert.deepEqual(Object.keys(json.gateway_ext_data), Object.keys(real.json.gateway_ext_data));

  const url = `${receiver.url}/devices`;
  const last = () => receiver.requests.filter(({ path: to }) => to === '/devices').at(-1);
  await box.put('/api/settings', { 'reports.device_info_url': url });
  assert.equal((await send('outbox')).taken, true);
  const { actionType, deviceInfo } = last().json;
  assert.deepEqual([actionType, deviceInfo.epName, deviceInfo.memo, deviceInfo.epStatus], [2, 'test message', 'test message', '3']);
  assert.match(deviceInfo.epId, /__test$/);
  const body = '{"status": 7, "message": "no such device"}';
  receiver.answer = () => ({ body });
  const error = 'the answer does not say status 0';
  same(await send('outbox'), { kind: 'outbox', url, taken: false, http_status: 200, answer: body, error });
});

test('a receiver that refuses, hangs, breaks off, or is not there', async () => {
  const receiver = await Receiver.start({ answer: () => ({ status: 503, body: 'closed on sundays' }) });
  const gone = await Receiver.start();
  await realtime([receiver.url, gone.url]);
  await gone.stop();
  const base = { kind: 'realtime', url: receiver.url, taken: false };
  same(await send('realtime', receiver.url), { ...base, http_status: 503, answer: 'closed on sundays', error: 'answered with HTTP status 503' });
  receiver.answer = () => 'hang';
  same(await send('realtime'), { ...base, http_status: 0, answer: '', error: 'no answer within 0.5 s' });
  receiver.answer = () => 'reset';
  assert.equal((await send('realtime')).http_status, 0);
  same(await send('realtime', gone.url), { ...base, url: gone.url, http_status: 0, answer: '', error: 'no connection' });
  receiver.answer = () => ({ status: 302, headers: { Location: 'http://127.0.0.2/' } });
  assert.match((await send('realtime')).error, /redirect to somewhere else/);
});

test('a certificate that nobody vouches for', async () => {
  const at = (name) => path.join(data, name);
  const made = await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1',
    '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', at('key.pem'), '-out', at('cert.pem')]);
  assert.equal(made.code, 0, made.stderr);
  const receiver = await Receiver.start({ server: https.createServer({ key: readFileSync(at('key.pem')), cert: readFileSync(at('cert.pem')) }) });
  await history([`https://127.0.0.1:${receiver.port}/`]);
  const { taken, http_status, error } = await send('history');
  assert.deepEqual([taken, http_status], [false, 0]);
  assert.match(error, /certificate/);
  assert.equal(receiver.all.length, 0);
});

test('reports.allow counts; credentials are not shown', async () => {
  const receiver = await Receiver.start();
  const url = `http://user:geheim@127.0.0.1:${receiver.port}/x`;
  const shown = `http://***@127.0.0.1:${receiver.port}/x`;
  await realtime([url]);
  assert.equal((await send('realtime', shown)).taken, true);
  assert.equal(receiver.requests[0].headers.authorization, `Basic ${Buffer.from('user:geheim').toString('base64')}`);
  await box.put('/api/settings', { 'reports.allow': '10.0.0.0/8' });
  const refused = await send('realtime', url);
  assert.deepEqual([refused.url, refused.taken, refused.http_status], [shown, false, 0]);
  assert.match(refused.error, /reports\.allow/);
  assert.equal(receiver.all.length, 1);
  const audit = JSON.stringify((await box.get('/api/audit')).json.data);
  assert.ok(audit.includes('/api/reports/test') && audit.includes('kind=realtime') && audit.includes(`url=${shown}`));
  assert.ok(!audit.includes('geheim') && !box.stderr.includes('geheim'));
});

test('only receivers that are set, by administrators', async () => {
  const refused = async (body, code, field) => {
    const { json } = await box.post('/api/reports/test', body);
    assert.equal(json.error.code, code, JSON.stringify(body));
    assert.ok(json.error.message.includes(field), json.error.message);
  };
  for (const kind of ['realtime', 'history', 'monitor', 'outbox', 'devices']) {
    await refused({ kind }, 40491, 'url');
    await refused({ kind, url: 'http://127.0.0.1:9/' }, 40491, 'url');
  }
  await refused({}, 40091, 'kind');
  await refused({ kind: 'result' }, 40091, 'kind');
  await refused({ kind: 'history', url: '' }, 40091, 'url');
  await refused({ kind: 'history', url: 'x'.repeat(1025) }, 40091, 'url');
  const closed = await Box.start({ settings: { 'access.mode': 'closed' } });
  try {
    const operator = await keyOf(await setUp(closed), closed, 'o', 'operator');
    assert.equal((await operator.post('/api/reports/test', { kind: 'history' })).status, 403);
  } finally {
    await closed.stop();
  }
});

test('one at a time; the stop of the box does not wait for it', async () => {
  const receiver = await Receiver.start({ answer: () => 'hang' });
  await history([receiver.url]);
  const first = box.post('/api/reports/test', { kind: 'history' }).catch(() => undefined);
  await receiver.until(({ all }) => all.length === 1);
  const second = await box.post('/api/reports/test', { kind: 'history' });
  assert.equal(second.json.error.code, 42900);
  const start = performance.now();
  await box.stop();
  assert.ok(performance.now() - start < 5000, 'the stop');
  await first;
  box = await Box.start({ data });
});
