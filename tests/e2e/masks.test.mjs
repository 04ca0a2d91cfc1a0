// Masks: told in quality and answers, kept out of enrolment at level high, known all the same where the level allows it, and
// never compared with one another. The masks are drawn on the sample pictures by aibox-mask.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { bin, Box, models, run, temporaryFolder } from './lib/box.mjs';
import { base64, people } from './lib/pictures.mjs';

let box, folk, data, work;

/** The picture with a mask on its face. */
async function masked(picture, shape = 'surgical') {
  const from = path.join(work, 'bare.jpg');
  const to = path.join(work, 'masked.jpg');
  writeFileSync(from, picture);
  const drawn = await run(path.join(bin, 'aibox-mask'), ['--models', models, '--shape', shape, '--pattern', 'plain', '--seed', '4', 'draw', from, to]);
  assert.equal(drawn.code, 0, drawn.stderr);
  return readFileSync(to);
}

before(async () => {
  data = temporaryFolder();
  work = temporaryFolder();
  box = await Box.start({ data });
  folk = await people(box, 6);
  assert.equal(folk.length, 6);
  for (const person of folk) person.masked = await masked(person.photo);
  for (const person of folk.slice(0, 3)) person.otherMasked = await masked(person.other, 'beak');
});
after(async () => {
  await box.stop();
  rmSync(data, { recursive: true, force: true });
  rmSync(work, { recursive: true, force: true });
});

const fiqa = async (photo, fiqa_level) => (await box.post('/SophonFace/api/FIQA', { image_base64_str: base64(photo), fiqa_level })).json.data[0];
const enrol = (id, photo, fiqa_level) =>
  box.post('/SophonFogSys/api/users', { identity_id: id, group_name: 'default_group', reg_photo: base64(photo), fiqa_level, need_reg_photo: false, info: { name: id } });
const match = async (photo) => {
  const answer = await box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(photo), group_name: 'default_group' });
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json;
};
const compare = async (fields) => {
  const answer = await box.post('/SophonMatch/api/compare', fields);
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json;
};

test('quality tells a mask, and level high fails it', async () => {
  for (const person of folk) {
    const bare = await fiqa(person.photo, 'high');
    assert.ok(bare.info.mask >= 0 && bare.info.mask <= 0.5, `bare ${person.name}: ${bare.info.mask}`);
    assert.ok(!bare.fails.includes('mask'));
    const covered = await fiqa(person.masked, 'high');
    assert.ok(covered.info.mask > 0.5, `masked ${person.name}: ${covered.info.mask}`);
    assert.ok(covered.fails.includes('mask') && !covered.fiqa_result);
    /* The level below tells it and takes it. */
    const middle = await fiqa(person.masked, 'middle');
    assert.ok(middle.info.mask > 0.5 && !middle.fails.includes('mask'));
  }
});

test('a masked photo is not enrolled at level high, and with a warning below', async () => {
  const refused = await enrol('masked', folk[5].masked, 'high');
  assert.equal(refused.json.error.code, 40006);
  assert.match(refused.json.error.message, /mask/);
  assert.equal((await box.get('/SophonFogSys/api/users?identity_id=masked')).status, 404);
  const taken = await enrol('masked', folk[5].masked, 'no');
  assert.equal(taken.status, 200, taken.body.toString());
  assert.equal(taken.json.data.masked, true);
  for (const [i, person] of folk.slice(0, 4).entries()) {
    const answer = await enrol(`p${i}`, person.photo, 'no');
    assert.equal(answer.status, 200, answer.body.toString());
    assert.ok(!('masked' in answer.json.data));
  }
});

test('a masked probe has a threshold of its own, and its event says so', async () => {
  const { threshold, masked: report } = (await box.get('/api/recognition/threshold')).json.data;
  assert.ok(report.threshold !== threshold && report.threshold > 0 && report.threshold < 1);
  assert.ok(report.expected_false_reject > 0 && report.expected_false_reject < 1);
  for (const [i, person] of folk.slice(0, 3).entries()) {
    const bare = await match(person.other);
    assert.equal(bare.identity_id, `p${i}`);
    assert.equal(bare.masked, false);
    assert.ok(Math.abs(bare.threshold - threshold) < 1e-4);
    const covered = await match(person.otherMasked);
    assert.equal(covered.masked, true);
    assert.equal(covered.best.identity_id, `p${i}`);
    assert.ok(Math.abs(covered.threshold - report.threshold) < 1e-4);
    assert.equal(covered.verdict === 'known', covered.score >= covered.threshold && covered.margin >= 0.05);
    const event = (await box.get('/SophonFace/api/events?per_page=1')).json.data[0];
    assert.equal(event._id, covered.event_id);
    assert.equal(event.masked, true);
    assert.ok(event.ext_data.mask > 0.5);
  }
});

test('masks are never compared with masks', async () => {
  /* Enrolled with a mask, p4 is looked for by bare faces alone: the same picture with its mask finds others at most. */
  const covered = await match(folk[5].masked);
  assert.equal(covered.masked, true);
  assert.notEqual(covered.best.identity_id, 'masked');
  const bare = await match(folk[5].photo);
  assert.equal(bare.masked, false);
  assert.equal(bare.best.identity_id, 'masked');

  const both = await compare({ face_image_base64: base64(folk[0].masked), card_image_base64: base64(folk[0].masked) });
  assert.deepEqual([both.retcode, both.masked, both.both_masked], ['0', true, true]);
  const enrolled = await compare({ face_image_base64: base64(folk[5].masked), identity_id: 'masked' });
  assert.deepEqual([enrolled.retcode, enrolled.both_masked], ['0', true]);
  const one = await compare({ face_image_base64: base64(folk[0].masked), card_image_base64: base64(folk[0].photo) });
  const none = await compare({ face_image_base64: base64(folk[0].other), card_image_base64: base64(folk[0].photo) });
  assert.deepEqual([one.masked, one.both_masked, none.masked], [true, false, false]);
  assert.notEqual(one.threshold, none.threshold);
  assert.equal(none.retcode, '1');
});

test('a photo without mask takes the place of those with one', async () => {
  const answer = await enrol('late', folk[5].masked, 'no');
  assert.equal(answer.status, 200);
  const added = await box.post('/SophonFogSys/api/users', {
    identity_id: 'late', group_name: 'default_group', reg_photo: base64(folk[5].photo), fiqa_level: 'no', ignore_exist: true, info: {},
  });
  assert.equal(added.status, 200, added.body.toString());
  const covered = await match(folk[5].masked);
  assert.equal(covered.best.identity_id, 'late');
});
