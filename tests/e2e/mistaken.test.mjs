// Faces that are taken for somebody else: a person enrolled twice, and a look-alike whom an operator rejects.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { Box, temporaryFolder } from './lib/box.mjs';
import { base64, people } from './lib/pictures.mjs';
import { until } from './lib/until.mjs';
import { zip } from './lib/zip.mjs';

const USERS = '/SophonFogSys/api/users';
const MATCH = '/SophonMatch/api/PictureMatch';

let box, folk, data;

before(async () => {
  data = temporaryFolder();
  box = await Box.start({ data });
  folk = await people(box, 4);
});
after(async () => {
  await box.stop();
  rmSync(data, { recursive: true, force: true });
});

const enrol = (id, photo, more = {}) =>
  box.post(USERS, {
    identity_id: id,
    group_name: 'default_group',
    reg_photo: base64(photo),
    fiqa_level: 'no',
    need_reg_photo: false,
    info: { name: `name of ${id}` },
    ...more,
  });
const match = async (photo) => (await box.post(MATCH, { rgb_image_base64: base64(photo), group_name: 'default_group' })).json;
const feature = async (photo) =>
  (await box.post('/SophonFace/api/detect', { image_base64_str: base64(photo), with_feature: true })).json.data[0].feature;

test('a face enrolled under a second id is warned of, refused when asked, and told by imports', async () => {
  const first = await enrol('ann', folk[0].photo);
  assert.equal(first.status, 200, first.body);
  assert.equal(first.json.data.duplicate, undefined);
  assert.equal((await enrol('ben', folk[1].photo)).json.data.duplicate, undefined);

  const again = await enrol('ann2', folk[0].other, { allow_duplicate: false });
  assert.equal(again.json.error.code, 40011);
  assert.match(again.json.error.message, /reg_photo.*'ann'/);
  assert.equal((await box.get(`${USERS}?identity_id=ann2`)).status, 404);

  const warned = await enrol('ann2', folk[0].other);
  assert.equal(warned.status, 200, warned.body);
  const { duplicate } = warned.json.data;
  assert.equal(duplicate.identity_id, 'ann');
  assert.equal(duplicate.name, 'name of ann');
  assert.ok(duplicate.score > 0.5 && duplicate.score <= 1, `${duplicate.score}`);

  // Another photo of oneself is none.
  const mine = await enrol('ben', folk[1].other, { ignore_exist: true, allow_duplicate: false });
  assert.equal(mine.status, 200, mine.body);
  assert.equal(mine.json.data.duplicate, undefined);

  // A changed photo is judged, too; a changed name is not.
  const put = (more) => box.put(USERS, { identity_id: 'ben', fiqa_level: 'no', info: {}, ...more });
  const refused = await put({ reg_photo: base64(folk[0].photo), allow_duplicate: false });
  assert.equal(refused.json.error.code, 40011);
  assert.equal((await put({ info: { name: 'Ben' }, allow_duplicate: false })).json.data.duplicate, undefined);
  assert.match((await put({ reg_photo: base64(folk[0].photo) })).json.data.duplicate.identity_id, /^ann2?$/);
  assert.equal((await put({ reg_photo: base64(folk[1].photo) })).json.data.duplicate, undefined);

  const imported = async (query) => {
    const archive = zip({ 'Ann-ann3.jpg': folk[0].photo, 'Cat-cat.jpg': folk[2].photo });
    const begun = await box.request('POST', `/api/import?fiqa_level=no${query}`, { headers: { 'Content-Type': 'application/zip' }, body: archive });
    assert.equal(begun.status, 200, begun.body.toString());
    return until(async () => {
      const { json } = await box.get(`/api/jobs/${begun.json.data.job_id}?limit=10`);
      return !['queued', 'running'].includes(json.data.state) && Object.fromEntries(json.data.results.map((r) => [r.identity_id, r]));
    }, 'the end of an import');
  };
  const strict = await imported('&allow_duplicate=false');
  assert.equal(strict.ann3.code, 40011);
  assert.equal(strict.cat.outcome, 'created');
  const lax = await imported('');
  assert.equal(lax.ann3.outcome, 'created');
  assert.match(lax.ann3.duplicate.identity_id, /^ann2?$/);
  assert.equal(lax.cat.duplicate, undefined);
  assert.equal((await box.delete(USERS, { identity_ids: ['ann', 'ann2', 'ann3', 'ben', 'cat'] })).status, 200);
});

