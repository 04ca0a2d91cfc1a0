// What the box sends by itself: history with cursors, real-time events, status, device operations.
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Box, run, temporaryFolder } from './lib/box.mjs';
import { base64, people } from './lib/pictures.mjs';
import { enrolAll, Receiver, show } from './lib/receiver.mjs';

const realtimePath = '/SophonFogSys/api/EventServerUrl';
const historyPath = '/SophonFogSys/api/HistoryEventUrl';

let box, data, folk;
const settings = { 'reports.set_aside_seconds': 2 };

before(async () => {
  data = temporaryFolder();
  box = await Box.start({ data, settings });
  folk = await people(box, 4);
  await enrolAll(box, folk.slice(0, 3)); // the last one is a stranger
});
after(async () => {
  await box.stop();
  rmSync(data, { recursive: true, force: true });
});

afterEach(async () => {
  await history([]);
  await realtime([]);
  await box.put('/api/settings', { 'reports.allow': '', 'reports.history_batch': false, 'cloud.send_pictures': 'all' });
  await Receiver.stopAll();
});

const post = async (path, body) => {
  const answer = await box.post(path, { 'content-type': 'json', ...body });
  assert.equal(answer.status, 200, answer.body);
};
const history = (urls, more = {}) => post(historyPath, { history_upload_event_url: urls, reported_peroid: 1, ...more });
const realtime = (urls, more = {}) => post(realtimePath, { event_server_url: urls, ...more });
async function selfSigned() {
  const at = (name) => path.join(data, name);
  const made = await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1',
    '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', at('key.pem'), '-out', at('cert.pem')]);
  assert.equal(made.code, 0, made.stderr);
  return { key: readFileSync(at('key.pem')), cert: readFileSync(at('cert.pem')) };
}
const state = async () => (await box.get('/api/reports')).json.data;

test('history: an event has all its fields', async () => {
  const receiver = await Receiver.start();
  await history([`${receiver.url}/HistoryEvent`]);
  const known = await show(box, folk[0].other, { grab_fiqa_info: { confidence: 0.9 } });
  const stranger = await show(box, folk[3].photo);
  await receiver.until(({ requests }) => requests.length === 2);
  const [first, second] = receiver.requests;
  assert.equal(first.method, 'POST');
  assert.equal(first.path, '/HistoryEvent');
  assert.equal(first.headers['content-type'], 'application/json');
  assert.equal(first.headers['idempotency-key'], known.event_id);
  const { ext_data, reg_pic, ...rest } = first.json;
  assert.deepEqual(rest, {
    identity_id: 'p0',
    identity_name: 'name of p0',
    group_name: 'default_group',
    timestamp: rest.timestamp,
    score: known.score,
  });
  assert.equal(String(rest.timestamp).length, 13);
  assert.equal(reg_pic, base64(folk[0].photo));
  assert.equal(ext_data.event_id, known.event_id);
  assert.equal(ext_data.spot_pic, base64(folk[0].other));
  assert.ok(Buffer.from(ext_data.recognize_face, 'base64').subarray(0, 2).equals(Buffer.from([0xff, 0xd8])));
  assert.deepEqual(ext_data.grab_fiqa_info, { confidence: 0.9 });
  assert.equal(typeof ext_data.box_fiqa_info.fiqa_result, 'boolean');
  assert.equal(ext_data.person_type, 1);
  assert.equal(ext_data.reason, 'passed');
  assert.equal(ext_data.supersedes, '');
  assert.equal(ext_data.dev_sno, '');
  assert.equal(ext_data.want_action, '0');
  for (const key of ['device_ip', 'ep_id', 'device_type']) assert.equal(ext_data[key], '', key);
  assert.equal(second.json.identity_name, 'stranger');
  assert.notEqual(second.json.identity_id, '');
  assert.equal(second.json.reg_pic, '');
  assert.equal(second.json.ext_data.person_type, 4);
  assert.equal(second.json.ext_data.event_id, stranger.event_id);
});

