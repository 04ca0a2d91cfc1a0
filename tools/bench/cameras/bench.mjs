// Video cameras measured: films of 1920×1080 at 25 frames a second with people from a folder of faces, played by RTSP.
// Prints who was missed, misnamed or reported twice, how long it took, and what it cost. Run by scripts/bench-cameras.sh.
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';

import { Box, temporaryFolder } from '../../../tests/e2e/lib/box.mjs';
import { RtspServer, makeFilm, missingPrograms } from '../../../tests/e2e/lib/camera_kit_rtsp.mjs';

const { values: options } = parseArgs({
  options: {
    faces: { type: 'string' }, // a folder for each person, with pictures of the person: LFW's layout
    people: { type: 'string', default: '500' }, // enrolled
    seconds: { type: 'string', default: '60' },
    streams: { type: 'string' }, // default: 2 crowds, 4 gates
    kind: { type: 'string', default: 'crowd,gate' },
    seed: { type: 'string', default: '1' },
  },
});
const fail = (text) => {
  console.error(`bench-cameras: ${text}`);
  process.exit(1);
};
if (!options.faces || !existsSync(options.faces)) fail('--faces FOLDER: a folder with a folder of pictures for each person is needed');
if (missingPrograms()) fail(missingPrograms());

/* ---- people ---- */

let state = Number(options.seed) >>> 0;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const between = (a, b) => a + (b - a) * random();
const shuffled = (list) => list.map((item) => [random(), item]).sort((a, b) => a[0] - b[0]).map(([, item]) => item);

const folk = readdirSync(options.faces)
  .map((name) => ({ name, files: readdirSync(path.join(options.faces, name)).filter((file) => /\.jpe?g$/i.test(file)).sort() }))
  .map(({ name, files }) => ({ name, photos: files.map((file) => path.join(options.faces, name, file)) }));
const twice = shuffled(folk.filter(({ photos }) => photos.length > 1));
const once = shuffled(folk.filter(({ photos }) => photos.length === 1));
const wanted = Number(options.people);
const enrolled = [...twice, ...once].slice(0, wanted);
const actors = twice.slice(0, wanted); // known ones, seen in their second picture
const strangers = [...twice, ...once].slice(wanted);
if (enrolled.length < wanted || strangers.length < 20) fail(`the folder has too few people for --people ${wanted}`);

/* ---- films ---- */

/** {film, cast: [{name (undefined: a stranger), from, to}]}; nobody plays twice in a film. */
function crowdFilm(file, seconds) {
  const known = shuffled(actors), unknown = shuffled(strangers);
  const cast = [], parts = [];
  for (let lane = 0; lane < 3; lane++) {
    for (let from = 0.5 + lane * 1.5; from + 5 < seconds - 1; from += 6) {
      const person = random() < 0.2 ? { ...unknown.pop(), name: undefined } : known.pop();
      const to = from + 5, y = 0.2 + lane * 0.3, x = between(0.15, 0.45);
      const at = random() < 0.5 ? [x, y, x + 0.35, y] : [x + 0.35, y, x, y];
      parts.push({ photo: readFileSync(person.photos[person.photos.length > 1 ? 1 : 0]), from, to, at, height: Math.round(between(200, 330)) });
      cast.push({ name: person.name, from, to });
      if (random() < 0.25) parts.push({ width: 120, height: 340, from: from + 2, to: from + 3.5, at: [at[0] + 0.1, y, at[0] + 0.2, y] });
    }
  }
  return { film: makeFilm(file, { width: 1920, height: 1080, seconds, actors: parts }), cast };
}

