// Every field of every call, made wrong in every way that the kinds of the fields allow, in every encoding. Whatever comes: the answer
// is a documented code (never an accident of the server), it names the field, what was refused changed nothing, and the box lives on
// without a word from the sanitizers.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { Box } from './lib/box.mjs';
import { codes } from './lib/contract.mjs';
import { encodeBody, kindOf, operationsOf, send, urlencode } from './lib/openapi.mjs';

const FOG = '/SophonFogSys/api';
const feature = Array.from({ length: 512 }, (_, i) => Math.cos(i));
const url = 'http://127.0.0.1:9/x';

// A good request of each call; what is not here is the document's example. The ids are those of prepare().
const good = {
  [`POST ${FOG}/permissions`]: { permission_name: 'new', description: '' },
  [`PUT ${FOG}/permissions`]: { permission_name: 'pg', description: '' },
  [`DELETE ${FOG}/permissions`]: { permission_name: 'pg' },
  [`POST ${FOG}/groups`]: { group_name: 'new', description: '' },
  [`PUT ${FOG}/groups`]: { group_name: 'gg', description: '' },
  [`DELETE ${FOG}/groups`]: { group_name: 'gg' },
  [`PUT ${FOG}/GroupUsers`]: { group_name: 'gg', identity_id: ['ann'] },
  [`DELETE ${FOG}/GroupUsers`]: { group_name: 'gg', identity_id: ['ann'] },
  [`POST ${FOG}/users`]: { identity_id: 'new', group_name: 'gg', reg_photo: '', import_mode: true, feature, info: { name: 'New' } },
  [`PUT ${FOG}/users`]: { identity_id: 'ann', info: { name: 'Ann' } },
  [`DELETE ${FOG}/users`]: { identity_id: 'ann' },
  [`POST ${FOG}/WipeData`]: { wipe_options: { users: false, events: false } },
  [`POST ${FOG}/EventServerUrl`]: { event_server_url: [url], 'content-type': 'json' },
  [`POST ${FOG}/HistoryEventUrl`]: { history_upload_event_url: [url], 'content-type': 'json' },
  [`POST ${FOG}/MonitorServerUrl`]: { monitor_server_url: url, 'content-type': 'json' },
  [`PUT ${FOG}/EventAction`]: { action: [{ action_ip: '127.0.0.1', action_port: 9, action_mode: 'opendoor' }] },
  'PUT /SophonMQ/api/LoginUrl': { login_url: '' },
  'PUT /SophonMQ/api/DevSno': { dev_sno: '' },
  'POST /SophonDevice/api/Devices': { devices_list: [{ device_name: 'd', device_key: '192.0.2.9', ep_type: '0' }] },
  'PUT /SophonDevice/api/Devices': { devices_list: [{ device_id: 'dev', device_name: 'd2' }] },
  'DELETE /SophonDevice/api/Devices': { devices_list: [{ device_id: 'dev' }] },
  'DELETE /SophonFace/api/events': { identity_id: 'nobody', confirm: true },
  'GET /api/people/{identity_id}/photos': { identity_id: 'ann' },
  'DELETE /api/people/{identity_id}/photos': { identity_id: 'ann', face_id: '00000000-0000-4000-8000-000000000000' },
  'PUT /api/people/{identity_id}/photos': { identity_id: 'ann', face_id: '00000000-0000-4000-8000-000000000000' },
  'GET /api/strangers/{id}': { id: '1' },
  'DELETE /api/strangers/{id}': { id: '1' },
  'POST /api/import': { file: Buffer.from('no archive') },
  'DELETE /SophonFace/api/event_images': { image_id_list: ['nobody'] },
};