test('history: tried again until it is taken, in order, each event once', async () => {
  const receiver = await Receiver.start({
    answer: ({ n }) => (n === 0 ? 'reset' : [500, 200, 404, 200, 200, 503, 301][n % 7]),
  });
  await history([receiver.url]);
  const made = [];
  for (let i = 0; i < 6; i++) made.push((await show(box, folk[i % 3].other)).event_id);
  await receiver.until(({ requests }) => requests.length >= 6);
  assert.deepEqual(receiver.eventIds(), made);
});

test('history: a URL starts now, or with the oldest; one that returns goes on', async () => {
  const [now, oldest] = [await Receiver.start(), await Receiver.start()];
  await history([now.url]);
  const first = (await show(box, folk[0].other)).event_id;
  await now.until(({ requests }) => requests.length === 1);
  assert.deepEqual(now.eventIds(), [first]);
  await history([]);
  const second = (await show(box, folk[1].other)).event_id;
  await history([now.url, oldest.url], { from: 'oldest' });
  await now.until(({ requests }) => requests.length === 2);
  assert.deepEqual(now.eventIds(), [first, second]);
  const { json } = await box.get('/SophonFace/api/events?per_page=100');
  const kept = json.data.map((event) => event._id).reverse();
  await oldest.until(({ requests }) => requests.length === kept.length);
  assert.deepEqual(oldest.eventIds(), kept);
});

test('history: a dead receiver holds up no other', async () => {
  const alive = await Receiver.start();
  const hanging = await Receiver.start({ answer: () => 'hang' });
  await history([hanging.url, 'http://127.0.0.1:9/', alive.url]);
  const made = (await show(box, folk[0].other)).event_id;
  await alive.until(({ requests }) => requests.length === 1);
  assert.deepEqual(alive.eventIds(), [made]);
});

test('history: form-data', async () => {
  const receiver = await Receiver.start();
  await history([receiver.url], { 'content-type': 'form-data' });
  const made = await show(box, folk[0].other);
  await receiver.until(({ requests }) => requests.length === 1);
  const { form } = receiver.requests[0];
  assert.equal(form.identity_id, 'p0');
  assert.equal(form.identity_name, 'name of p0');
  assert.equal(form.reg_pic, base64(folk[0].photo));
  assert.equal(form.timestamp.length, 13);
  assert.equal(Number(form.score), made.score);
  const ext = JSON.parse(form.ext_data);
  assert.equal(ext.event_id, made.event_id);
  assert.equal(ext.spot_pic, base64(folk[0].other));
});

test('history: pictures that are switched off are empty, one by one and altogether', async () => {
  const receiver = await Receiver.start();
  const pictures = async (block) => {
    await history([receiver.url], block);
    const before = receiver.requests.length;
    await show(box, folk[0].other);
    await receiver.until(({ requests }) => requests.length === before + 1);
    const { reg_pic, ext_data } = receiver.events().at(-1);
    return [reg_pic, ext_data.spot_pic, ext_data.recognize_face].map((text) => text !== '');
  };
  assert.deepEqual(await pictures({}), [true, true, true]);
  assert.deepEqual(await pictures({ history_need_reg_pic: false }), [false, true, true]);
  assert.deepEqual(await pictures({ history_need_spot_pic: false }), [true, false, true]);
  assert.deepEqual(await pictures({ history_need_recognize_face: false }), [true, true, false]);
  await box.put('/api/settings', { 'cloud.send_pictures': 'events' });
  assert.deepEqual(await pictures({}), [false, true, true]);
  await box.put('/api/settings', { 'cloud.send_pictures': 'never' });
  assert.deepEqual(await pictures({}), [false, false, false]);
});

