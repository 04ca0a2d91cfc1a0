// Video cameras measured: films of 1920×1080 at 25 frames a second with people from a folder of faces, played by RTSP; then
// cameras that lose their power at any moment. Prints who was missed, misnamed or reported twice, how long it took, what
// it cost, and what of that was promised. Run by scripts/bench-cameras.sh.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';

import { Box, temporaryFolder } from '../../../tests/e2e/lib/box.mjs';
import { RtspServer, missingPrograms, repeatFilm } from '../../../tests/e2e/lib/camera_kit_rtsp.mjs';
import { choosePeople, shootFilms } from './films.mjs';

const { values: options } = parseArgs({
  options: {
    faces: { type: 'string' }, // a folder for each person, with pictures of the person: LFW's layout
    people: { type: 'string', default: '500' }, // enrolled
    seconds: { type: 'string', default: '24' }, // of each film
    seeds: { type: 'string', default: '1,2,3' }, // other people and other moments with each
    kind: { type: 'string', default: 'crowd,gate,outages' },
    streams: { type: 'string' }, // default: 2 crowds, 4 gates
  },
});
const fail = (text) => {
  console.error(`bench-cameras: ${text}`);
  process.exit(1);
};
const kinds = options.kind.split(',');
const seeds = options.seeds.split(',').map(Number);
const seconds = Number(options.seconds);
if (!options.faces || !existsSync(options.faces)) fail('--faces FOLDER: a folder with a folder of pictures for each person is needed');
if (kinds.some((kind) => !['crowd', 'gate', 'outages'].includes(kind))) fail('--kind: crowd, gate, outages, with commas between them');
if (!(seconds >= 8) || seeds.some((seed) => !Number.isInteger(seed))) fail('--seconds: 8 or more; --seeds: whole numbers with commas between them');
if (missingPrograms()) fail(missingPrograms());
const people = choosePeople(options.faces, Number(options.people));
if (!people) fail(`the folder has too few people for --people ${options.people}`);

const DEVICES = '/SophonDevice/api/Devices';
const OUTAGE_CAMERAS = 4;
const OUTAGE_SECONDS = 50;

/* ---- figures ---- */