// What stands inside a field and has a meaning: [call, field, key, kind].
const inner = [
  ...['POST', 'PUT'].flatMap((method) => [
    [`${method} ${FOG}/users`, 'info', 'name', 'text'],
    [`${method} ${FOG}/users`, 'info', 'type', 'integer'],
    [`${method} ${FOG}/users`, 'info', 'permission_ids', 'texts'],
    [`${method} ${FOG}/users`, 'info', 'ext_info', 'dict'],
  ]),
  [`POST ${FOG}/WipeData`, 'wipe_options', 'users', 'boolean'],
  [`POST ${FOG}/WipeData`, 'wipe_options', 'events', 'boolean'],
  ...['action_ip', 'action_port', 'action_mode', 'action_duration', 'logic_port', 'relay_type'].map((key) => [`PUT ${FOG}/EventAction`, 'action', key, 'any']),
  ...['POST', 'PUT'].flatMap((method) =>
    [
      'device_id device_name device_key device_type ep_type group_id permission_id device_attr netRelay direction threshold',
      'fiqa_level liveness_mode roi_area min_face_size dedup_seconds is_monitor memo',
    ]
      .join(' ')
      .split(' ')
      .map((key) => [`${method} /SophonDevice/api/Devices`, 'devices_list', key, 'any']),
  ),
];

const long = 'x'.repeat(70000);
const hostile = {
  'control characters': 'a\u0001\u001b[31m\r\nSet-Cookie: x=1\u007f',
  'an escaped NUL': 'a\u0000b',
  'right to left': '\u202eevil\u202c\u200f',
  'emoji': '👩🏽‍🚀'.repeat(3),
  'SQL': "'; DROP TABLE person; --",
  'SQL wildcard': '%_%',
  'a path': '../../../../etc/passwd',
  'a format': '%s%n%99999d{}${7*7}',
  'HTML': '<script>alert(1)</script>',
  'JSON': '{"$gt": ""}',
  'deep JSON': '['.repeat(5000),
  'a huge integer': '9223372036854775808',
  'a huge number': '1e400',
  'over-long': long,
};

/** {name: value}, as JSON has them. */
const jsonValues = {
  'null': null,
  'true': true,
  'an integer': 42,
  'zero': 0,
  'negative': -1,
  'a fraction': 1.5,
  'a large integer': 9007199254740993,
  'a large number': 1e308,
  'empty text': '',
  'text': 'nonsense',
  'an empty list': [],
  'a list': [1, 'two', null, {}],
  'a list of lists': [[[]]],
  'an empty dict': {},
  'a dict': { a: { b: [null] } },
  'a long list': Array(2000).fill('x'),
  'a lone surrogate': '\ud800',
  ...hostile,
};
const formValues = {
  'empty text': '',
  'text': 'nonsense',
  'zero': '0',
  'negative': '-1',
  'a fraction': '1.5',
  'a list': '[1,"two",null,{}]',
  'a dict': '{"a":{"b":[null]}}',
  'half a list': '["a",',
  'doubled keys': '{"name":"a","name":"b"}',
  'a NUL byte': Buffer.from('a\0b'),
  'invalid UTF-8': Buffer.from([0x61, 0xff, 0xfe, 0xc0, 0xaf]),
  ...hostile,
};

let box, operations, snapshot;
let sent = 0;
let faults = [];

before(async () => {
  box = await Box.start();
  operations = operationsOf((await box.get('/openapi.json')).json).filter(
    // The one has no end, the other takes any file, and looks into it with the next call.
    ({ path }) => path !== '/api/stream' && path !== '/api/restore',
  );
});
// All faults of a test are told, not the first.
beforeEach(async () => {
  faults = [];
  await prepare();
});
afterEach(() => assert.equal(faults.length, 0, `${faults.length} faults\n${faults.slice(0, 20).join('\n')}`));
after(async () => {
  assert.doesNotMatch(box.stderr, /Sanitizer|runtime error:|SUMMARY/);
  await box.stop(); // not in order: a sanitizer has ended it
});