test('history: batches, and one bad event among them', async () => {
  let bad;
  const receiver = await Receiver.start({
    answer: ({ json }) => (json.some((event) => event.ext_data.event_id === bad) ? 422 : 200),
  });
  await box.put('/api/settings', { 'reports.history_batch': true });
  await history(['http://127.0.0.1:9/']); // holds the events back until all are there
  const made = [];
  for (let i = 0; i < 7; i++) made.push((await show(box, folk[i % 3].other)).event_id);
  bad = made[4];
  await history([receiver.url], { from: 'oldest' });
  await receiver.until(() => receiver.eventIds().includes(made[6]));
  assert.ok(Array.isArray(receiver.requests[0].json));
  assert.ok(receiver.requests.some(({ json }) => json.length > 1));
  assert.equal(receiver.requests[0].headers['idempotency-key'], undefined);
  const ids = receiver.eventIds();
  assert.deepEqual(ids.slice(-6), made.filter((id) => id !== bad));
  assert.equal(new Set(ids).size, ids.length);
});

test('history: refused for too long is set aside, and can be sent again', async () => {
  let bad, healed = false;
  const receiver = await Receiver.start({
    answer: ({ json }) => (!healed && json.ext_data.event_id === bad ? 400 : 200),
  });
  await history([receiver.url]);
  bad = (await show(box, folk[0].other)).event_id;
  const good = (await show(box, folk[1].other)).event_id;
  await receiver.until(() => receiver.eventIds().includes(good));
  assert.deepEqual(receiver.eventIds(), [good]);
  const { history: [lane] } = await state();
  assert.equal(lane.set_aside, 1);
  assert.equal(lane.url, receiver.url);
  const list = (await box.get(`/api/reports/set_aside?url=${encodeURIComponent(receiver.url)}`)).json.data;
  assert.deepEqual(list.map(({ url, event_id, answered, resend }) => ({ url, event_id, answered, resend })), [
    { url: receiver.url, event_id: bad, answered: 400, resend: false },
  ]);
  assert.equal((await box.post('/api/reports/resend', { event_id: good })).json.error.code, 40491);
  const tries = receiver.all.length;
  assert.deepEqual((await box.post('/api/reports/resend', { url: receiver.url })).json.data, { count: 1 });
  await receiver.until(({ all }) => all.length > tries); // refused again: stays set aside
  assert.equal((await state()).history[0].set_aside, 1);
  healed = true;
  await box.post('/api/reports/resend', { event_id: bad });
  await receiver.until(() => receiver.eventIds().includes(bad));
  for (let i = 0; (await state()).history[0].set_aside !== 0; i++) {
    assert.ok(i < 100, 'it is no longer set aside');
    await sleep(50);
  }
});

test('history: goes on where it was after a restart', async () => {
  const receiver = await Receiver.start();
  await history([receiver.url]);
  const first = (await show(box, folk[0].other)).event_id;
  await receiver.until(({ requests }) => requests.length === 1);
  receiver.answer = () => 503;
  const second = (await show(box, folk[1].other)).event_id;
  await receiver.until(({ all }) => all.length >= 2);
  await box.stop();
  receiver.answer = () => 200;
  box = await Box.start({ data, settings });
  await receiver.until(({ requests }) => requests.length === 2);
  assert.deepEqual(receiver.eventIds(), [first, second]);
});

test('history: what was deleted is not sent', async () => {
  const receiver = await Receiver.start({ answer: () => 500 });
  await history([receiver.url]);
  const gone = (await show(box, folk[0].other)).event_id;
  const stays = (await show(box, folk[1].other)).event_id;
  await receiver.until(({ all }) => all.length >= 1);
  assert.equal((await box.delete('/SophonFace/api/events', { event_id_list: [gone] })).status, 200);
  receiver.answer = () => 200;
  await receiver.until(() => receiver.eventIds().includes(stays));
  assert.deepEqual(receiver.eventIds(), [stays]);
});

