// Mixed load as a site makes it: people at doors, lists being read, people coming and going, wrong requests. Everything is answered as
// documented; with AIBOX_LONG the memory must stay flat for minutes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { aiboxd, Box } from './lib/box.mjs';
import { encodeBody } from './lib/openapi.mjs';
import { base64, people } from './lib/pictures.mjs';

const FOG = '/SophonFogSys/api';
const sanitized = readFileSync(aiboxd).includes('__asan_init');
const seconds = process.env.AIBOX_LONG ? 600 : sanitized ? 5 : 20;
const features = Array.from({ length: 50 }, (_, k) => Array.from({ length: 512 }, (_, i) => Math.fround(Math.sin((k + 1) * (i + 1)))));
let box, folk;

before(async () => {
  // What a sanitizer keeps of freed memory would look like growth.
  const asan = [process.env.ASAN_OPTIONS, 'quarantine_size_mb=8:thread_local_quarantine_size_kb=64'].filter(Boolean).join(':');
  box = await Box.start({ settings: { 'events.keep': 1000 }, env: { ASAN_OPTIONS: asan } });
  folk = await people(box, 7);
  for (const [i, { photo }] of folk.slice(0, 5).entries())
    assert.equal((await box.post(`${FOG}/users`, { identity_id: `door${i}`, group_name: '', reg_photo: base64(photo), fiqa_level: 'no', info: { name: `d${i}` } })).status, 200);
  await box.post(`${FOG}/groups`, { group_name: 'moving', description: '' });
});
after(() => box.stop());

async function ok(call) {
  const answer = await call;
  assert.equal(answer.status, 200, answer.body.toString('utf8', 0, 300));
  return answer;
}

async function refused(code, call) {
  const answer = await call;
  assert.equal(answer.json?.error?.code, code, answer.body.toString('utf8', 0, 300));
}

/** Each takes the number of the round and of the client. */
const clients = {
  async door(round) {
    const i = round % folk.length;
    const { json } = await ok(box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(folk[i].other), group_name: 'default_group' }));
    assert.equal(json.retcode, i < 5 ? '1' : '0');
    if (i < 5) assert.equal(json.identity_id, `door${i}`);
  },
  async multipartDoor(round) {
    const { headers, body } = encodeBody('multipart', { group_name: 'default_group', image: Buffer.from(folk[round % 5].photo) });
    assert.equal((await ok(box.request('POST', '/SophonMatch/api/PictureMatch', { headers, body }))).json.retcode, '1');
  },
  async lists(round) {
    const paths = [`${FOG}/users?need_reg_photo=false`, `${FOG}/users?group_name=default_group&limit=3`, `${FOG}/groups`, `${FOG}/permissions`];
    await ok(box.get([...paths, '/SophonFace/api/events?per_page=50', '/api/settings', '/metrics', '/openapi.json', '/readyz'][round % 9]));
  },
  async movers(round, client) {
    const identity_id = `mover-${client}`;
    const feature = features[(round + client) % features.length];
    await ok(box.post(`${FOG}/users`, { identity_id, group_name: 'moving', import_mode: true, reg_photo: '', feature, info: { name: 'M', round } }));
    await ok(box.put(`${FOG}/users`, { identity_id, info: { ext_info: { round } } }));
    await ok(box.put(`${FOG}/GroupUsers`, { group_name: 'default_group', identity_id: [identity_id], with_identity_id: true }));
    await ok(box.delete(`${FOG}/users`, { identity_id }));
  },
  async enrolments(round, client) {
    const { headers, body } = encodeBody('urlencoded', { identity_id: `photo-${client}`, group_name: 'moving', reg_photo: base64(folk[5 + (round % 2)].photo), fiqa_level: 'no', info: { name: 'P' } });
    await ok(box.request('POST', `${FOG}/users`, { headers, body }));
    await ok(box.delete(`${FOG}/users`, { identity_ids: [`photo-${client}`] }));
  },
  async mistakes(round) {
    await refused(40091, box.post(`${FOG}/users`, { identity_id: 'x' }));
    await refused(40003, box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: 'AAAA', group_name: 'default_group' }));
    await refused(40000, box.post(`${FOG}/users`, '{'.repeat(1 + (round % 5000))));
    await refused(40400, box.get(`/nothing/${round}`));
    await refused(40401, box.get(`${FOG}/users?identity_id=nobody`));
    await sleep(20);
  },
};
const crowd = ['door', 'door', 'multipartDoor', 'lists', 'lists', 'movers', 'movers', 'enrolments', 'mistakes'];

function residentBytes() {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${box.child.pid}/status`))[1]) * 1024;
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

test(`mixed load for ${seconds} s`, async (t) => {
  const end = Date.now() + seconds * 1000;
  const rounds = {};
  const memory = [];
  const work = crowd.map(async (name, client) => {
    for (let round = 0; Date.now() < end; round++) {
      await clients[name](round, client);
      rounds[name] = (rounds[name] ?? 0) + 1;
    }
  });
  const sampling = (async () => {
    for (; Date.now() < end; await sleep(500)) memory.push(residentBytes());
  })();
  await Promise.all([...work, sampling]);
  for (const name of Object.keys(clients)) assert.ok(rounds[name] > 0, `${name} never ran`);
  t.diagnostic(`rounds ${JSON.stringify(rounds)}, memory ${Math.round(memory[0] / 1e6)} to ${Math.round(memory.at(-1) / 1e6)} MB`);

  // Caches, the event store and the sanitizer fill up in the first half.
  if (!process.env.AIBOX_LONG) return;
  const half = memory.slice(memory.length / 2);
  const [early, late] = [half.slice(0, half.length / 3), half.slice((half.length * 2) / 3)].map(median);
  assert.ok(late - early < Math.max(0.03 * early, 8e6), `memory grew from ${early} to ${late} bytes`);
});

test('afterwards it is as before', async () => {
  const { json } = await ok(box.get(`${FOG}/users?need_reg_photo=false`));
  assert.deepEqual(json.data.identities_list.map((each) => each.identity_id), ['door0', 'door1', 'door2', 'door3', 'door4']);
  const figures = (await box.get('/metrics')).body.toString();
  assert.match(figures, /^aibox_gallery_people 5$/m);
  assert.match(figures, /^aibox_http_requests_in_flight 1$/m);
  assert.match(figures, /^aibox_store_queue 0$/m);
});
