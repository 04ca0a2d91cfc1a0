// The protocol's REST examples, replayed: tests/fixtures/examples/*.json, in the order of their names, against one box.
//
// A fixture holds calls to make `before`, the `request`, the `response` and what a `relay` hears. In them "<photo N>" stands for a
// picture, "<relay port>" for a listening relay board; in responses "<id>", "<text>", "<number>", "<boolean>" for any of that kind and
// "<items>" for the names of all items of quality. An answer may hold more fields, never fewer.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Box } from './lib/box.mjs';
import { base64, people } from './lib/pictures.mjs';

const folder = new URL('../fixtures/examples/', import.meta.url);
let box, folk, board, heard;

before(async () => {
  box = await Box.start();
  folk = await judgedGood(await people(box, 7));
  heard = '';
  board = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      heard += bytes;
      socket.write('OK\r\n');
    });
  });
  await new Promise((resolve) => board.listen(0, '127.0.0.1', resolve));
});
after(async () => {
  board.close();
  await box.stop();
});

/** The examples enrol at the highest level. */
async function judgedGood(all) {
  const good = [];
  for (const person of all) {
    const answer = await box.post('/SophonFace/api/FIQA', { image_base64_str: base64(person.photo), fiqa_level: 'high' });
    if (answer.json.data[0].fiqa_result) good.push(person);
  }
  return good;
}

function filled(value) {
  if (Array.isArray(value)) return value.map(filled);
  if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, filled(each)]));
  const photo = /^<photo (\d+)>$/.exec(value);
  if (photo !== null) return base64(folk[Number(photo[1])].photo);
  return value === '<relay port>' ? String(board.address().port) : value;
}

const items = ['face_size', 'headpose', 'occlusion', 'clarity', 'mask', 'partial', 'brightness', 'feature'];
const kinds = {
  '<id>': (value) => typeof value === 'string' && value.length >= 8,
  '<text>': (value) => typeof value === 'string' && value !== '',
  '<number>': (value) => typeof value === 'number',
  '<boolean>': (value) => typeof value === 'boolean',
  '<items>': (value) => items.every((item) => value.includes(item)),
};

function compare(given, expected, where) {
  if (typeof expected === 'string' && expected in kinds) {
    assert.ok(kinds[expected](given), `${where}: ${JSON.stringify(given)} is not ${expected}`);
  } else if (Array.isArray(expected)) {
    assert.equal(given?.length, expected.length, `${where}: ${JSON.stringify(given)?.slice(0, 200)}`);
    expected.forEach((each, i) => compare(given[i], each, `${where}[${i}]`));
  } else if (expected !== null && typeof expected === 'object') {
    for (const [key, each] of Object.entries(expected)) {
      assert.ok(given !== null && typeof given === 'object' && key in given, `${where}.${key} is missing`);
      compare(given[key], each, `${where}.${key}`);
    }
  } else {
    assert.deepEqual(given, expected, where);
  }
}

for (const file of readdirSync(folder).sort()) {
  test(file.replace(/^\d+-|\.json$/g, '').replaceAll('-', ' '), async () => {
    const { before: calls = [], request, response, relay } = JSON.parse(readFileSync(new URL(file, folder)));
    assert.ok(folk.length > 0, 'no sample picture is judged good');
    const make = ({ method, path, body }) => (body === undefined ? box.request(method, path) : box.send(method, path, filled(body)));
    for (const call of calls) assert.equal((await make(call)).status, 200);
    heard = '';
    const answer = await make(request);
    assert.equal(answer.status, 200, answer.body.toString().slice(0, 300));
    assert.match(answer.headers['content-type'], /^application\/json/);
    compare(answer.json, filled(response), 'answer');
    if (relay === undefined) return;
    for (let i = 0; i < 100 && !heard.includes(relay); i++) await sleep(30);
    assert.ok(heard.includes(relay), `the relay heard ${JSON.stringify(heard)}`);
  });
}
