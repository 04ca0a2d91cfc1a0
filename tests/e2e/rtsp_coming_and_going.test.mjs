// Cameras that lose their power at any moment: each comes back, its neighbours don't notice, and the box doesn't grow. With
// AIBOX_LONG for half an hour, with two streams of 1920×1080.
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { aiboxd, Box, temporaryFolder } from './lib/box.mjs';
import { RtspServer, makeFilm, missingPrograms, repeatFilm } from './lib/camera_kit_rtsp.mjs';
import { base64, people } from './lib/pictures.mjs';

const DEVICES = '/SophonDevice/api/Devices';
const long = Boolean(process.env.AIBOX_LONG);
const sanitized = readFileSync(aiboxd).includes('__asan_init');
const missing = missingPrograms();
const MINUTES = long ? 30 : 0.4;
const [width, height] = long && !sanitized ? [1920, 1080] : [640, 480];
const CAMERAS = 2;
let box, folk, folder, film;

before(async () => {
  if (missing) return;
  folder = temporaryFolder();
  // What a sanitizer keeps of freed memory would look like growth.
  const asan = [process.env.ASAN_OPTIONS, 'quarantine_size_mb=8:thread_local_quarantine_size_kb=64'].filter(Boolean).join(':');
  box = await Box.start({ settings: { 'events.keep': 100 }, env: { ASAN_OPTIONS: asan } });
  folk = await people(box, 4);
  for (const [i, person] of folk.slice(0, 3).entries()) {
    const body = { identity_id: `p${i}`, group_name: 'default_group', reg_photo: base64(person.photo), fiqa_level: 'no', info: { name: `name of p${i}` } };
    assert.equal((await box.post('/SophonFogSys/api/users', body)).status, 200);
  }
  // The third of four is a stranger; two at a time, one behind a board for a while.
  const walk = (i, from) => ({ photo: folk[i].other, from, to: from + 6, at: [0.2, 0.35, 0.6, 0.35], height: Math.round(height * 0.4) });
  const back = (i, from) => ({ photo: folk[i].other, from, to: from + 6, at: [0.8, 0.75, 0.45, 0.75], height: Math.round(height * 0.3) });
  const board = { width: Math.round(width * 0.15), height: Math.round(height * 0.5), from: 3, to: 5, at: [0.3, 0.35, 0.45, 0.35] };
  makeFilm(path.join(folder, 'once.ts'), { width, height, seconds: 20, quality: 26, actors: [walk(0, 0.5), back(3, 2), board, walk(2, 8), back(1, 9)] });
  film = repeatFilm(path.join(folder, 'once.ts'), path.join(folder, 'film.ts'), 15);
});
after(async () => {
  if (missing) return;
  await box.stop();
  rmSync(folder, { recursive: true, force: true });
});

const shown = async (device_id) => (await box.get(`${DEVICES}?device_id=${device_id}`)).json.data.devices_list[0];
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const residentMiB = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${box.child.pid}/status`, 'utf8'))[1]) / 1024;

async function until(what, seconds, check) {
  const end = Date.now() + seconds * 1000;
  while (!(await check())) {
    assert.ok(Date.now() < end, `not within ${seconds} s: ${what}`);
    await sleep(50);
  }
}

/** A camera with a process of its own; `back`: ms from its return to its first frame, of each time. */
class Camera {
  constructor(number) {
    this.id = `camera${number}`;
    this.back = [];
    this.outages = 0;
  }

  async begin() {
    this.server = await RtspServer.start({ '/ch1': { file: film } });
    this.port = this.server.port;
    const answer = await box.post(DEVICES, { devices_list: [{ device_id: this.id, device_key: this.server.url('/ch1'), ep_type: '3' }] });
    assert.equal(answer.status, 200, answer.body);
    await until(`${this.id} is there`, 20, async () => (await shown(this.id)).connected);
  }

  /** Without power for a while that only chance knows. */
  async loseAndRegainPower() {
    const { reconnects } = await shown(this.id);
    await this.server.kill();
    this.outages++;
    await sleep(Math.random() * (long ? 12000 : 3000));
    this.server = await RtspServer.start({ '/ch1': { file: film } }, { port: this.port });
    const returned = Date.now();
    const isBack = async () => {
      const { connected, reconnects: now } = await shown(this.id);
      return connected && now > reconnects;
    };
    await until(`${this.id} is back`, 30, isBack);
    this.back.push(Date.now() - returned);
  }
}

test('cameras come and go at random', { skip: missing, timeout: MINUTES * 60000 + 120000 }, async (t) => {
  const cameras = Array.from({ length: CAMERAS }, (_, i) => new Camera(i));
  const memory = []; // [s, MiB]
  for (const camera of cameras) await camera.begin();
  const began = Date.now(), end = began + MINUTES * 60000;
  const outages = async () => {
    for (let i = 0; Date.now() < end; i++) {
      await sleep(1000 + Math.random() * (long ? 30000 : 2000));
      const camera = cameras[Math.floor(Math.random() * CAMERAS)];
      const others = cameras.filter((other) => other !== camera);
      const before = await Promise.all(others.map(({ id }) => shown(id)));
      await camera.loseAndRegainPower();
      const now = await Promise.all(others.map(({ id }) => shown(id)));
      now.forEach((other, k) => assert.ok(other.frames > before[k].frames, `${other.device_id} goes on`));
    }
  };
  const sampling = async () => {
    for (; Date.now() < end; await sleep(long ? 15000 : 1000)) memory.push([Math.round((Date.now() - began) / 1000), residentMiB()]);
  };
  await Promise.all([outages(), sampling()]);
  const events = (await box.get('/SophonFace/api/events?per_page=100')).json.data;
  const known = events.filter(({ verdict }) => verdict === 'known').map(({ identity_id }) => identity_id);
  for (const camera of cameras) await camera.server.stop();

  const back = cameras.flatMap((camera) => camera.back);
  assert.ok(back.length >= 2, `${back.length} outages`);
  for (const name of ['p0', 'p1', 'p2']) assert.ok(known.includes(name) || !long, `${name} was seen`);
  assert.ok(events.length > 0 && known.every((name) => ['p0', 'p1', 'p2'].includes(name)));
  t.diagnostic(`${back.length} outages, back after ${Math.round(median(back))} ms (median), ${Math.max(...back)} ms (longest)`);
  t.diagnostic(`memory [s, MiB]: ${memory.map(([s, mib]) => `${s}: ${mib.toFixed(1)}`).join(', ')}`);
  if (!long) return;
  const between = (from, to) => median(memory.filter(([s]) => s >= from * 60 && s < to * 60).map(([, mib]) => mib));
  // Kept events, caches and what the allocator keeps for each thread fill up in the first half.
  const early = between(15, 20), late = between(25, 30);
  assert.ok(late - early < Math.max(0.02 * early, 3), `memory grew from ${early} to ${late} MiB`);
});