function gateFilm(file, seconds) {
  const known = shuffled(actors), unknown = shuffled(strangers);
  const cast = [], parts = [];
  for (let from = 0.5; from + 4 < seconds - 1; from += 5.5) {
    const person = random() < 0.2 ? { ...unknown.pop(), name: undefined } : known.pop();
    const to = from + 4;
    parts.push({ photo: readFileSync(unknown.pop().photos[0]), from, to, at: [0.85, 0.3], height: 220 }); // who waits behind
    parts.push({ photo: readFileSync(person.photos[person.photos.length > 1 ? 1 : 0]), from, to, at: [0.4, 0.5, 0.5, 0.5], height: 520 });
    cast.push({ name: person.name, from, to });
  }
  return { film: makeFilm(file, { width: 1920, height: 1080, seconds, actors: parts }), cast };
}

/* ---- watching ---- */

function watch(box, take) {
  const url = new URL('/api/stream?kinds=event', box.url);
  const request = http.get({ host: url.hostname, port: url.port, path: url.pathname + url.search }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk) => {
      text += chunk;
      for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
        const data = /^data: (.*)$/m.exec(text.slice(0, end));
        if (data && /^event: event$/m.test(text.slice(0, end))) take(JSON.parse(data[1]), Date.now());
      }
    });
    response.on('error', () => {});
  });
  request.on('error', () => {});
  return () => request.destroy();
}