/** Nothing but what the good requests speak of. */
async function prepare() {
  const { data: people } = (await box.get(`${FOG}/users?need_reg_photo=false&limit=1000`)).json;
  const ids = people.identities_list.map(({ identity_id }) => identity_id);
  if (ids.length > 0) await box.delete(`${FOG}/users`, { identity_ids: ids });
  const { groups_list } = (await box.get(`${FOG}/groups`)).json.data;
  for (const { name } of groups_list) if (name !== 'default_group') await box.delete(`${FOG}/groups`, { group_name: name });
  const { permissions_list } = (await box.get(`${FOG}/permissions`)).json.data;
  for (const { name } of permissions_list) await box.delete(`${FOG}/permissions`, { permission_name: name });
  await box.delete('/SophonDevice/api/Devices', { clear_all: true });
  const made = [
    await box.post(`${FOG}/groups`, { group_name: 'gg', description: '' }),
    await box.post(`${FOG}/permissions`, { permission_name: 'pg', description: '' }),
    await box.post(`${FOG}/users`, { ...good[`POST ${FOG}/users`], identity_id: 'ann', info: { name: 'Ann' } }),
    await box.post('/SophonDevice/api/Devices', { devices_list: [{ device_id: 'dev', device_name: 'd', device_key: '192.0.2.1', ep_type: '0' }] }),
  ];
  for (const { status, body } of made) assert.equal(status, 200, body);
  snapshot = await look();
}

/** Everything that the calls can change, without the settings of the box itself, which are looked at on their own. */
async function look() {
  const paths = [
    ...['permissions', 'groups', 'users?need_reg_photo=false&limit=1000', 'EventServerUrl', 'HistoryEventUrl', 'MonitorServerUrl', 'GateControllerMode'].map((each) => `${FOG}/${each}`),
    '/SophonMQ/api/DevSno',
    '/SophonMQ/api/LoginUrl',
    '/SophonDevice/api/Devices',
    '/SophonFace/api/events',
    '/SophonFace/api/groups',
    '/SophonFace/api/permissions',
    '/api/strangers',
    '/api/settings',
  ];
  const answers = await Promise.all(paths.map((path) => box.get(path)));
  return Object.fromEntries(answers.map(({ body }, i) => [paths[i], body.toString()]));
}

