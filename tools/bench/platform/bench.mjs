// How fast a platform's people get into the box, and what a person at a door notices of it: a box, a RabbitMQ and a
// platform of its own on this computer, one add_users_plus for everybody, compared with an import of the same photos.
//
//   node tools/bench/platform/bench.mjs [--people N] [--photos FOLDER]      see scripts/bench-platform.sh
//
// AIBOX_BIN names the folder of aiboxd. Photos repeat when there are fewer of them than people.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { Box, temporaryFolder } from '../../../tests/e2e/lib/box.mjs';
import { base64, people as samplePeople } from '../../../tests/e2e/lib/pictures.mjs';
import { Platform } from '../../../tests/e2e/lib/platform.mjs';
import { RabbitMq } from '../../../tests/e2e/lib/rabbitmq.mjs';
import { zip } from '../../../tests/e2e/lib/zip.mjs';

const { values: options } = parseArgs({
  options: { people: { type: 'string', default: '10000' }, photos: { type: 'string' }, most: { type: 'string', default: '2000' } },
});
const count = Number(options.people);
if (!(count >= 100 && count <= 10000)) {
  console.error('bench-platform: --people is a number from 100 to 10000');
  process.exit(2);
}

function photosIn(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => /\.(jpe?g|png)$/i.test(name))
    .slice(0, Number(options.most))
    .map((name) => readFileSync(path.join(folder, name)));
}

function must(answer) {
  if (answer.status !== 200) throw new Error(answer.body.toString());
  return answer.json.data;
}

const share = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];

/** Shows `photo` ten times a second until `over()`: milliseconds until the decision. */
async function atTheDoor(box, photo, over) {
  const body = JSON.stringify({ rgb_image_base64: base64(photo), group_name: 'default_group', need_register_photo: false });
  const times = [];
  while (!over()) {
    const began = performance.now();
    const answer = await box.post('/SophonMatch/api/PictureMatch', body);
    const took = performance.now() - began;
    if (answer.status === 200) times.push(took);
    await sleep(Math.max(0, 100 - took));
  }
  return times.sort((a, b) => a - b);
}

/** Runs `work` with somebody at the door all the while: {seconds, times}. */
async function measure(box, photo, work) {
  let over = false;
  const door = atTheDoor(box, photo, () => over);
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1000;
  over = true;
  return { seconds, times: await door };
}

function report(name, { seconds, times }, done) {
  const rate = done ? `${(done / seconds).toFixed(0)} people/s` : '';
  const [p50, p99] = [share(times, 0.5), share(times, 0.99)].map((ms) => `${ms.toFixed(1)} ms`);
  console.log(`${name.padEnd(16)} ${rate.padStart(14)} ${p50.padStart(10)} ${p99.padStart(10)} ${String(times.length).padStart(6)}`);
}

const data = temporaryFolder();
const rabbit = await RabbitMq.start();
const platform = await Platform.start({
  broker: { ...rabbit.fields(), queue: 'queue-dev-SE0001', uploadQueue: 'upload-queue', unNeedBindExchange: true },
});
const box = await Box.start({ data, settings: { 'gallery.capacity': 50000 } });
try {
  await platform.connect(rabbit.url);
  const folk = await samplePeople(box, 6);
  const photos = options.photos ? photosIn(options.photos) : folk.map(({ photo }) => photo);
  must(await box.post('/SophonFogSys/api/users', { identity_id: 'door', group_name: '', reg_photo: base64(folk[0].photo), fiqa_level: 'no', info: { name: 'door' } }));
  must(await box.put('/SophonMQ/api/DevSno', { dev_sno: platform.devSno }));
  must(await box.put('/SophonMQ/api/LoginUrl', { login_url: platform.loginUrl }));
  const ids = Array.from({ length: count }, (_, i) => `b${i}`);
  for (const [i, id] of ids.entries()) platform.add({ identity_id: id, info: { name: id } }, photos[i % photos.length]);

  console.log(`${count} people, ${photos.length} photos, FIQA level no; a door asks ten times a second\n`);
  console.log(`${''.padEnd(16)} ${'enrolled'.padStart(14)} ${'door p50'.padStart(10)} ${'door p99'.padStart(10)} ${'asked'.padStart(6)}`);
  report('nothing else', await measure(box, folk[0].other, () => sleep(20000)));

  const archive = zip(ids.map((id, i) => [`${id}-i${i}-x.jpg`, photos[i % photos.length]]));
  const imported = await measure(box, folk[0].other, async () => {
    const answer = await box.request('POST', '/api/import?fiqa_level=no', { headers: { 'Content-Type': 'application/zip' }, body: archive });
    const { job_id } = must(answer);
    for (;;) {
      const job = must(await box.get(`/api/jobs/${job_id}`));
      if (!['queued', 'running'].includes(job.state)) return;
      await sleep(100);
    }
  });
  report('import', imported, count);

  const commanded = await measure(box, folk[0].other, async () => {
    await platform.send({ method: 'add_users_plus', messageId: 'all', fiqa_level: 'no', userid_list: ids, extend_params: { path: '/getSendPerson' } });
    const result = await platform.result('all', 3600e3);
    const { success_users, failed_users } = result.result;
    if (success_users.length < count * 0.9) throw new Error(`${failed_users.length} failed: ${JSON.stringify(failed_users[0])}`);
  });
  report('add_users_plus', commanded, count);
  console.log(`\nadd_users_plus runs at ${((100 * imported.seconds) / commanded.seconds).toFixed(0)} % of the import's rate`);
} finally {
  await platform.stop();
  await box.stop();
  await rabbit.stop();
  rmSync(data, { recursive: true, force: true });
}
