// A client that knows the box from /openapi.json alone: it writes every request from the schemas and examples there, takes ids from
// the answers it got, and expects to be understood.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';

import { Box } from './lib/box.mjs';
import { kindOf, operationsOf, send } from './lib/openapi.mjs';
import { base64, people } from './lib/pictures.mjs';

// Endless, about files, or about what has gone wrong before: tests of their own.
const elsewhere = /^\/api\/(?!settings$)/;

let folk, relay, receiver;

before(async () => {
  const box = await Box.start();
  folk = await people(box, 1);
  await box.stop();
  relay = net.createServer((socket) => socket.on('data', () => socket.write('OK\r\n')).on('error', () => {})).listen(0, '127.0.0.1');
  receiver = http.createServer((request, response) => request.resume().on('end', () => response.end('{}'))).listen(0, '127.0.0.1');
  await Promise.all([relay, receiver].map((server) => new Promise((resolve) => server.once('listening', resolve))));
});
after(() => [relay, receiver].forEach((server) => server.close()));

/** Create, change, read; end memberships before their people and groups go, in the reverse order of coming; a wipe ends it. */
function inOrder(operations) {
  const rank = ({ method, path }) => {
    if (path.endsWith('/WipeData')) return 5;
    if (method === 'DELETE') return path.endsWith('/GroupUsers') ? 3 : 4;
    return ['POST', 'PUT', 'GET'].indexOf(method);
  };
  const order = (a, b) => rank(a) - rank(b) || (rank(a) === 4 ? -1 : 1) * (operations.indexOf(a) - operations.indexOf(b));
  return [...operations].sort(order);
}

/** The example's addresses are somebody else's: ours answer. */
function reachable(value, key = '') {
  if (Array.isArray(value)) return value.map((each) => reachable(each, key));
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, reachable(each, name)]));
  if (key === 'action_ip') return '127.0.0.1';
  if (key === 'action_port') return relay.address().port;
  if (typeof value !== 'string') return value;
  return value.replace(/^http:\/\/[^/]+/, `http://127.0.0.1:${receiver.address().port}`);
}

/** Keeps the last value seen under each key of the answers. */
function remember(seen, value) {
  if (value === null || typeof value !== 'object') return;
  for (const [key, each] of Object.entries(value)) {
    if (typeof each === 'string' && each !== '') seen[key] = each;
    remember(seen, each);
  }
}

/** Ids that the box made are taken from its answers. */
function knownIds(seen, value) {
  if (Array.isArray(value)) return value.map((each) => knownIds(seen, each));
  if (value === null || typeof value !== 'object') return value;
  const own = { device_id: seen.device_id, event_id_list: seen.event_id && [seen.event_id], image_id_list: seen.spot_pic_id && [seen.spot_pic_id] };
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, own[name] ?? knownIds(seen, each)]));
}

/** `full`: also every field that has a default, with that value. */
function requestOf(operation, seen, full) {
  const values = knownIds(seen, reachable(operation.example ?? {}));
  for (const { name, place, required, schema } of operation.fields) {
    if (place === 'path') values[name] = name === 'image_id' ? seen.image_id : (seen.spot_pic_id ?? seen.event_id);
    else if (kindOf(schema) === 'picture' && (name in values || required)) values[name] = base64(folk[0].photo);
    else if (full && schema.default !== undefined && !(name in values)) values[name] = schema.default;
  }
  if ('fiqa_level' in values || operation.fields.some(({ name }) => name === 'fiqa_level')) values.fiqa_level = 'no';
  return values;
}

for (const { name, encoding, full } of [
  { name: 'JSON', encoding: 'json', full: false },
  { name: 'JSON with every default written out', encoding: 'json', full: true },
  { name: 'multipart/form-data', encoding: 'multipart', full: false },
  { name: 'multipart/form-data with every default written out', encoding: 'multipart', full: true },
  { name: 'urlencoded', encoding: 'urlencoded', full: false },
])
  test(`every operation, ${name}`, async () => {
    const box = await Box.start();
    try {
      const operations = operationsOf((await box.get('/openapi.json')).json);
      const seen = {};
      let calls = 0;
      for (const operation of inOrder(operations.filter(({ path }) => !elsewhere.test(path)))) {
        const values = requestOf(operation, seen, full);
        const answer = await send(box, operation, values, operation.encodings.includes(encoding) ? encoding : 'json');
        const said = answer.body.toString('utf8', 0, 300);
        assert.ok(answer.status >= 200 && answer.status < 300, `${operation.method} ${operation.path} ${JSON.stringify(values).slice(0, 200)}: ${said}`);
        if (operation.path !== '/openapi.json') remember(seen, answer.json);
        calls++;
      }
      assert.ok(calls >= 40, `${calls} calls`);
    } finally {
      await box.stop();
    }
  });