const statm = (box) => (Number(readFileSync(`/proc/${box.child.pid}/statm`, 'utf8').split(' ')[1]) * 4096) / 2 ** 20;
const cpu = (box) => {
  const fields = readFileSync(`/proc/${box.child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};
const quantile = (list, q) => (list.length ? [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * q))] : NaN);

async function measure(box, kind, count, folder) {
  const seconds = Number(options.seconds);
  const films = [];
  for (let i = 0; i < count; i++) films.push((kind === 'crowd' ? crowdFilm : gateFilm)(path.join(folder, `${kind}${i}.ts`), seconds));
  const server = await RtspServer.start(Object.fromEntries(films.map(({ film }, i) => [`/${kind}${i}`, { file: film }])));
  const events = [];
  const unwatch = watch(box, (event, at) => events.push({ ...event, at }));
  await sleep(500);
  const rss = statm(box), cpuBefore = cpu(box), began = Date.now();
  const ids = [];
  for (let i = 0; i < count; i++) {
    const device = { device_id: `${kind}${i}`, device_key: server.url(`/${kind}${i}`), ep_type: kind === 'crowd' ? '3' : '2' };
    const answer = await box.post('/SophonDevice/api/Devices', { devices_list: [device] });
    if (answer.status !== 200) fail(answer.body);
    ids.push({ id: device.device_id, ep_id: answer.json.data.devices_list[0].ep_id });
  }
  const fps = ids.map(() => []);
  let peak = 0;
  while (Date.now() - began < (seconds - 1.5) * 1000) {
    await sleep(2000);
    peak = Math.max(peak, statm(box));
    for (const [i, { id }] of ids.entries()) {
      const [device] = (await box.get(`/SophonDevice/api/Devices?device_id=${id}`)).json.data.devices_list;
      if (device.connected && device.analysed_fps > 0) fps[i].push(device.analysed_fps);
    }
  }
  const cpuShare = (cpu(box) - cpuBefore) / ((Date.now() - began) / 1000);
  await sleep(3500);
  const drops = [];
  for (const { id } of ids) drops.push((await box.get(`/SophonDevice/api/Devices?device_id=${id}`)).json.data.devices_list[0].drops);
  unwatch();
  if (process.env.BENCH_VERBOSE) {
    const metrics = (await box.get('/metrics')).body.toString();
    for (const [, stage, sum] of metrics.matchAll(/stage_seconds_sum\{stage="(\w+)"\} (\S+)/g)) {
      const count = Number(new RegExp(`stage_seconds_count\\{stage="${stage}"\\} (\\d+)`).exec(metrics)[1]);
      console.log(`  ${stage}: ${count} times, ${((1000 * Number(sum)) / Math.max(count, 1)).toFixed(1)} ms`);
    }
  }
  await box.delete('/SophonDevice/api/Devices', { devices_list: ids.map(({ id }) => ({ device_id: id })) });
  await server.stop();

  const sum = { known: 0, found: 0, wrong: 0, twice: 0, strangers: 0, strangersFound: 0, strangersNamed: 0, named: 0 };
  const delays = [];
  for (const [i, { ep_id }] of ids.entries()) {
    const play = server.plays.find((each) => each.play === `/${kind}${i}`).time;
    const end = play + seconds * 1000;
    const mine = events.filter((event) => event.ext_data.ep_id === ep_id && event.timestamp < end);
    const superseded = new Set(mine.map((event) => event.ext_data.supersedes));
    const named = mine.filter((event) => event.verdict === 'known');
    const unnamed = mine.filter((event) => event.verdict !== 'known' && !superseded.has(event._id));
    const when = (event) => (event.timestamp - play) / 1000;
    const during = ({ from, to }, event) => when(event) > from - 0.3 && when(event) < to + 1.5;
    const present = new Set();
    sum.named += named.length;
    for (const role of films[i].cast) {
      if (role.name === undefined) {
        sum.strangers++;
        if (unnamed.some((event) => during(role, event))) sum.strangersFound++;
        continue;
      }
      const hits = named.filter((event) => event.identity_id === role.name && during(role, event));
      hits.forEach((event) => present.add(event));
      sum.known++;
      if (hits.length === 0) {
        if (process.env.BENCH_VERBOSE) console.log(`  missed: ${role.name} at ${role.from} s of ${kind}${i}`);
        continue;
      }
      sum.found++;
      sum.twice += hits.length - 1;
      delays.push((Math.min(...hits.map((event) => event.at)) - play) / 1000 - role.from);
    }
    sum.wrong += named.filter((event) => !present.has(event)).length;
  }
  const share = (part, all) => `${part} of ${all} (${((100 * part) / Math.max(all, 1)).toFixed(1)} %)`;
  const mean = (list) => list.reduce((a, b) => a + b, 0) / Math.max(list.length, 1);
  console.log(`\n${count} ${kind === 'crowd' ? 'cameras that follow a crowd' : 'cameras at gates'}, ${seconds} s, ${wanted} people enrolled`);
  console.log(`frames analysed a second, each: ${fps.map((list) => mean(list).toFixed(1)).join(', ')} (due but not analysed: ${drops.join(', ')})`);
  console.log(`known people reported by name:  ${share(sum.found, sum.known)}`);
  console.log(`names that are right:           ${share(sum.named - sum.wrong, sum.named)}`);
  console.log(`reported twice:                 ${share(sum.twice, sum.found)}`);
  console.log(`strangers reported as such:     ${share(sum.strangersFound, sum.strangers)}`);
  console.log(`from appearing to the event:    p50 ${quantile(delays, 0.5).toFixed(2)} s, p95 ${quantile(delays, 0.95).toFixed(2)} s`);
  console.log(`processor: ${(cpuShare * 100).toFixed(0)} % of a core; memory: ${rss.toFixed(0)} MiB before, ${peak.toFixed(0)} MiB at most, ${((peak - rss) / count).toFixed(0)} MiB for each camera`);
}

const box = await Box.start();
const folder = temporaryFolder();
try {
  for (const { name, photos } of enrolled) {
    const body = { identity_id: name, group_name: 'default_group', fiqa_level: 'no', info: { name }, reg_photo: readFileSync(photos[0]).toString('base64') };
    const answer = await box.post('/SophonFogSys/api/users', body);
    if (answer.status !== 200) console.log(`not enrolled: ${name}: ${answer.json?.error?.message}`);
  }
  for (const kind of options.kind.split(',')) await measure(box, kind, Number(options.streams ?? (kind === 'crowd' ? 2 : 4)), folder);
} finally {
  await box.stop();
  rmSync(folder, { recursive: true, force: true });
}
