// The event history: searching it by a picture, deleting events and their pictures.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { Box } from './lib/box.mjs';
import { base64, blank, encode, people } from './lib/pictures.mjs';
import { until } from './lib/until.mjs';

let box, folk;
const made = []; // {id, who}, in the order of time

before(async () => {
  box = await Box.start();
  folk = await people(box, 4);
  for (const who of [0, 1])
    assert.equal(
      (await box.post('/SophonFogSys/api/users', {
        identity_id: `p${who}`, group_name: '', reg_photo: base64(folk[who].photo), fiqa_level: 'no', info: { name: `p${who}` } })).status,
      200,
    );
  const device = await box.post('/SophonDevice/api/Devices', {
    devices_list: [{ device_id: 'gate', device_name: 'gate', device_key: '10.1.2.3', ep_type: '0', dedup_seconds: 0 }] });
  assert.equal(device.status, 200, device.body);
  // The first two are people, 2 and 3 strangers; those with an odd number come from the gate.
  for (const [i, who] of [0, 1, 2, 0, 3, 0, 1, 0].entries()) {
    const place = i % 2 === 1 ? { device_ip: '10.1.2.3' } : { group_name: 'default_group' };
    const photo = i % 2 === 1 ? folk[who].photo : folk[who].other;
    const answer = await box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(photo), ...place });
    assert.equal(answer.status, 200, answer.body);
    made.push({ id: answer.json.event_id, who });
  }
});
after(() => box.stop());

const search = (who, more = {}) =>
  box.post('/SophonMatch/api/picturesearch', { face_image_base64: base64(folk[who].photo), ...more });
const ids = (answer) => answer.json.event_list.map((event) => event._id);
const of = (...who) => made.filter((event) => who.includes(event.who)).map((event) => event.id);
const list = async (query = '') => (await box.get(`/SophonFace/api/events?per_page=100${query}`)).json;

test('finds the events of a person, newest first, strangers as well', async () => {
  for (const who of [0, 1, 2, 3]) {
    const answer = await search(who);
    assert.equal(answer.status, 200, answer.body);
    assert.deepEqual(ids(answer), of(who).reverse());
    const { data, ...top } = answer.json;
    assert.deepEqual(data, top);
    assert.equal(top.total_count, of(who).length);
    assert.equal(top.have_more, false);
    assert.equal(top.endtimestamp, top.event_list.at(-1).timestamp);
    assert.ok(top.total_time > 0 && top.total_time < 60);
  }
});

test('an event in the list is that of the history, with the similarity as its score', async () => {
  const [found] = (await search(0)).json.event_list;
  const event = (await list()).data.find((candidate) => candidate._id === found._id);
  const { score, recognition_score, ...rest } = found;
  assert.deepEqual({ ...rest, score: recognition_score }, event);
  assert.ok(score > 0.9, 'the very picture');
});

test('threshold: everything at 0, nothing at 1, words', async () => {
  assert.deepEqual(ids(await search(0, { threshold: 0 })), made.map((event) => event.id).reverse());
  assert.equal((await search(0, { threshold: 1 })).json.total_count <= of(0).length, true);
  assert.deepEqual(ids(await search(0, { threshold: 'high' })), of(0).reverse());
});

test('reverse: oldest first', async () => {
  assert.deepEqual(ids(await search(0, { reverse: true })), of(0));
});

test('sort by score: most similar first, or least', async () => {
  const scores = async (more) => (await search(0, { threshold: 0, sort: 'score', ...more })).json.event_list.map((e) => e.score);
  const best = await scores({});
  assert.equal(best.length, made.length);
  assert.deepEqual(best, [...best].sort((a, b) => b - a));
  assert.deepEqual(await scores({ reverse: true }), [...best].reverse());
  assert.deepEqual(await scores({ limit: 3 }), best.slice(0, 3));
  assert.deepEqual(await scores({ limit: 3, reverse: true }), [...best].reverse().slice(0, 3));
  assert.equal((await search(0, { sort: 'score', threshold: 0, limit: 3 })).json.have_more, true);
  const refused = await search(0, { sort: 'score', last_end_timestamp: 5 });
  assert.equal(refused.json.error.code, 40091);
  assert.match(refused.json.error.message, /last_end_timestamp/);
});

test('pages by last_end_timestamp hold every event once', async () => {
  for (const reverse of [false, true]) {
    for (const limit of [1, 3, 8]) {
      const seen = [];
      let answer, last = 0;
      do {
        answer = await search(0, { threshold: 0, limit, reverse, last_end_timestamp: last });
        assert.equal(answer.status, 200, answer.body);
        assert.equal(answer.json.total_count, made.length);
        seen.push(...ids(answer));
        last = answer.json.endtimestamp;
        assert.equal(answer.json.have_more, seen.length < made.length);
      } while (answer.json.have_more);
      const all = made.map((event) => event.id);
      assert.deepEqual(seen, reverse ? all : all.reverse());
    }
  }
});

test('starttime and endtime', async () => {
  const events = (await list()).data;
  const middle = events.find((event) => event._id === made[3].id).timestamp / 1000;
  const from = ids(await search(0, { threshold: 0, starttime: middle, reverse: true }));
  const to = ids(await search(0, { threshold: 0, endtime: middle, reverse: true }));
  assert.equal(from.at(0), made[3].id);
  assert.equal(to.at(-1), made[3].id);
  assert.equal(from.length + to.length, made.length + 1);
  assert.deepEqual(ids(await search(0, { threshold: 0, starttime: 1, endtime: 2 })), []);
  assert.equal((await search(0, { starttime: 1, endtime: 2 })).json.endtimestamp, 0);
  assert.deepEqual(ids(await search(0, { threshold: 0, endtime: 0 })), []);
});