test('real-time: at once, known people only unless told otherwise', async () => {
  const receiver = await Receiver.start();
  await realtime([`${receiver.url}/RealTimeEvent`]);
  const stranger = await show(box, folk[3].photo);
  const known = await show(box, folk[0].other);
  await receiver.until(({ requests }) => requests.length === 1);
  const [{ json, headers, path }] = receiver.requests;
  assert.equal(path, '/RealTimeEvent');
  assert.equal(headers['idempotency-key'], known.event_id);
  assert.equal(json.identity_id, 'p0');
  assert.equal(json.score, known.score);
  assert.equal(json.reg_pic, base64(folk[0].photo));
  assert.equal(json.ext_data.spot_pic, base64(folk[0].other));
  assert.equal(json.ext_data.event_id, known.event_id);
  assert.equal(json.ext_data.want_action, undefined);
  await realtime([receiver.url], { real_need_send_all_person_type: true, real_need_reg_pic: false });
  await show(box, folk[3].photo);
  await show(box, folk[0].other);
  await receiver.until(({ requests }) => requests.length === 3);
  assert.deepEqual(receiver.events().slice(1).map((event) => event.identity_name), ['stranger', 'name of p0']);
  assert.equal(receiver.events()[2].reg_pic, '');
  assert.ok(!receiver.eventIds().includes(stranger.event_id));
  await realtime([receiver.url], { 'content-type': 'form-data' });
  await show(box, folk[0].other);
  await receiver.until(({ requests }) => requests.length === 4);
  assert.equal(receiver.requests[3].form.identity_id, 'p0');
});

test('real-time: one try for each, and a receiver that hangs delays no other', async () => {
  const hanging = await Receiver.start({ answer: () => 'hang' });
  const failing = await Receiver.start({ answer: () => 500 });
  const alive = await Receiver.start();
  await realtime([hanging.url, failing.url, alive.url]);
  const made = [];
  for (let i = 0; i < 4; i++) made.push((await show(box, folk[i % 3].other)).event_id);
  await alive.until(({ requests }) => requests.length === 4);
  assert.deepEqual(alive.eventIds(), made);
  await failing.until(({ all }) => all.length === 4);
  await hanging.until(({ all }) => all.length === 4); // half a second each
  const gaps = hanging.all.slice(1).map(({ at }, i) => at - hanging.all[i].at);
  assert.ok(Math.min(...gaps) >= 450, `${gaps}`);
  assert.deepEqual(hanging.all.map(({ json }) => json.ext_data.event_id), made);
  await sleep(700);
  assert.equal(failing.all.length, 4);
  assert.equal(hanging.all.length, 4);
  assert.equal(alive.connections, 1, 'the connection is kept');
  const lanes = (await state()).realtime;
  assert.deepEqual(lanes.map(({ url, down, sent, failed }) => [url, down, sent, failed]), [
    [hanging.url, true, 0, 4],
    [failing.url, true, 0, 4],
    [alive.url, false, 4, 0],
  ]);
  assert.match(lanes[0].last_error, /no answer within 0\.5 s/);
  assert.match(lanes[1].last_error, /500/);
});

test('redirects are followed to the same host only', async () => {
  const other = await Receiver.start();
  const receiver = await Receiver.start({
    answer: ({ path }) =>
      ({ '/same': { status: 307, headers: { Location: '/there' } }, '/there': 200 })[path] ?? {
        status: 307,
        headers: { Location: `http://localhost:${other.port}/` },
      },
  });
  await history([`${receiver.url}/same`]);
  await show(box, folk[0].other);
  await receiver.until(({ requests }) => requests.length === 1);
  assert.equal(receiver.requests[0].path, '/there');
  assert.equal(receiver.requests[0].method, 'POST');
  assert.equal(receiver.requests[0].json.identity_id, 'p0');
  await history([`${receiver.url}/other`]);
  await show(box, folk[0].other);
  await receiver.until(({ all }) => all.filter(({ path }) => path === '/other').length >= 2);
  assert.equal(other.all.length, 0);
  assert.match((await state()).history[0].last_error, /redirect/);
});