test('the limit is a setting', async () => {
  assert.equal((await enrol('ann', folk[0].photo)).status, 200);
  assert.equal((await box.put('/api/settings', { 'recognition.duplicate_threshold': 1 })).status, 200);
  assert.equal((await enrol('ann2', folk[0].other)).json.data.duplicate, undefined);
  assert.equal((await box.put('/api/settings', { 'recognition.duplicate_threshold': 'auto' })).status, 200);
  assert.equal((await enrol('ann3', folk[0].other)).json.data.duplicate.identity_id.slice(0, 3), 'ann');
  assert.equal((await box.delete(USERS, { identity_ids: ['ann', 'ann2', 'ann3'] })).status, 200);
});

test('a rejected look-alike is not taken for the person again, the person is', async () => {
  // Somebody whose template has something of another, whom they are mistaken for.
  const [own, other] = [await feature(folk[0].photo), await feature(folk[3].photo)];
  const blend = own.map((v, i) => 0.75 * v + 0.5 * other[i]);
  const made = await enrol('ann', '', { import_mode: true, feature: blend });
  assert.equal(made.status, 200, made.body);

  const mistaken = await match(folk[3].photo);
  assert.equal(mistaken.identity_id, 'ann', JSON.stringify(mistaken.best));
  assert.equal(mistaken.reason, 'passed');
  const path = `/api/events/${mistaken.event_id}/not_this_person`;
  const answer = await box.post(path, {});
  assert.equal(answer.status, 200, answer.body);
  assert.equal(answer.json.data.identity_id, 'ann');
  const id = answer.json.data.rejection_id;
  assert.equal((await box.post(path, { identity_id: 'ann' })).json.data.rejection_id, id);

  for (const picture of [folk[3].photo, folk[3].other]) {
    const after = await match(picture);
    assert.equal(after.identity_id, '', `${after.reason} ${after.score}`);
    assert.ok(['stranger', 'uncertain'].includes(after.reason));
  }
  for (const picture of [folk[0].photo, folk[0].other]) assert.equal((await match(picture)).identity_id, 'ann');
  const compared = await box.post('/SophonMatch/api/compare', { face_image_base64: base64(folk[3].other), identity_id: 'ann' });
  assert.equal(compared.json.retcode, '0');

  const listed = (await box.get('/api/rejections?identity_id=ann')).json.data;
  assert.equal(listed.pagination.total_count, 1);
  assert.equal(listed.rejections[0].rejection_id, id);
  assert.equal(listed.rejections[0].event_id, mistaken.event_id);
  assert.equal(listed.rejections[0].name, 'name of ann');

  // It survives a restart.
  await box.stop({ keep: true });
  box = await Box.start({ data });
  assert.equal((await match(folk[3].other)).identity_id, '');

  assert.equal((await box.delete(`/api/rejections/${id}`)).status, 200);
  assert.equal((await box.delete(`/api/rejections/${id}`)).json.error.code, 40491);
  assert.equal((await match(folk[3].other)).identity_id, 'ann');

  // With the event, or the person, it is gone.
  assert.equal((await box.post(path, {})).status, 200);
  assert.equal((await match(folk[3].other)).identity_id, '');
  assert.equal((await box.delete('/SophonFace/api/events', { event_id_list: [mistaken.event_id] })).status, 200);
  const anew = await match(folk[3].other);
  assert.equal(anew.identity_id, 'ann');
  assert.equal((await box.post(`/api/events/${anew.event_id}/not_this_person`, {})).status, 200);
  assert.equal((await box.delete(USERS, { identity_id: 'ann' })).status, 200);
  assert.equal((await box.get('/api/rejections')).json.data.pagination.total_count, 0);
});

test('what can not be rejected is refused by name', async () => {
  const reject = async (event, fields) => (await box.post(`/api/events/${event}/not_this_person`, fields)).json.error;
  assert.equal((await reject('01J2S6F2X8Q9Z3K4M5N6P7R8T9', {})).code, 40491);
  assert.equal((await reject('01J2S6F2X8Q9Z3K4M5N6P7R8T9', { identity_id: 'ann' })).code, 40491);
  assert.equal((await enrol('ann', folk[0].photo)).status, 200);
  const { event_id: event } = await match(folk[0].other);
  const unknown = await reject(event, { identity_id: 'nobody' });
  assert.equal(unknown.code, 40401);
  assert.match(unknown.message, /identity_id/);
  assert.equal((await box.delete('/api/rejections/x')).json.error.code, 40091);
});
