// The photos of a person one by one: listed, taken away, chosen; what is recognised follows at once, whatever kills the box.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { keyOf, setUp } from './lib/access.mjs';
import { Box, temporaryFolder } from './lib/box.mjs';
import { base64, people } from './lib/pictures.mjs';

let box, data, folk;
before(async () => {
  data = temporaryFolder();
  box = await Box.start({ data });
  folk = await people(box, 4);
});
after(async () => {
  await box.stop();
  rmSync(data, { recursive: true, force: true });
});

async function enrol(id, ...photos) {
  for (const photo of photos) {
    const answer = await box.post('/SophonFogSys/api/users', {
      identity_id: id,
      group_name: 'default_group',
      reg_photo: base64(photo),
      fiqa_level: 'no',
      ignore_exist: true,
      info: { name: `name of ${id}` },
    });
    assert.equal(answer.status, 200, answer.body.toString());
  }
}
const pathOf = (id) => `/api/people/${encodeURIComponent(id)}/photos`;
const photosOf = async (id) => (await box.get(pathOf(id))).json.data.photos;
const match = async (photo) =>
  (await box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(photo), group_name: 'default_group' })).json;
const user = async (id) => (await box.get(`/SophonFogSys/api/users?identity_id=${encodeURIComponent(id)}`)).json.data.identities_list[0];

test('a photo of somebody else, taken away: only the person is recognised', async () => {
  await enrol('ann/1', folk[0].photo, folk[1].photo);
  const [mine, other] = await photosOf('ann/1');
  assert.deepEqual([mine.portrait, other.portrait], [false, true]);
  assert.ok(mine.created <= other.created && other.created <= Date.now());
  assert.deepEqual((await user('ann/1')).info.face_ids, [mine.face_id, other.face_id]);
  assert.equal((await match(folk[1].other)).identity_id, 'ann/1');
  const before = await match(folk[0].other);

  const answer = await box.delete(pathOf('ann/1'), { face_id: other.face_id });
  assert.equal(answer.status, 200, answer.body.toString());
  assert.deepEqual(answer.json.data, { identity_id: 'ann/1', photos: [{ ...mine, portrait: true }] });
  assert.equal((await match(folk[1].other)).reason, 'stranger');
  const now = await match(folk[0].other);
  assert.equal(now.identity_id, 'ann/1');
  assert.ok(now.score > before.score, `${now.score} > ${before.score}`);
  assert.deepEqual(Buffer.from(now.reg_pic, 'base64'), Buffer.from(folk[0].photo));
  assert.equal((await box.get(`/SophonFace/api/images/${other.image_id}`)).json.error.code, 40401);
  assert.equal((await box.get(`/SophonFace/api/images/${mine.image_id}`)).status, 200);
  const { info } = await user('ann/1');
  assert.deepEqual([info.face_ids, info.image_ids, info.image_id, info.name], [[mine.face_id], [mine.image_id], mine.image_id, 'name of ann/1']);
});

test('the photo that stands for the person', async () => {
  await enrol('bob', folk[2].photo, folk[2].other);
  const [first, second] = await photosOf('bob');
  assert.equal((await match(folk[2].photo)).reg_pic, base64(folk[2].other));
  const answer = await box.put(pathOf('bob'), { face_id: first.face_id });
  assert.deepEqual(answer.json.data.photos, [{ ...second, portrait: false }, { ...first, portrait: true }]);
  assert.equal((await match(folk[2].photo)).reg_pic, base64(folk[2].photo));
  assert.equal((await user('bob')).reg_photo, base64(folk[2].photo));
  const listed = (await box.get('/api/people?q=bob')).json.data.people_list[0];
  assert.deepEqual([listed.image_id, listed.faces], [first.image_id, 2]);
});

test('the only photo goes when that is meant, and the person stays', async () => {
  await enrol('eve', folk[3].photo);
  const [only] = await photosOf('eve');
  const refused = await box.delete(pathOf('eve'), { face_id: only.face_id });
  assert.equal(refused.json.error.code, 40091);
  assert.match(refused.json.error.message, /face_id.*allow_last/);
  assert.equal((await match(folk[3].other)).identity_id, 'eve');
  const answer = await box.form('DELETE', pathOf('eve'), { face_id: only.face_id, allow_last: 'true' });
  assert.deepEqual(answer.json.data, { identity_id: 'eve', photos: [] });
  assert.equal((await match(folk[3].other)).reason, 'stranger');
  const { info, reg_photo } = await user('eve');
  assert.deepEqual([info.name, info.image_id, reg_photo], ['name of eve', '', '']);
  await enrol('eve', folk[3].photo);
  assert.equal((await match(folk[3].other)).identity_id, 'eve');
});

