// Every branch of the decision, over the wire: what a door terminal is told, what becomes an event, and what the relay is
// made to do. Each row stands alone: whom it shows, what is set before, what must come out.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Box } from './lib/box.mjs';
import { addCamera, allEvents, connected, ftpSettings } from './lib/camera_kit.mjs';
import { base64, blank, decode, encode, people, remap } from './lib/pictures.mjs';
import { modbusRelay } from './lib/relays.mjs';
import { until } from './lib/until.mjs';

const address = '10.7.0.1';
const door = 2;
const alarm = 4;

let box, relay, folk, gate, camera, client;
before(async () => {
  [box, relay] = await Promise.all([Box.start({ settings: await ftpSettings() }), modbusRelay()]);
  folk = await people(box, 2);
  await box.post('/SophonFogSys/api/permissions', { permission_name: 'lab', description: '' });
  const netRelay = { ip: relay.host, net_port: relay.port, relay_type: 'modbus', door_port: door, alarm_port: alarm, channels: 4, delay_time: 255 };
  gate = { device_id: 'gate', device_key: address, ep_type: '4', dedup_seconds: 0, netRelay };
  const made = await box.post('/SophonDevice/api/Devices', { devices_list: [gate] });
  assert.equal(made.status, 200, made.body);
  camera = await addCamera(box, '10.7.0.2', { netRelay });
  client = await connected(camera);
});
after(async () => {
  client.close();
  relay.close();
  await box.stop();
});

async function settings(values) {
  const answer = await box.put('/api/settings', values);
  assert.equal(answer.status, 200, answer.body);
}
async function device(change) {
  const answer = await box.put('/SophonDevice/api/Devices', { devices_list: [{ device_id: 'gate', ...change }] });
  assert.equal(answer.status, 200, answer.body);
}

/** The one person there is, as enrolled by a row. */
async function enrol(info = {}, identity_id = 'p0') {
  const answer = await box.post('/SophonFogSys/api/users', {
    identity_id, group_name: 'default_group', reg_photo: base64(folk[0].photo), fiqa_level: 'no', info: { name: identity_id, ...info },
  });
  assert.equal(answer.status, 200, answer.body);
}

const usual = {
  'recognition.threshold': 'auto', 'liveness.threshold': 0.5, 'events.low_quality': false, passmode: 'normal',
};
const usualDevice = { fiqa_level: 'no', liveness_mode: 'off', permission_id: '', threshold: 'auto', dedup_seconds: 0 };

/** Who has been shown to the gate: the answer, without what another row has left behind. */
async function show(photo) {
  const answer = await box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(photo), device_ip: address });
  assert.equal(answer.status, 200, answer.body);
  return answer.json;
}

/** The channels that were switched on since the last call; all are off afterwards. */
async function switched() {
  const action = { action_ip: relay.host, action_port: relay.port, action_mode: 'closedoor', relay_type: 'modbus' };
  const closed = await box.put('/SophonFogSys/api/EventAction', { action: [action] }); // after all that was ordered before
  assert.equal(closed.status, 200, closed.body);
  const log = relay.log.splice(0);
  return log.slice(0, -1).flatMap(({ first, on }) => (on[0] ? [first + 1] : []));
}

const ago = (hours) => new Date(Date.now() - hours * 3600000);
const local = (time) => {
  const pad = (n) => String(n).padStart(2, '0');
  return `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())} ${pad(time.getHours())}:${pad(time.getMinutes())}`;
};
const visitor = (startTime, endTime) => ({ type: 2, ext_info: { startTime, endTime } });

const known = { who: 0, retcode: '1', reason: 'passed', verdict: 'known', type: 1, moves: [door] };
const shut = { retcode: '0', moves: [] };
const refused = { ...shut, reason: 'no_permission' };