test('device_id_list: device ids or ep_ids', async () => {
  const gate = made.filter((_, i) => i % 2 === 1).map((event) => event.id);
  const event = (await list()).data.find((candidate) => candidate._id === gate[0]);
  for (const device_id_list of [['gate'], ['nowhere', event.ext_data.ep_id], 'gate'])
    assert.deepEqual(ids(await search(0, { threshold: 0, reverse: true, device_id_list })), gate);
  assert.deepEqual(ids(await search(0, { threshold: 0, device_id_list: ['nowhere'] })), []);
});

test('form-data with a file', async () => {
  const answer = await box.form('POST', '/SophonMatch/api/picturesearch', {
    face_image_base64: { filename: 'a.jpg', type: 'image/jpeg', bytes: folk[1].photo }, limit: '1' });
  assert.deepEqual(ids(answer), of(1).reverse().slice(0, 1));
  assert.equal(answer.json.have_more, true);
});

test('wrong arguments', async () => {
  for (const [more, code] of [
    [{ face_image_base64: undefined }, 40091],
    [{ face_image_base64: '!' }, 40003],
    [{ face_image_base64: base64(encode(blank(80, 80))) }, 40004],
    [{ limit: 0 }, 40091],
    [{ limit: 1001 }, 40091],
    [{ sort: 'name' }, 40091],
    [{ threshold: 1.5 }, 40091],
    [{ threshold: 'sure' }, 40091],
    [{ reverse: 'x' }, 40005],
    [{ starttime: 'x' }, 40091],
    [{ last_end_timestamp: -1 }, 40091],
  ])
    assert.equal((await search(0, more)).json.error?.code, code, JSON.stringify(more));
});

test('DELETE event_images: the picture goes, from the disk too; the event stays', async () => {
  const event = (await list()).data.find((candidate) => candidate._id === made[0].id);
  const picture = (id) => box.get(`/SophonFace/api/event_images/${id}`);
  assert.equal((await picture(event.spot_pic_id)).status, 200);
  const answer = await box.delete('/SophonFace/api/event_images', { image_id_list: [event.spot_pic_id, 'unknown'] });
  assert.deepEqual(answer.json, { data: {} });
  assert.equal((await picture(event.spot_pic_id)).status, 404);
  assert.equal((await box.get(`/SophonFace/api/event_images/${event._id}?kind=spot`)).status, 404);
  assert.equal((await picture(event.recognize_face_pic_id)).status, 200);
  const later = (await list()).data.find((candidate) => candidate._id === event._id);
  assert.deepEqual(later, { ...event, spot_pic_id: '' });
  assert.ok(ids(await search(0)).includes(event._id), 'found by its face as before');
  for (const image_id_list of [undefined, [], '', ',', [','], {}])
    assert.equal((await box.delete('/SophonFace/api/event_images', { image_id_list })).json.error.code, 40091);
});

test("DELETE event_images does not take people's photos", async () => {
  const person = (await box.get('/SophonFogSys/api/users?identity_id=p0')).json.data.identities_list[0];
  await box.delete('/SophonFace/api/event_images', { image_id_list: person.info.image_id });
  assert.equal((await box.get(`/SophonFace/api/images/${person.info.image_id}`)).status, 200);
});

test('DELETE events: refused without ids or a confirmed filter', async () => {
  for (const body of [
    {},
    { confirm: true },
    { identity_id: 'p0' },
    { identity_id: 'p0', confirm: false },
    { name: '', confirm: true },
    { groups: [], confirm: true },
    { event_id_list: [] },
    { event_id_list: '' },
    { event_id_list: [], identity_id: 'p0', confirm: true },
    { event_id_list: [made[0].id], identity_id: 'p1', confirm: true },
    { event_id_list: {} },
    { userType: 9, confirm: true },
  ]) {
    const answer = await box.delete('/SophonFace/api/events', body);
    assert.equal(answer.json.error?.code, 40091, JSON.stringify(body));
  }
  assert.equal((await list()).pagination.total_count, made.length);
});

test('DELETE events by ids: a list, or separated by commas', async () => {
  const event = (await list()).data.find((candidate) => candidate._id === made[7].id);
  assert.deepEqual((await box.delete('/SophonFace/api/events', { event_id_list: [made[7].id, 'unknown'] })).json, { data: {} });
  assert.equal((await box.get(`/SophonFace/api/event_images/${event.spot_pic_id}`)).status, 404);
  assert.deepEqual((await box.delete('/SophonFace/api/events', { event_id_list: `${made[6].id}, ${made[5].id}` })).json, { data: {} });
  assert.deepEqual((await list()).data.map((candidate) => candidate._id), made.slice(0, 5).map((m) => m.id).reverse());
  assert.deepEqual(ids(await search(0)), [made[3].id, made[0].id]);
  const files = readdirSync(box.data).filter((name) => statSync(path.join(box.data, name)).isFile());
  await until(() => files.every((name) => !readFileSync(path.join(box.data, name)).includes(made[6].id)));
});

test('DELETE events by a confirmed filter', async () => {
  assert.equal((await box.delete('/SophonFace/api/events', { identity_id: 'p0', datetime_lte: 0, confirm: true })).status, 200);
  assert.equal((await list()).pagination.total_count, 5, 'nothing is that old');
  assert.equal((await box.delete('/SophonFace/api/events', { identity_id: 'p0', confirm: true })).status, 200);
  const left = (await list()).data;
  assert.ok(left.length > 0 && left.every((event) => event.identity_id !== 'p0'));
  assert.equal((await box.delete('/SophonFace/api/events', { datetime_gte: 0, confirm: 'true' })).status, 200);
  assert.equal((await list()).pagination.total_count, 0);
});