test('reports.allow guards where reports go', async () => {
  const receiver = await Receiver.start();
  const allow = (value) => box.put('/api/settings', { 'reports.allow': value });
  await allow('10.0.0.0/8, example.org');
  await history([receiver.url]);
  const first = (await show(box, folk[0].other)).event_id;
  for (let i = 0; !(await state()).history[0].last_error.includes('reports.allow'); i++) {
    assert.ok(i < 100);
    await sleep(50);
  }
  assert.equal(receiver.all.length, 0);
  assert.equal(receiver.connections, 0, 'nothing is even connected');
  await allow('10.0.0.0/8, 127.0.0.0/8');
  await receiver.until(({ requests }) => requests.length === 1);
  assert.deepEqual(receiver.eventIds(), [first]);
  await allow('LOCALHOST'); // by name, whatever its address; an open connection is judged anew
  await show(box, folk[0].other);
  for (let i = 0; !(await state()).history[0].down; i++) {
    assert.ok(i < 100);
    await sleep(50);
  }
  assert.equal(receiver.requests.length, 1);
  await history([`http://localhost:${receiver.port}/`, receiver.url]);
  await show(box, folk[0].other);
  await receiver.until(({ requests }) => requests.length === 2);
  assert.equal(receiver.requests[1].headers.host, `localhost:${receiver.port}`);
});

test('certificates are verified', async () => {
  const { key, cert } = await selfSigned();
  const receiver = await Receiver.start({ server: https.createServer({ key, cert }) });
  await history([`https://127.0.0.1:${receiver.port}/`]);
  await show(box, folk[0].other);
  for (let i = 0; !(await state()).history[0].down; i++) {
    assert.ok(i < 200);
    await sleep(50);
  }
  assert.match((await state()).history[0].last_error, /certificate|SSL|TLS/i);
  assert.equal(receiver.all.length, 0);
});

test('what is shown and counted', async () => {
  const receiver = await Receiver.start({ answer: () => 500 });
  const secret = receiver.url.replace('http://', 'http://user:geheim@');
  await history([secret]);
  const before = (await state()).history[0];
  assert.deepEqual([before.waiting, before.oldest_seconds, before.down], [0, 0, false]);
  await show(box, folk[0].other);
  await show(box, folk[0].other);
  await receiver.until(({ all }) => all.length >= 3);
  assert.equal(receiver.all[0].headers.authorization, `Basic ${base64('user:geheim')}`);
  const answer = await box.get('/api/reports');
  const [lane] = answer.json.data.history;
  assert.equal(lane.waiting, 2);
  assert.ok(lane.oldest_seconds > 0);
  assert.ok(lane.failed >= 2 && lane.down);
  assert.ok(lane.last_failure > 1.6e12 && lane.last_error === 'answered with HTTP status 500');
  const metrics = (await box.get('/metrics')).body.toString();
  const shown = secret.replace('user:geheim', '***');
  assert.match(metrics, new RegExp(`aibox_report_waiting\\{kind="history",url="${shown.replaceAll('*', '\\*')}"\\} 2`));
  assert.match(metrics, /aibox_report_up\{kind="history",[^}]*\} 0/);
  for (const text of [answer.body.toString(), metrics, box.stderr]) assert.ok(!text.includes('geheim'));
  receiver.answer = () => 200;
  await receiver.until(({ requests }) => requests.length === 2);
  for (let i = 0; (await state()).history[0].waiting !== 0; i++) {
    assert.ok(i < 100);
    await sleep(50);
  }
  const said = box.stderr.split('\n').filter((line) => line.includes(String(receiver.port)));
  assert.equal(said.length, 2, `lost once, back once: ${said.join('\n')}`);
});

