// Another model set: prepared in the background from the photos while recognition goes on, used from the next start, and
// back again. The second set has the same networks with other preprocessing: its embeddings are others.
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Box, models, temporaryFolder } from './lib/box.mjs';
import { base64, people } from './lib/pictures.mjs';

const USERS = '/SophonFogSys/api/users';

let box, folk, data, folder;

/** The shipped set, and in `other` one of one look, sampled linearly, aligned by the landmarks. */
function makeSets() {
  const sets = temporaryFolder();
  const manifest = JSON.parse(readFileSync(path.join(models, 'manifest.json'), 'utf8'));
  mkdirSync(path.join(sets, 'other'));
  for (const { file } of Object.values(manifest.files)) {
    if (!existsSync(path.join(models, file))) continue;
    symlinkSync(path.resolve(models, file), path.join(sets, file));
    symlinkSync(path.resolve(models, file), path.join(sets, 'other', file));
  }
  cpSync(path.join(models, 'manifest.json'), path.join(sets, 'manifest.json'));
  delete manifest.files.points;
  Object.assign(manifest.preprocessing.feature, { views: 1, sampling: 'linear', second_view: 'landmarks' });
  writeFileSync(path.join(sets, 'other', 'manifest.json'), JSON.stringify({ ...manifest, id: 'other' }));
  return sets;
}

const start = () => Box.start({ data, args: ['--models', folder] });

before(async () => {
  data = temporaryFolder();
  folder = makeSets();
  box = await start();
  folk = await people(box, 5);
});
after(async () => {
  await box.stop();
  rmSync(data, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
});

const enrol = async (id, photo, more = {}) => {
  const fields = { identity_id: id, group_name: 'default_group', reg_photo: base64(photo), fiqa_level: 'no', info: { name: id } };
  const answer = await box.post(USERS, { ...fields, need_reg_photo: false, ...more });
  assert.equal(answer.status, 200, answer.body.toString());
};
const match = async (photo) => {
  const answer = await box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(photo), group_name: 'default_group' });
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json.identity_id;
};
const sets = async () => (await box.get('/api/recognition/model_sets')).json.data;
const want = async (name) => assert.equal((await box.put('/api/settings', { 'recognition.model_set': name })).status, 200);

/** Asks who everybody is until the state is reached; every answer must be right. */
async function until(state, expected) {
  for (;;) {
    for (const [id, photo] of expected) assert.equal(await match(photo), id);
    const now = await sets();
    if (now.state === state) return now;
    assert.notEqual(now.state, 'failed', now.reason);
  }
}

async function restart() {
  await box.stop({ keep: true });
  box = await start();
}

test('prepared beside recognition, used from the next start, and back', async () => {
  const known = [];
  for (const [i, person] of folk.slice(0, 3).entries()) {
    await enrol(`p${i}`, person.photo);
    known.push([`p${i}`, person.other]);
  }
  const { feature } = (await box.post('/SophonFace/api/detect', { image_base64_str: base64(folk[4].photo), with_feature: true })).json.data[0];
  await enrol('imported', '', { import_mode: true, feature });
  const first = await sets();
  assert.equal(first.state, 'idle');
  assert.match(first.model_set, /^fr-1\//);

  await want('other');
  const ready = await until('ready', known);
  assert.equal(ready.active, '');
  assert.equal(ready.model_set, first.model_set);
  assert.deepEqual(ready.progress, { total: 4, done: 3, without_photo: 1, failed: 0 });
  // Who comes while it waits for the start is prepared, too.
  await enrol('p3', folk[3].photo);
  for (let i = 0; (await sets()).progress.done < 4; i++) {
    assert.ok(i < 200, 'a face enrolled later was not prepared');
    await sleep(50);
  }

  await restart();
  const second = await sets();
  assert.match(second.model_set, /^other\//);
  assert.equal(second.active, 'other');
  known.push(['p3', folk[3].other]);
  for (const [id, photo] of known) assert.equal(await match(photo), id);
  assert.equal(await match(folk[4].other), ''); // a feature without photo belongs to its set
  assert.equal((await box.get(`${USERS}?limit=10`)).json.data.pagination.total_count, 5);

  // Back: the features are still there, nothing is embedded anew.
  await want('');
  const back = await until('ready', known);
  assert.equal(back.progress.done, 0);
  await restart();
  assert.equal((await sets()).model_set, first.model_set);
  for (const [id, photo] of [...known, ['imported', folk[4].other]]) assert.equal(await match(photo), id);
});

test('goes on with what is lacking after an interruption; a deleted person leaves nothing', async () => {
  assert.equal((await box.delete(USERS, { identity_ids: ['p3', 'imported'] })).status, 200);
  await enrol('p4', folk[3].photo);
  await want('other');
  await restart(); // perhaps in the middle
  assert.equal((await sets()).active, '');
  const ready = await until('ready', [['p4', folk[3].other]]);
  assert.ok(ready.progress.done <= 1);
  await want('');
  await until('idle', [['p4', folk[3].other]]);
});

test('a set that can not be used changes nothing', async () => {
  for (const name of ['nowhere', '..', 'other/..']) {
    await want(name);
    let now;
    for (let i = 0; (now = await sets()).state !== 'failed' || now.wanted !== name; i++) {
      assert.ok(i < 200, JSON.stringify(now));
      await sleep(50);
    }
    assert.notEqual(now.reason, '');
    assert.equal(await match(folk[3].other), 'p4');
  }
  await restart();
  assert.equal(await match(folk[3].other), 'p4');
  await want('');
});
