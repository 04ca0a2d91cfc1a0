// Another model set: prepared in the background from the photos, taken into force and left again while faces are asked
// for all the time.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Box, temporaryFolder } from './lib/box.mjs';
import { makeModelSets } from './lib/model_sets.mjs';
import { base64, people } from './lib/pictures.mjs';

const USERS = '/SophonFogSys/api/users';
const SETS = '/api/recognition/model_sets';
const KILLS = process.env.AIBOX_LONG ? 20 : 3;

let box, folk, data, folder;

const start = () => Box.start({ data, args: ['--models', folder] });

before(async () => {
  data = temporaryFolder();
  folder = makeModelSets();
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
const remove = async (...ids) => assert.equal((await box.delete(USERS, { identity_ids: ids })).status, 200);
const match = async (photo) => {
  const answer = await box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(photo), group_name: 'default_group' });
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json.identity_id;
};
const sets = async () => (await box.get(SETS)).json.data;
const ask = async (name, verb, value) => {
  const answer = await box.post(`${SETS}/${name}${verb ? `/${verb}` : ''}`, value ?? {});
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json.data;
};
const entry = ({ sets_list }, name) => sets_list.find((set) => set.name === name);

/** Asks for the state until it is as wanted. */
async function until(wanted, what) {
  for (let i = 0; ; i++) {
    const now = await sets();
    if (wanted(now)) return now;
    assert.ok(i < 400 && now.state !== 'failed', `${what}: ${JSON.stringify(now)}`);
    await sleep(50);
  }
}
const prepared = () => until(({ state }) => state === 'ready', 'not prepared');

/** Asks who somebody is, again and again, until stop(), which tells how often; every answer must be right. */
function asking(known) {
  let on = true;
  let asked = 0;
  const one = async () => {
    for (; on; asked++) {
      const [id, photo] = known[asked % known.length];
      assert.equal(await match(photo), id);
    }
  };
  const all = Promise.all([one(), one()]);
  all.catch(() => {}); // stop() tells
  return {
    stop: async () => {
      on = false;
      await all;
      return asked;
    },
  };
}

async function restart() {
  await box.stop({ keep: true });
  box = await start();
}

