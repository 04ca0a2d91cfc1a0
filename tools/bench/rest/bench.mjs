// How many requests a second the box answers, and how long they take: one box of its own, wrk against it, a table.
//
//   node tools/bench/rest/bench.mjs [--people N] [--seconds N] [--only CALL,CALL]      see scripts/bench-rest.sh
//
// AIBOX_BIN names the folder of aiboxd and demo-vary.
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { bin, Box, run, samples, temporaryFolder } from '../../../tests/e2e/lib/box.mjs';

const calls = {
  alive: 'GET /healthz',
  person: 'GET users, one by id',
  page: 'GET users, a page of 10',
  members: 'GET users of a group, a page of 10',
  groups: 'GET groups (100 groups)',
  events: 'GET events, a page of 10',
  change: 'PUT users, a field of info',
  create: 'POST users, from a feature',
  match: 'POST PictureMatch, 1:N',
};
const connections = [1, 16, 64];
const FOG = '/SophonFogSys/api';
const script = fileURLToPath(new URL('calls.lua', import.meta.url));
const folder = temporaryFolder();
const picture = path.join(folder, 'picture.jpg');

const { values: options } = parseArgs({
  options: {
    people: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '5' },
    only: { type: 'string', default: Object.keys(calls).join(',') },
  },
});
const wanted = options.only.split(',');
const people = Number(options.people);
const unknown = wanted.filter((name) => !(name in calls));
if (unknown.length > 0 || !(people >= 1000)) {
  console.error(`bench-rest: calls are ${Object.keys(calls).join(', ')}; at least 1000 people`);
  process.exit(2);
}

function must(answer) {
  if (answer.status !== 200) throw new Error(answer.body.toString());
  return answer;
}

/** N people from random features, every fifth in group "staff", some events. */
async function fill(box) {
  for (let i = 0; i < 98; i++) must(await box.post(`${FOG}/groups`, { group_name: `g${i}`, description: '' }));
  must(await box.post(`${FOG}/groups`, { group_name: 'staff', description: '' }));
  let next = 0;
  const worker = async () => {
    while (next < people) {
      const i = next++;
      const feature = Array.from({ length: 512 }, () => Number((Math.random() - 0.5).toFixed(4)));
      const info = { name: `Person ${i}`, ext_info: { department: 'production', mobile: '13800000000' } };
      const group_name = i % 5 === 0 ? 'default_group,staff' : 'default_group';
      must(await box.post(`${FOG}/users`, { identity_id: `p${i}`, group_name, reg_photo: '', import_mode: true, feature, info }));
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  const rgb_image_base64 = readFileSync(picture).toString('base64');
  for (let i = 0; i < 20; i++) must(await box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64, group_name: 'default_group' }));
}

async function measure(box, call, open) {
  const threads = Math.min(open, 2);
  const args = ['-t', threads, '-c', open, '-d', `${options.seconds}s`, '-s', script, box.url, '--', call, people, picture];
  const { stdout, stderr } = await run('wrk', args.map(String));
  const figures = /^figures (.*)$/m.exec(stdout);
  if (figures === null) throw new Error(`wrk: ${stderr}${stdout}`);
  const [requests, seconds, failed, p50, p90, p99] = figures[1].split(' ').map(Number);
  return { rate: requests / seconds, failed, p50: p50 / 1000, p90: p90 / 1000, p99: p99 / 1000 };
}

/** A sample picture at the size that a door terminal sends, about 640×430. */
async function makePicture() {
  const { code, stderr } = await run(path.join(bin, 'demo-vary'), [path.join(samples, 'sample1.jpg'), picture, '--scale', '33']);
  if (code !== 0) throw new Error(`demo-vary: ${stderr}`);
}

await makePicture();
const box = await Box.start({ settings: { 'log.level': 'warn' } });
try {
  await fill(box);
  console.log(`${people} people, ${options.seconds} s each, box and wrk on the same computer\n`);
  console.log('| call | connections | requests/s | p50 ms | p90 ms | p99 ms | failed |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const call of wanted) {
    for (const open of connections) {
      const { rate, p50, p90, p99, failed } = await measure(box, call, open);
      const figures = [Math.round(rate), p50.toFixed(2), p90.toFixed(2), p99.toFixed(2), failed];
      console.log(`| ${calls[call]} | ${open} | ${figures.join(' | ')} |`);
    }
  }
} finally {
  await box.stop();
  rmSync(folder, { recursive: true, force: true });
}
