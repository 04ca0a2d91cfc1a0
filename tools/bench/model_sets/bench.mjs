// What somebody at a door notices of a change of the model set: answers once every 100 ms while everybody is embedded
// anew, while the sets change, and back; the memory before, at most and after; and how fast people enrol meanwhile.
//
//   node tools/bench/model_sets/bench.mjs [--people N] [--photos FOLDER] [--changes N]      see scripts/bench-model-sets.sh
//
// AIBOX_BIN names the folder of aiboxd. Photos repeat when there are fewer of them than people.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { Box, temporaryFolder } from '../../../tests/e2e/lib/box.mjs';
import { makeModelSets } from '../../../tests/e2e/lib/model_sets.mjs';
import { base64, people as samplePeople } from '../../../tests/e2e/lib/pictures.mjs';

const USERS = '/SophonFogSys/api/users';
const SETS = '/api/recognition/model_sets';
const { values: options } = parseArgs({
  options: { people: { type: 'string', default: '1000' }, photos: { type: 'string' }, changes: { type: 'string', default: '10' } },
});
const count = Number(options.people);
const changes = Number(options.changes);
if (!(count >= 10 && count <= 50000 && changes >= 2)) {
  console.error('bench-model-sets: --people is a number from 10 to 50000, --changes one from 2');
  process.exit(2);
}

function must(answer) {
  if (answer.status !== 200) throw new Error(answer.body.toString());
  return answer.json.data;
}

const share = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
const ms = (value) => `${value.toFixed(1)} ms`;

/** Memory that the box holds, MiB. */
function memory(box) {
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${box.child.pid}/status`, 'utf8'));
  return Number(kilobytes) / 1024;
}

/** Shows somebody known ten times a second while `work` goes on: {times, seconds, most (MiB)}. Throws for a wrong answer. */
async function measure(box, photo, id, work) {
  const body = JSON.stringify({ rgb_image_base64: base64(photo), group_name: 'default_group', need_register_photo: false });
  const times = [];
  let most = 0;
  let over = false;
  const door = (async () => {
    while (!over) {
      const began = performance.now();
      const answer = await box.post('/SophonMatch/api/PictureMatch', body);
      const took = performance.now() - began;
      if (answer.status !== 200 || answer.json.identity_id !== id) throw new Error(`wrong: ${answer.body}`);
      times.push(took);
      most = Math.max(most, memory(box));
      await sleep(Math.max(0, 100 - took));
    }
  })();
  door.catch(() => {});
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1000;
  over = true;
  await door;
  return { seconds, times: times.sort((a, b) => a - b), most };
}

async function enrol(box, photos, from, to, parallel = 4) {
  let next = from;
  const one = async () => {
    while (next < to) {
      const i = next++;
      const fields = { identity_id: `n${i}`, group_name: 'default_group', fiqa_level: 'no', need_reg_photo: false, allow_duplicate: true };
      must(await box.post(USERS, { ...fields, reg_photo: base64(photos[i % photos.length]), info: { name: `n${i}` } }));
    }
  };
  await Promise.all(Array.from({ length: parallel }, one));
}

async function until(box, wanted) {
  for (;;) {
    const now = must(await box.get(SETS));
    if (wanted(now)) return now;
    if (now.state === 'failed') throw new Error(now.reason);
    await sleep(100);
  }
}

async function changeTo(box, name) {
  must(await box.post(`${SETS}/${name}`, { allow_missing: true }));
  await until(box, ({ active, state }) => active === name && state === 'idle');
}

const folder = makeModelSets();
const data = temporaryFolder();
const box = await Box.start({ data, args: ['--models', folder] });
try {
  const [somebody, ...others] = await samplePeople(box, 5);
  const photos = options.photos
    ? readdirSync(options.photos, { recursive: true })
        .filter((name) => /\.jpe?g$/i.test(name))
        .slice(0, 2000)
        .map((name) => readFileSync(path.join(options.photos, name)))
    : others.map(({ photo }) => photo);
  const fields = { identity_id: 'somebody', group_name: 'default_group', fiqa_level: 'no', need_reg_photo: false };
  must(await box.post(USERS, { ...fields, reg_photo: base64(somebody.photo), info: { name: 'somebody' } }));
  await enrol(box, photos, 0, count);
  const rows = [];
  const row = (what, { times, seconds, most }, more = '') =>
    rows.push(`| ${what} | ${seconds.toFixed(1)} s | ${ms(share(times, 0.5))} | ${ms(share(times, 0.99))} | ${ms(times.at(-1))} | ${most.toFixed(0)} MiB | ${more} |`);
  const door = (work) => measure(box, somebody.other, 'somebody', work);
  row('nothing else', await door(() => sleep(20000)));
  const more = Math.ceil(count / 10);
  const alone = await door(() => enrol(box, photos, count, count + more));
  row('enrolment', alone, `${(more / alone.seconds).toFixed(0)} photos/s`);
  must(await box.post(`${SETS}/other/prepare`, {}));
  const beside = await door(() => enrol(box, photos, count + more, count + 2 * more));
  row('enrolment while everybody is embedded anew', beside, `${(more / beside.seconds).toFixed(0)} photos/s`);
  const rest = await door(() => until(box, ({ state }) => state === 'ready'));
  row('embedding anew', rest);
  const before = memory(box);
  const all = { seconds: 0, times: [], most: 0 };
  for (let i = 0; i < changes; i++) {
    const one = await door(() => changeTo(box, i % 2 ? 'shipped' : 'other'));
    all.seconds += one.seconds;
    all.times.push(...one.times);
    all.most = Math.max(all.most, one.most);
  }
  all.times.sort((a, b) => a - b);
  row(`${changes} changes, there and back`, all);
  await sleep(2000);
  row('nothing else, afterwards', await door(() => sleep(20000)));
  console.log(`${count + 2 * more + 1} people\n\n| meanwhile | took | door p50 | door p99 | longest | memory at most | |\n| --- | ---: | ---: | ---: | ---: | ---: | --- |`);
  console.log(rows.join('\n'));
  console.log(`\nmemory with a set prepared ${before.toFixed(0)} MiB, two seconds after the changes ${memory(box).toFixed(0)} MiB`);
} finally {
  await box.stop({ keep: true });
  rmSync(data, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}