/* `who`: 0 the person, 1 a stranger. `event`: false for none. `type`: the event's person_type. */
const rows = [
  ['somebody known passes', { ...known }],
  ['a stranger', { ...known, ...shut, who: 1, reason: 'stranger', verdict: 'unknown', type: 4 }],
  ['quality below the level: no event', { ...known, ...shut, small: true, device: { fiqa_level: 'high' }, reason: 'low_quality', event: false }],
  ['… an event when it is set', { ...known, ...shut, small: true, device: { fiqa_level: 'high' }, settings: { 'events.low_quality': true }, reason: 'low_quality' }],
  ['quality goes before liveness', { ...known, ...shut, small: true, device: { fiqa_level: 'high', liveness_mode: 'rgb' }, settings: { 'liveness.threshold': 1 }, reason: 'low_quality', event: false }],
  ['not live', { ...known, ...shut, device: { liveness_mode: 'rgb' }, settings: { 'liveness.threshold': 1 }, reason: 'liveness' }],
  ['liveness is judged where it is on', { ...known, settings: { 'liveness.threshold': 1 } }],
  ['liveness goes before who it is', { ...known, ...shut, who: 1, device: { liveness_mode: 'rgb' }, settings: { 'liveness.threshold': 1 }, reason: 'liveness', verdict: 'unknown', type: 4 }],
  ['live enough', { ...known, device: { liveness_mode: 'rgb' }, settings: { 'liveness.threshold': 0 } }],
  ['just below the threshold: uncertain', { ...known, ...shut, small: true, above: 0.02, reason: 'uncertain', verdict: 'uncertain', type: 4 }],
  ['just below the device\'s own threshold', { ...known, ...shut, small: true, deviceAbove: 0.02, reason: 'uncertain', verdict: 'uncertain', type: 4 }],
  ['well below the threshold: a stranger', { ...known, ...shut, small: true, above: 0.08, reason: 'stranger', verdict: 'unknown', type: 4 }],
  ['two people who can\'t be told apart: uncertain', { ...known, ...shut, twin: true, reason: 'uncertain', verdict: 'uncertain', type: 4 }],
  ['blacklisted: the alarm', { ...known, ...shut, info: { type: 3 }, reason: 'blacklisted', type: 3, moves: [alarm] }],
  ['blacklisted goes before permission', { ...known, ...shut, info: { type: 3 }, device: { permission_id: 'lab' }, reason: 'blacklisted', type: 3, moves: [alarm] }],
  ['blacklisted goes before passmode', { ...known, ...shut, info: { type: 3 }, settings: { passmode: 'allpass' }, reason: 'blacklisted', type: 3, moves: [alarm] }],
  ['without the device\'s permission', { ...known, ...refused, device: { permission_id: 'lab' } }],
  ['with it', { ...known, info: { permission_ids: ['lab'] }, device: { permission_id: 'lab' } }],
  ['a device without permissions lets everybody pass', { ...known, info: { permission_ids: ['lab'] } }],
  ['a visitor in time', { ...known, info: visitor(local(ago(2)), local(ago(-2))), type: 2 }],
  ['a visitor too early', { ...known, ...refused, info: visitor(local(ago(-1)), local(ago(-2))), type: 2 }],
  ['a visitor too late', { ...known, ...refused, info: visitor(local(ago(3)), local(ago(1))), type: 2 }],
  ['a visitor in time, with seconds', { ...known, info: visitor(`${local(ago(2))}:59`, `${local(ago(-2))}:00`), type: 2 }],
  ['a visitor in time, Unix seconds', { ...known, info: visitor(Math.floor(ago(2) / 1000), Math.floor(ago(-2) / 1000)), type: 2 }],
  ['a visitor too late, Unix milliseconds', { ...known, ...refused, info: visitor(+ago(3), String(+ago(1))), type: 2 }],
  ['a visitor whose times can\'t be read', { ...known, ...refused, info: visitor('tomorrow', local(ago(-2))), type: 2, logged: /can't be read/ }],
  ['times of somebody who is no visitor don\'t count', { ...known, info: { ext_info: { startTime: local(ago(3)), endTime: local(ago(1)) } } }],
  ['a visitor needs the permission too', { ...known, ...refused, info: visitor(local(ago(2)), local(ago(-2))), device: { permission_id: 'lab' }, type: 2 }],
  ['allpass: everybody known', { ...known, device: { permission_id: 'lab' }, settings: { passmode: 'allpass' } }],
  ['allpass: a visitor whose time is over', { ...known, info: visitor(local(ago(3)), local(ago(1))), settings: { passmode: 'allpass' }, type: 2 }],
  ['allpass: not a stranger', { ...known, ...shut, who: 1, settings: { passmode: 'allpass' }, reason: 'stranger', verdict: 'unknown', type: 4 }],
  ['allforbidden: nobody', { ...known, ...refused, settings: { passmode: 'allforbidden' } }],
];

test('each branch of the decision', async (t) => {
  await enrol();
  const { score } = await show(small());
  await switched();
  await box.delete('/SophonFogSys/api/users', { identity_id: 'p0' });
  for (const [name, row] of rows) {
    await t.test(name, async () => {
      await settings({ ...usual, ...row.settings, ...(row.above && { 'recognition.threshold': score + row.above }) });
      await device({ ...usualDevice, ...row.device, ...(row.deviceAbove && { threshold: score + row.deviceAbove }) });
      await box.delete('/SophonFogSys/api/users', { identity_id: 'p0' }); // what a row that failed has left
      await enrol(row.info);
      if (row.twin) await enrol({}, 'twin');
      const events = (await allEvents(box)).length;
      const logged = box.stderr.length;
      const answer = await show(row.small ? small() : folk[row.who].other);
      assert.equal(answer.reason, row.reason);
      assert.equal(answer.retcode, row.retcode);
      assert.equal(answer.verdict, row.verdict);
      const made = (await allEvents(box)).slice(events);
      assert.equal(made.length, row.event === false ? 0 : 1);
      assert.equal(answer.event_id, row.event === false ? '' : made[0]._id);
      if (made.length > 0) {
        assert.equal(made[0].reason, row.reason);
        assert.equal(made[0].ext_data.person_type, row.type);
        assert.equal(made[0].identity_name === 'stranger', row.type === 4);
      }
      assert.deepEqual(await switched(), row.moves);
      assert.equal(answer.action, row.moves[0] === door ? 'opendoor' : row.moves[0] === alarm ? 'alarm' : '');
      if (row.logged) assert.match(box.stderr.slice(logged), row.logged);
      await box.delete('/SophonFogSys/api/users', { identity_id: 'p0' });
      if (row.twin) await box.delete('/SophonFogSys/api/users', { identity_id: 'twin' });
    });
  }
  await settings(usual);
  await device(usualDevice);
});

/** The person, too small for the level `high`. */
function small() {
  const picture = decode(folk[0].other);
  const scale = 90 / Math.max(picture.width, picture.height);
  return encode(remap(picture, Math.round(picture.width * scale), Math.round(picture.height * scale), (x, y) => [x / scale, y / scale]));
}

test('nobody in the picture: no event, nothing moves', async () => {
  const events = (await allEvents(box)).length;
  const answer = await show(encode(blank(320, 240)));
  assert.equal(answer.reason, 'no_face');
  assert.equal(answer.retcode, '0');
  assert.equal((await allEvents(box)).length, events);
  assert.deepEqual(await switched(), []);
});

test('the same person again within dedup_seconds: one event, but the door opens again', async () => {
  await enrol();
  await device({ dedup_seconds: 3600 });
  const first = await show(folk[0].other);
  const again = await show(folk[0].other);
  assert.equal(again.event_id, first.event_id);
  assert.deepEqual(await switched(), [door, door]);
  // What has another outcome is another event.
  await settings({ passmode: 'allforbidden' });
  assert.notEqual((await show(folk[0].other)).event_id, first.event_id);
  await settings({ passmode: 'normal' });
  // Strangers are never merged, nor are calls that name a group.
  assert.notEqual((await show(folk[1].other)).event_id, (await show(folk[1].other)).event_id);
  const byGroup = () => box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(folk[0].other), group_name: 'default_group' });
  assert.notEqual((await byGroup()).json.event_id, (await byGroup()).json.event_id);
  await device(usualDevice);
  await switched();
  await box.delete('/SophonFogSys/api/users', { identity_id: 'p0' });
});

test('a capture camera decides by the same table', async () => {
  const cases = [
    [{}, 0, 'passed', [door]],
    [{ type: 3 }, 0, 'blacklisted', [alarm]],
    [visitor(local(ago(3)), local(ago(1))), 0, 'no_permission', []],
    [{}, 1, 'stranger', []],
  ];
  for (const [info, who, reason, moves] of cases) {
    await enrol(info);
    const events = (await allEvents(box)).length;
    assert.equal((await client.upload('x.jpg', folk[who].other)).code, 226);
    await until(async () => (await allEvents(box)).length === events + 1);
    const event = (await allEvents(box)).at(-1);
    assert.equal(event.reason, reason);
    assert.equal(event.ext_data.device_type, '1');
    assert.deepEqual(await switched(), moves);
    await box.delete('/SophonFogSys/api/users', { identity_id: 'p0' });
  }
});