test('what is not there is said, and changes nothing', async () => {
  const before = await photosOf('bob');
  const unknown = '00000000-0000-4000-8000-000000000000';
  const [eves] = await photosOf('eve');
  for (const [method, id, body, code] of [
    ['DELETE', 'nobody', { face_id: unknown }, 40401],
    ['DELETE', 'bob', { face_id: unknown }, 40491],
    ['DELETE', 'bob', { face_id: eves.face_id }, 40491],
    ['DELETE', 'bob', { face_id: '' }, 40091],
    ['DELETE', 'bob', {}, 40091],
    ['DELETE', 'bob', { face_id: before[0].face_id, allow_last: 'perhaps' }, 40005],
    ['DELETE', 'x'.repeat(65), { face_id: unknown }, 40091],
    ['PUT', 'bob', { face_id: eves.face_id }, 40491],
    ['PUT', 'nobody', { face_id: unknown }, 40401],
  ]) {
    const { json } = await box.send(method, pathOf(id), body);
    assert.equal(json.error?.code, code, JSON.stringify([method, id, body, json]));
  }
  assert.equal((await box.get(pathOf('nobody'))).json.error.code, 40401);
  assert.deepEqual(await photosOf('bob'), before);
});

test('killed in the middle: the photo is there with all that belongs to it, or gone with it', async () => {
  for (let round = 0; round < (process.env.AIBOX_LONG ? 30 : 4); round++) {
    await enrol('eve', folk[3].photo, folk[1].photo);
    const photos = await photosOf('eve');
    const going = box.delete(pathOf('eve'), { face_id: photos.at(-1).face_id }).then(
      ({ status }) => status,
      () => 0,
    );
    await new Promise((resolve) => setTimeout(resolve, round * 2));
    await box.kill('SIGKILL');
    const acknowledged = await going;
    box = await Box.start({ data });
    const left = await photosOf('eve');
    const gone = left.length === photos.length - 1;
    assert.ok(gone || left.length === photos.length);
    if (acknowledged === 200) assert.ok(gone, 'what was answered has happened');
    for (const { image_id } of left) assert.equal((await box.get(`/SophonFace/api/images/${image_id}`)).status, 200);
    const picture = await box.get(`/SophonFace/api/images/${photos.at(-1).image_id}`);
    assert.equal(picture.status, gone ? 404 : 200);
    for (const { face_id } of left.slice(1).reverse()) assert.equal((await box.delete(pathOf('eve'), { face_id })).status, 200);
  }
});

test('viewers look, operators change; the audit log names nobody', async () => {
  const closed = await Box.start({ settings: { 'access.mode': 'closed' } });
  try {
    const admin = await setUp(closed);
    const viewer = await keyOf(admin, closed, 'v', 'viewer');
    const operator = await keyOf(admin, closed, 'o', 'operator');
    const feature = Array.from({ length: 512 }, (_, i) => Math.sin(i));
    const person = { identity_id: 'secret-id', group_name: '', reg_photo: '', import_mode: true, feature, info: { name: 'N' } };
    for (const more of [{}, { ignore_exist: true }]) assert.equal((await operator.post('/SophonFogSys/api/users', { ...person, ...more })).status, 200);
    const [{ face_id, image_id }] = (await viewer.get(pathOf('secret-id'))).json.data.photos;
    assert.equal(image_id, '', 'a feature has no photo');
    assert.equal((await viewer.delete(pathOf('secret-id'), { face_id })).status, 403);
    assert.equal((await viewer.put(pathOf('secret-id'), { face_id })).status, 403);
    assert.equal((await closed.delete(pathOf('secret-id'), { face_id })).status, 401);
    assert.equal((await operator.delete(pathOf('secret-id'), { face_id })).status, 200);
    const kept = JSON.stringify((await admin.get('/api/audit')).json.data);
    assert.ok(kept.includes('/api/people/{identity_id}/photos'));
    assert.ok(!kept.includes('secret-id'));
  } finally {
    await closed.stop();
  }
});