test('status: every period, at once when a device changes, offline at the end', async () => {
  const receiver = await Receiver.start();
  const monitor = (url, period) =>
    box.post('/SophonFogSys/api/MonitorServerUrl', { monitor_server_url: url, 'content-type': 'json', reported_peroid: period });
  assert.equal((await monitor(`${receiver.url}/SophonFogStatus`, 1)).status, 200);
  await receiver.until(({ requests }) => requests.length >= 3);
  const { json, path: to } = receiver.requests[1];
  assert.equal(to, '/SophonFogStatus');
  assert.equal(json.gateway_ip, '127.0.0.1');
  assert.equal(json.gateway_name, os.hostname());
  assert.equal(json.gateway_status, 'online');
  assert.equal(typeof json.gateway_sn, 'string');
  assert.deepEqual(json.sub_devices, []);
  const { gateway_ext_data: ext } = json;
  assert.match(ext.gateway_mac, /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
  assert.match(ext.sdk_version, /^[^/]+\/[0-9a-f]+/);
  assert.deepEqual([ext.status, ext.status_desc], ['0', '']);
  assert.ok(ext.cpu_usage >= 0 && ext.cpu_usage <= 100 && ext.cpu_use === ext.cpu_usage);
  assert.ok(Math.abs(ext.memory_size - os.totalmem() / 2 ** 30) < 0.01);
  assert.ok(ext.memory_usage > 0 && ext.memory_usage < 1 && ext.memory_use === ext.memory_usage);
  assert.ok(ext.disk_size > 0 && ext.disk_free_size > 0 && ext.disk_use >= 0 && ext.disk_use <= 1);
  assert.ok(Number.isFinite(ext.temperature));
  const gap = receiver.requests[2].at - receiver.requests[1].at;
  assert.ok(gap > 900, `${gap} ms`);

  await monitor(receiver.url, 3600);
  const latest = () => receiver.requests.at(-1).json;
  const device = { device_name: 'east gate', device_key: '192.0.2.7', ep_type: '0' };
  const added = await box.post('/SophonDevice/api/Devices', { devices_list: [device] });
  assert.equal(added.status, 200, added.body);
  await receiver.until(() => latest().sub_devices.length === 1, 'the new device');
  const [ep] = latest().sub_devices;
  assert.equal(ep.ep_status, 'offline');
  assert.match(ep.ep_id, /^0x[0-9a-f]{12}__192\.0\.2\.7$/);
  assert.deepEqual(
    [ep.ep_name, ep.ep_ip, ep.ep_location, ep.ep_type, ep.ep_url, ep.ep_ext_data],
    ['east gate', '192.0.2.7', '', '0', '', { sw_version: '', group_name: 'default_group' }],
  );
  await show(box, folk[0].other, { group_name: undefined, device_ip: '192.0.2.7' });
  await receiver.until(() => latest().sub_devices[0].ep_status === 'online', 'the device to be online');
  await box.put('/api/settings', { 'box.name': '东门' });
  await receiver.until(() => latest().gateway_name === '东门', 'the new name');
  await box.stop();
  assert.equal(latest().gateway_status, 'offline');
  box = await Box.start({ data, settings });
  await receiver.until(() => latest().gateway_status === 'online', 'the first one after the start');
  await box.delete('/SophonDevice/api/Devices', { clear_all: true });
  await receiver.until(() => latest().sub_devices.length === 0, 'no device');
  await monitor('', 20);
});

test('status: a receiver that hangs does not hold up the stop', async () => {
  const receiver = await Receiver.start({ answer: () => 'hang' });
  await realtime([receiver.url]);
  await box.post('/SophonFogSys/api/MonitorServerUrl', { monitor_server_url: receiver.url, reported_peroid: 1 });
  await receiver.until(({ all }) => all.length >= 1);
  await history([`${receiver.url}/history`]);
  await show(box, folk[0].other);
  await receiver.until(({ all }) => all.some(({ path }) => path === '/history'));
  const asked = receiver.all.find(({ path }) => path === '/history').at;
  await box.stop();
  const since = performance.now() - asked;
  assert.ok(since < 30000, `the box waited for an answer, ${since} ms long`); // as it does when it goes on
  box = await Box.start({ data, settings });
  await box.post('/SophonFogSys/api/MonitorServerUrl', { monitor_server_url: '' });
});

test('device operations arrive, whatever happens to box and receiver', async () => {
  const answers = [500, { body: '{"status": 1, "message": "later"}' }, { body: 'ok' }];
  const ok = { body: '{"status": 0, "message": "ok", "data": null}' };
  const receiver = await Receiver.start({ answer: () => answers.shift() ?? ok });
  const devices = '/SophonDevice/api/Devices';
  await box.put('/api/settings', { 'reports.device_info_url': `${receiver.url}/getDeviceInfo` });
  await box.put('/api/settings', { 'cloud.dev_sno': 'SE0001' });
  const rtsp = 'rtsp://user:geheim@192.0.2.9/live';
  const added = await box.post(devices, {
    devices_list: [
      { device_id: 'cam', device_name: 'hall', device_key: rtsp, ep_type: '2', memo: 'north', direction: 1, is_monitor: true },
      { device_id: 'pad', device_key: '192.0.2.8', ep_type: '4' },
    ],
  });
  assert.equal(added.status, 200, added.body);
  await receiver.until(({ all }) => all.length === 5);
  const [first, second] = receiver.all.slice(3).map(({ json }) => json);
  for (const { json } of receiver.all.slice(0, 3)) assert.deepEqual(json, first, 'the same until it is taken');
  assert.deepEqual(first, {
    actionType: 1,
    actiontype: 1,
    deviceInfo: {
      epId: 'SE0001__192.0.2.9', devSno: 'SE0001', direction: 1, epType: '2', memo: 'north', epName: 'hall', epIp: '192.0.2.9',
      epStatus: '3', epVersion: '', epGroupName: 'default_group', epStreamUrl: 'rtsp://192.0.2.9/live', lastMonitorTime: 0,
      isMonitor: true, privilegeGroupKey: '',
    },
  });
  assert.equal(second.deviceInfo.epId, 'SE0001__192.0.2.8');
  assert.equal(second.deviceInfo.epStreamUrl, '');

  receiver.answer = () => 503;
  assert.equal((await box.delete(devices, { devices_list: [{ device_id: 'cam' }] })).status, 200);
  await receiver.until(({ all }) => all.length >= 6);
  const [lane] = (await state()).outbox;
  assert.equal(lane.waiting, 1);
  assert.ok(lane.down);
  await box.kill('SIGKILL');
  receiver.answer = () => ok;
  const taken = receiver.requests.length;
  box = await Box.start({ data, settings });
  await receiver.until(({ requests }) => requests.length === taken + 1);
  const gone = receiver.requests.at(-1).json;
  assert.deepEqual([gone.actionType, gone.deviceInfo.epName, gone.deviceInfo.epId], [2, 'hall', 'SE0001__192.0.2.9']);

  receiver.answer = () => 503;
  assert.equal((await box.delete(devices, { clear_all: true })).status, 200);
  await receiver.until(({ all }) => all.at(-1).status === 503);
  await box.put('/api/settings', { 'reports.device_info_url': '' }); // nobody is to get it any more
  assert.deepEqual((await state()).outbox, []);
  receiver.answer = () => ok;
  const before = receiver.all.length;
  await box.post(devices, { devices_list: [{ device_id: 'quiet', device_key: '192.0.2.8', ep_type: '4' }] });
  await box.put('/api/settings', { 'reports.device_info_url': receiver.url });
  await box.delete(devices, { clear_all: true });
  await receiver.until(({ all }) => all.length > before);
  assert.equal(receiver.all[before].json.actionType, 2, 'only what happened since');
  await box.put('/api/settings', { 'reports.device_info_url': '', 'cloud.dev_sno': '' });
});