test('prepared, taken into force and left again, while every answer is right', async () => {
  const known = [];
  for (const [i, person] of folk.slice(0, 2).entries()) {
    await enrol(`p${i}`, person.photo);
    known.push([`p${i}`, person.other]);
  }
  await enrol('goes', folk[2].photo);
  const { feature } = (await box.post('/SophonFace/api/detect', { image_base64_str: base64(folk[4].photo), with_feature: true })).json.data[0];
  await enrol('imported', '', { import_mode: true, feature });
  const first = await sets();
  assert.equal(first.state, 'idle');
  assert.equal(first.active, 'shipped');
  assert.match(first.model_set, /^fr-1\//);
  assert.deepEqual(first.sets_list.map(({ name }) => name), ['shipped', 'broken', 'other']);
  assert.deepEqual(entry(first, 'other').people, { total: 4, ready: 0, missing: 4 });

  const door = asking(known);
  await ask('other', 'prepare');
  const ready = await prepared();
  assert.equal(ready.active, 'shipped');
  assert.deepEqual(ready.progress, { total: 4, done: 3, without_photo: 1, failed: 0 });
  assert.deepEqual(entry(ready, 'other').people, { total: 4, ready: 3, missing: 1 });

  // Who can't follow is said, and asked for.
  const { people_list: missing } = (await box.get(`${SETS}/other/missing`)).json.data;
  assert.deepEqual(missing, [{ identity_id: 'imported', name: 'imported', has_photo: false }]);
  const refused = await box.post(`${SETS}/other`, {});
  assert.equal(refused.status, 400);
  assert.match(refused.json.error.message, /allow_missing: 1 of 4 people/);
  assert.equal((await sets()).active, 'shipped');
  assert.equal(await match(folk[4].other), 'imported');

  // Somebody comes and somebody goes while it changes.
  const [changed] = await Promise.all([ask('other', '', { allow_missing: true }), enrol('comes', folk[3].photo), remove('goes')]);
  const second = changed.active === 'other' ? changed : await until(({ active, state }) => active === 'other' && state === 'idle', 'not changed');
  assert.equal(second.previous, 'shipped');
  assert.match((await sets()).model_set, /^other\//);
  assert.equal(await match(folk[3].other), 'comes');
  assert.equal(await match(folk[2].other), '');
  assert.equal(await match(folk[4].other), ''); // a feature without photo belongs to its set

  // Who is enrolled now is known after the way back, which comes at once, with the imported one.
  await enrol('later', folk[2].photo);
  const back = await ask('shipped');
  if (back.active !== 'shipped') await until(({ active, state }) => active === 'shipped' && state === 'idle', 'not back');
  assert.equal((await sets()).model_set, first.model_set);
  assert.equal(await match(folk[2].other), 'later');
  assert.equal(await match(folk[3].other), 'comes');
  assert.equal(await match(folk[4].other), 'imported');
  assert.ok((await door.stop()) > 20);

  // Nothing of that needs a restart, or is undone by one.
  await restart();
  assert.equal((await sets()).active, 'shipped');
  for (const [id, photo] of [...known, ['comes', folk[3].other], ['later', folk[2].other], ['imported', folk[4].other]])
    assert.equal(await match(photo), id);
});

test('pauses, goes on after a restart, ends, and what it has made can be dropped', async () => {
  const dropped = await box.delete(`${SETS}/other`);
  assert.equal(dropped.status, 200, dropped.body.toString());
  assert.ok(dropped.json.data.dropped >= 3);
  assert.equal(entry(dropped.json.data, 'other').features, 0);
  assert.equal(dropped.json.data.previous, '');

  await ask('other', 'prepare');
  const paused = await box.post(`${SETS}/other/pause`, {});
  if (paused.status === 200) {
    assert.equal(paused.json.data.state, 'paused');
    await restart();
    assert.equal((await sets()).state, 'paused');
    await ask('other', 'prepare');
  }
  await prepared();
  await restart();
  const ready = await prepared();
  assert.equal(ready.wanted, 'other');
  assert.equal(ready.progress.done, 0);
  // Who comes while it waits is prepared, too.
  await enrol('waits', folk[1].other);
  await until(({ progress }) => progress.done === 1, 'a face enrolled later was not prepared');
  const ended = await ask('other', 'cancel');
  assert.deepEqual([ended.state, ended.wanted], ['idle', '']);
  assert.ok(entry(ended, 'other').features > 0);
  assert.equal((await box.post(`${SETS}/other/cancel`, {})).status, 400);
  await remove('waits');
});

test('a set that can not be used changes nothing and says what is wrong', async () => {
  for (const [name, status, text] of [
    ['nowhere', 404, /nowhere/],
    ['..', 404, /./],
    ['broken', 500, /feature|fr_feature/],
    ['shipped', 400, /in force/],
  ])
    for (const verb of ['', '/prepare']) {
      const answer = await box.post(`${SETS}/${encodeURIComponent(name)}${verb}`, {});
      assert.equal(answer.status, status, `${name}: ${answer.body}`);
      assert.match(answer.body.toString(), text);
    }
  assert.equal((await box.delete(`${SETS}/shipped`)).status, 400);
  const now = await sets();
  assert.deepEqual([now.state, now.active, now.wanted], ['idle', 'shipped', '']);
  assert.equal(await match(folk[3].other), 'comes');
});

test('killed at any moment of a change, the box starts with one set or the other, complete', async () => {
  const known = [['p0', folk[0].other], ['p1', folk[1].other], ['comes', folk[3].other]];
  for (let round = 0; round < KILLS; round++) {
    const { active } = await sets();
    const to = active === 'other' ? 'shipped' : 'other';
    const asked = box.post(`${SETS}/${to}`, { allow_missing: true }).catch(() => {});
    await sleep((round * 397) % 1300);
    await box.kill();
    await asked;
    box = await start();
    const now = await sets();
    assert.ok(['other', 'shipped'].includes(now.active));
    for (const [id, photo] of known) assert.equal(await match(photo), id, `round ${round}, ${now.active}`);
    // What was asked for before comes about, or had come about.
    await until((state) => state.state === 'idle', 'not at rest');
    for (const [id, photo] of known) assert.equal(await match(photo), id);
  }
});