const mean = (list) => list.reduce((a, b) => a + b, 0) / Math.max(list.length, 1);
const quantile = (list, q) => (list.length ? [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * q))] : NaN);
const percent = (part, all) => (100 * part) / Math.max(all, 1);
const share = (part, all) => `${part} of ${all} (${percent(part, all).toFixed(1)} %)`;
const residentMiB = (box) => (Number(readFileSync(`/proc/${box.child.pid}/statm`, 'utf8').split(' ')[1]) * 4096) / 2 ** 20;
const processorSeconds = (box) => {
  const fields = readFileSync(`/proc/${box.child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};
const promises = []; // [text, measured, wanted, met]
const promise = (text, value, digits, unit, sign, wanted) =>
  promises.push([text, `${value.toFixed(digits)} ${unit}`, `${sign} ${wanted} ${unit}`, sign === '≤' ? value <= wanted : value >= wanted]);

/* ---- the box ---- */

/** Calls take(event, when it came, Unix ms) for each event; returns what ends that. */
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

async function addCamera(box, device) {
  const answer = await box.post(DEVICES, { devices_list: [device] });
  if (answer.status !== 200) fail(answer.body);
  return answer.json.data.devices_list[0].ep_id;
}
const removeCameras = (box, ids) => box.delete(DEVICES, { devices_list: ids.map((device_id) => ({ device_id })) });
const shown = async (box, id) => (await box.get(`${DEVICES}?device_id=${id}`)).json.data.devices_list[0];

/* ---- films ---- */

/** What the events of one camera say of a film whose first frame was at `play` (Unix ms), added to `sum`. */
function judge(sum, name, cast, play, events) {
  const mine = events.filter((event) => event.timestamp < play + seconds * 1000);
  const superseded = new Set(mine.map((event) => event.ext_data.supersedes));
  const named = mine.filter((event) => event.verdict === 'known');
  const unnamed = mine.filter((event) => event.verdict !== 'known' && !superseded.has(event._id));
  const during = ({ from, to }, event) => {
    const when = (event.timestamp - play) / 1000;
    return when > from - 0.3 && when < to + 1.5;
  };
  const present = new Set();
  for (const role of cast) {
    if (role.name === undefined) {
      sum.strangers++;
      sum.strangersFound += unnamed.some((event) => during(role, event)) ? 1 : 0;
      continue;
    }
    const hits = named.filter((event) => event.identity_id === role.name && during(role, event));
    hits.forEach((event) => present.add(event));
    sum.known++;
    if (hits.length === 0) {
      sum.missed.push(`${role.name} at ${role.from} s of ${name}`);
      continue;
    }
    sum.found++;
    sum.twice += hits.length - 1;
    sum.delays.push((Math.min(...hits.map((event) => event.at)) - play) / 1000 - role.from);
    sum.slowest.push([sum.delays.at(-1), `${role.name} at ${role.from} s of ${name}`]);
  }
  sum.named += named.length;
  sum.wrong += named.filter((event) => !present.has(event)).length;
}

/** Plays the films, all at once, and adds what came of it. */
async function play(box, kind, films, sum) {
  const server = await RtspServer.start(Object.fromEntries(films.map(({ film }, i) => [`/${kind}${i}`, { file: film }])));
  const events = [], ids = films.map((_, i) => `${kind}${i}`), eps = [];
  const unwatch = watch(box, (event, at) => events.push({ ...event, at }));
  await sleep(500);
  const before = residentMiB(box), processor = processorSeconds(box), began = Date.now();
  for (const id of ids)
    eps.push(await addCamera(box, { device_id: id, device_key: server.url(`/${id}`), ep_type: kind === 'crowd' ? '3' : '2' }));
  const fps = ids.map(() => []);
  let peak = 0;
  while (Date.now() - began < (seconds - 1.5) * 1000) {
    await sleep(2000);
    peak = Math.max(peak, residentMiB(box));
    for (const [i, id] of ids.entries()) {
      const device = await shown(box, id);
      if (device.connected && device.analysed_fps > 0) fps[i].push(device.analysed_fps);
    }
  }
  sum.processor.push((processorSeconds(box) - processor) / ((Date.now() - began) / 1000));
  sum.memory.push([before, peak, (peak - before) / ids.length]);
  await sleep(3500);
  for (const id of ids) sum.drops += (await shown(box, id)).drops;
  fps.forEach((list) => sum.fps.push(mean(list)));
  unwatch();
  await removeCameras(box, ids);
  await server.stop();
  for (const [i, ep_id] of eps.entries()) {
    const began = server.plays.find((each) => each.play === `/${ids[i]}`).time;
    judge(sum, path.basename(films[i].film, '.ts'), films[i].cast, began, events.filter((event) => event.ext_data.ep_id === ep_id));
  }
}

async function measureFilms(box, folder, kind) {
  const count = Number(options.streams ?? (kind === 'crowd' ? 2 : 4));
  const sum = { known: 0, found: 0, wrong: 0, twice: 0, strangers: 0, strangersFound: 0, named: 0, drops: 0, delays: [], fps: [], processor: [], memory: [], missed: [], slowest: [] };
  for (const seed of seeds) {
    console.error(`bench-cameras: ${kind}, seed ${seed}`);
    const films = await shootFilms(folder, kind, count, { seconds, seed, people });
    await play(box, kind, films, sum);
    films.forEach(({ film }) => rmSync(film));
  }
  const what = kind === 'crowd' ? `${count} cameras that follow a crowd` : `${count} cameras at gates`;
  console.log(`\n${what}, ${seeds.length} × ${seconds} s, ${people.enrolled.length} people enrolled, ${sum.known + sum.strangers} tracks`);
  console.log(`frames analysed a second, each: ${sum.fps.map((each) => each.toFixed(1)).join(', ')} (due but not analysed: ${sum.drops})`);
  console.log(`known people reported by name:  ${share(sum.found, sum.known)}`);
  if (sum.missed.length > 0) console.log(`  not: ${sum.missed.join('; ')}`);
  console.log(`names that are right:           ${share(sum.named - sum.wrong, sum.named)}`);
  console.log(`reported twice:                 ${share(sum.twice, sum.found)}`);
  console.log(`strangers reported as such:     ${share(sum.strangersFound, sum.strangers)}`);
  console.log(`from appearing to the event:    p50 ${quantile(sum.delays, 0.5).toFixed(2)} s, p95 ${quantile(sum.delays, 0.95).toFixed(2)} s`);
  const slowest = sum.slowest.sort((a, b) => b[0] - a[0]).slice(0, 4);
  console.log(`  the slowest: ${slowest.map(([delay, who]) => `${delay.toFixed(2)} s ${who}`).join('; ')}`);
  const [before, peak, each] = [0, 1, 2].map((k) => Math.max(...sum.memory.map((row) => row[k])));
  console.log(`processor: ${(mean(sum.processor) * 100).toFixed(0)} % of a core; memory: ${before.toFixed(0)} MiB before, ${peak.toFixed(0)} MiB at most, ${each.toFixed(0)} MiB for each camera`);
  promise(`${what}: frames analysed a second, the slowest`, Math.min(...sum.fps), 1, '', '≥', 5);
  promise('… from appearing to the event, p95', quantile(sum.delays, 0.95), 2, 's', '≤', 1.5);
  promise('… names that are right', percent(sum.named - sum.wrong, sum.named), 1, '%', '≥', 98);
  promise('… reported twice', percent(sum.twice, sum.found), 1, '%', '≤', 2);
  promise('… memory for each camera', each, 0, 'MiB', '≤', 45);
}

/* ---- outages ---- */

/** Kills the camera's server and starts it again at random until `end`; ms from each return to the first frame. */
async function comeAndGo(box, id, film, end) {
  let server = await RtspServer.start({ '/ch1': { file: film } });
  const { port } = server, back = [];
  await addCamera(box, { device_id: id, device_key: server.url('/ch1'), ep_type: '3' });
  while (!(await shown(box, id)).connected) await sleep(50);
  while (Date.now() < end) {
    await sleep(500 + 5000 * Math.random());
    const { reconnects } = await shown(box, id);
    await server.kill();
    await sleep(8000 * Math.random());
    server = await RtspServer.start({ '/ch1': { file: film } }, { port });
    const returned = Date.now();
    for (;;) {
      const device = await shown(box, id);
      if (device.connected && device.reconnects > reconnects) break;
      if (Date.now() - returned > 60000) fail(`${id} is not back within a minute: ${device.last_error}`);
      await sleep(20);
    }
    back.push(Date.now() - returned);
  }
  await server.stop();
  return back;
}

async function measureOutages(box, folder) {
  console.error('bench-cameras: outages');
  const [{ film }] = await shootFilms(folder, 'gate', 1, { seconds: 12, seed: seeds[0], people });
  const long = repeatFilm(film, `${folder}/long.ts`, 10), end = Date.now() + OUTAGE_SECONDS * 1000;
  const ids = Array.from({ length: OUTAGE_CAMERAS }, (_, i) => `comes-and-goes-${i}`);
  const back = (await Promise.all(ids.map((id) => comeAndGo(box, id, long, end)))).flat().map((ms) => ms / 1000);
  await removeCameras(box, ids);
  console.log(`\n${OUTAGE_CAMERAS} cameras that lose their power at random, ${OUTAGE_SECONDS} s: ${back.length} times, back after p50 ${quantile(back, 0.5).toFixed(2)} s, at most ${Math.max(...back).toFixed(2)} s`);
  promise('a camera that was away is back, the longest', Math.max(...back), 2, 's', '≤', 10);
}

const box = await Box.start();
const folder = temporaryFolder();
try {
  for (const { name, photos } of people.enrolled) {
    const body = { identity_id: name, group_name: 'default_group', fiqa_level: 'no', info: { name }, reg_photo: readFileSync(photos[0]).toString('base64') };
    const answer = await box.post('/SophonFogSys/api/users', body);
    if (answer.status !== 200) console.log(`not enrolled: ${name}: ${answer.json?.error?.message}`);
  }
  for (const kind of kinds) await (kind === 'outages' ? measureOutages(box, folder) : measureFilms(box, folder, kind));
  console.log();
  const widest = Math.max(...promises.map(([text]) => text.length));
  for (const [text, measured, wanted, met] of promises) console.log(`${text.padEnd(widest)}  ${measured.padStart(10)}  ${wanted.padStart(10)}  ${met ? 'met' : 'MISSED'}`);
} finally {
  await box.stop();
  rmSync(folder, { recursive: true, force: true });
}