/** What is wrong with an answer to a wrong request, or null. `field`: to be named when the fault is found in an argument. */
function faultOf({ status, body, json }, { field, relays }) {
  if (status === 200) return null;
  const { code, message, status: name } = json?.error ?? {};
  if (!(code in codes)) return 'no documented code';
  if (codes[code][0] !== name || codes[code][1] !== status) return 'another status than documented';
  if (status >= 500 && code !== 50100 && !(relays && code === 50072)) return 'an accident of the server';
  if (message === '' || /SELECT |sqlite|\.c:\d|\/src\/|\/tmp\//i.test(message)) return 'shows what is inside';
  if (body.length > 4096) return 'a message without end';
  if ((code === 40091 || code === 40005) && field !== undefined && !field.some((each) => message.includes(each))) return `does not name ${field}`;
  return null;
}

function check(answer, call) {
  sent++;
  const fault = faultOf(answer, call);
  if (fault !== null) faults.push(`${fault}: ${call.where.slice(0, 120)}: ${answer.status} ${answer.body.toString('utf8', 0, 200)}`);
}

/** Refused because of what is there, not because of how it is written: taken when something else is there. */
const byState = new Set([40011, 40012, 40401, 40491, 42900]);

async function sendAll(calls) {
  const answers = await Promise.all(calls.map((call) => call.make()));
  answers.forEach((answer, i) => check(answer, calls[i]));
  return calls.map((call, i) => ({ call, code: answers[i].json?.error?.code ?? 0 }));
}

async function unchanged(calls) {
  const now = await look();
  for (const [path, body] of Object.entries(now))
    if (body !== snapshot[path]) faults.push(`${path} changed by one of ${calls.map(({ where }) => where.slice(0, 80)).join(', ')}`);
  snapshot = now;
}

/**
 * Sends each of `calls` ({where, field, make}). When all were refused, nothing may have changed. When some were taken, as many of the
 * hostile texts are, the refused ones are sent again by themselves.
 */
async function batch(calls) {
  const answers = await sendAll(calls);
  const refused = answers.filter(({ code }) => code !== 0);
  if (refused.length === answers.length) return unchanged(calls);
  await prepare();
  const wrong = refused.filter(({ code }) => !byState.has(code)).map(({ call }) => call);
  for (const { call, code } of await sendAll(wrong)) assert.notEqual(code, 0, `taken now, refused before: ${call.where}`);
  await unchanged(wrong);
  const conflicts = refused.filter(({ code }) => byState.has(code)).map(({ call }) => call);
  const again = await sendAll(conflicts);
  if (again.every(({ code }) => code !== 0)) await unchanged(conflicts);
  else await prepare();
}

const keyOf = ({ method, path }) => `${method} ${path}`;
const baseOf = (operation) => good[keyOf(operation)] ?? withPictures(operation);

function withPictures(operation) {
  const values = { ...operation.example };
  for (const { name, schema, required, place } of operation.fields) {
    if (kindOf(schema) === 'picture' && (required || name in values)) values[name] = 'AAAA';
    if (place === 'path') values[name] = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
  }
  return values;
}

function callsFor(operation, encoding, changes, field) {
  const relays = operation.path.endsWith('/EventAction');
  return changes.map(([what, values]) => ({
    where: `${keyOf(operation)} ${encoding}: ${field?.[0] ?? 'body'} ${what}`,
    field,
    relays,
    make: () => send(box, operation, values, encoding),
  }));
}

/** JSON values of the wrong kind are of no use where everything is text. */
function changesOf(operation, encoding, name) {
  const base = baseOf(operation);
  const all = Object.entries(encoding === 'json' ? jsonValues : formValues).map(([what, value]) => [what, { ...base, [name]: value }]);
  return [['missing', { ...base, [name]: undefined }], ...all];
}

function eachOperation(name, body) {
  test(name, async (t) => {
    for (const operation of operations) {
      await body(operation, t);
      assert.equal((await box.get('/healthz')).status, 200);
    }
  });
}

for (const encoding of ['json', 'multipart', 'urlencoded'])
  eachOperation(`fields of bodies, ${encoding}`, async (operation) => {
    if (!operation.encodings.includes(encoding) || operation.whole) return;
    for (const { name, aliases } of operation.fields.filter(({ place }) => place === 'body'))
      await batch(callsFor(operation, encoding, changesOf(operation, encoding, name), namesOf(operation, name, aliases)));
  });

// A wrong value may make another field the missing one: who names no group must name a device.
const instead = {
  [`POST ${FOG}/users`]: { import_mode: ['reg_photo', 'feature'], reg_photo: ['feature'], need_bring_pic: ['reg_photo'] },
  [`DELETE ${FOG}/users`]: { identity_id: ['identity_ids'], identity_ids: ['identity_id'] },
  'DELETE /SophonFace/api/events': { identity_id: ['event_id_list'], confirm: ['event_id_list'] },
  // Refused as a whole while access is open, which is how these tests run.
  'POST /api/setup': { token: ['set up'], name: ['set up'], password: ['set up'] },
  'POST /api/session': { name: ['access'], password: ['access'] },
  'PUT /api/session/password': { old_password: ['password'], password: ['password'] },
  'POST /api/import': { allow_duplicate: ['file'], group_name: ['file'], ignore_exist: ['file'], create_groups: ['file'], create_no_exit_permission: ['file'], fiqa_level: ['file'] },
};

function namesOf(operation, name, aliases) {
  return [name, ...aliases, ...(instead[keyOf(operation)]?.[name] ?? [])];
}

eachOperation('fields of queries and paths', async (operation) => {
  for (const { name, place } of operation.fields.filter((each) => each.place !== 'body')) {
    const values = Object.entries(formValues).filter(([what]) => place === 'query' || !['empty text', 'a path', 'over-long', 'deep JSON'].includes(what));
    // Longer addresses than a server takes are no matter of a field.
    const changes = values.filter(([, value]) => value.length < 7000).map(([what, value]) => [what, { ...baseOf(operation), [name]: value }]);
    await batch(callsFor(operation, operation.encodings[0] ?? 'query', changes, namesOf(operation, name, [])));
  }
});

test('fields inside of fields', async () => {
  for (const [key, field, name, kind] of inner) {
    const operation = operations.find((each) => keyOf(each) === key);
    if (operation === undefined) continue;
    for (const encoding of operation.encodings) {
      const whole = (value) => {
        const outer = good[key][field];
        const changed = Array.isArray(outer) ? [{ ...outer[0], [name]: value }] : { ...outer, [name]: value };
        return { ...good[key], [field]: changed };
      };
      const changes = Object.entries(jsonValues).map(([what, value]) => [`${name} ${what} (${kind})`, whole(value)]);
      await batch(callsFor(operation, encoding, [['missing', whole(undefined)], ...changes], kind === 'dict' ? [name, field] : [name]));
    }
  }
});

test('settings', async () => {
  const operation = operations.find((each) => keyOf(each) === 'PUT /api/settings');
  const { data } = (await box.get('/api/settings')).json;
  const list = Array.isArray(data) ? data : (data.settings ?? Object.entries(data).map(([key, each]) => ({ key, ...each })));
  assert.ok(list.length > 20);
  const rest = ['recognition.dedup_seconds', 'events.keep'];
  for (const { key } of [...list.filter((each) => !/^access\./.test(each.key)), { key: 'no.such' }, { key: '__proto__x' }, { key: '' }]) {
    const changes = Object.entries(jsonValues).filter(([, value]) => ['object', 'boolean'].includes(typeof value) || value === '' || value === long);
    await batch(
      callsFor(operation, 'json', changes.map(([what, value]) => [what, { [rest[0]]: 11, [key]: value, [rest[1]]: 'none' }]), [key, ...rest]),
    );
  }
});

eachOperation('bodies that are none', async (operation) => {
  const raw = (type, body) => box.request(operation.method, operation.path.replace(/\{[^}]+\}/, 'x'), { headers: { 'Content-Type': type }, body });
  const bodies = ['', ' ', '{', '[]', '"x"', 'null', '{"a":1}}', '{"a":1,"a":2}', '\ufeff{}', '{"a":"\\ud800"}', '{"a":1e999}', '['.repeat(100000)];
  const types = [
    ...bodies.map((body) => ['application/json', body]),
    ['application/json', Buffer.from('{"a":"\xff"}', 'latin1')],
    ['application/json; charset=utf-16', '{}'],
    ['application/x-www-form-urlencoded', '%'],
    ['application/x-www-form-urlencoded', '%ff=%zz&=&&a=%00'],
    ['application/x-www-form-urlencoded', 'a=1&'.repeat(20000)],
    ['multipart/form-data', 'x'],
    ['multipart/form-data; boundary=', '--\r\n'],
    ['multipart/form-data; boundary=b', '--b\r\n'],
    ['multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n'],
    ['multipart/form-data; boundary=b', `--b\r\n${'X: y\r\n'.repeat(5000)}\r\nx\r\n--b--\r\n`],
    ['multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx'],
    [`multipart/form-data; boundary=${'b'.repeat(500)}`, 'x'],
    ['text/xml', '<x/>'],
    ['', 'x'],
  ];
  if (operation.bodyTypes.length === 0) return;
  // A wipe of nothing, and calls that need nothing, may take an empty body.
  await batch(types.map(([type, body]) => ({ where: `${keyOf(operation)} ${type} ${body.toString().slice(0, 40)}`, make: () => raw(type, body) })));
});

test('two faults: the one that comes first in the table answers', async () => {
  const answer = await box.post(`${FOG}/users`, { identity_id: 'x', group_name: 'nowhere', reg_photo: '???', ignore_exist: 'perhaps', info: { name: 'X' } });
  assert.equal(answer.json.error.code, 40005);
  const later = await box.post(`${FOG}/users`, { identity_id: 'x', group_name: 'nowhere', reg_photo: '???', info: { name: 'X' } });
  assert.equal(later.json.error.code, 40491);
  const last = await box.post(`${FOG}/users`, { identity_id: 'x', group_name: 'gg', reg_photo: '???', info: { name: 'X' } });
  assert.equal(last.json.error.code, 40003);
});

test('the same in a query and a form: what is not known is ignored', async () => {
  assert.equal((await box.get(`${FOG}/users?${urlencode({ no_such_field: long.slice(0, 2000) })}`)).status, 200);
  const { headers, body } = encodeBody('multipart', { ...good[`PUT ${FOG}/users`], no_such_field: long });
  assert.equal((await box.request('PUT', `${FOG}/users`, { headers, body })).status, 200);
});

test('enough was tried', (t) => {
  t.diagnostic(`${sent} requests`);
  assert.ok(sent > 3000, `${sent} requests`);
});
