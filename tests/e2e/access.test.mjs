// Who may call the box: set-up, sessions, keys, roles, failed log-ins, the audit log.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { caller, cookieOf, keyOf, logIn, password, setUp, setupToken } from './lib/access.mjs';
import { Box, temporaryFolder } from './lib/box.mjs';
import { until } from './lib/until.mjs';

const closed = { 'access.mode': 'closed' };
let box, admin;

before(async () => {
  box = await Box.start({ settings: closed });
});
after(() => box.stop());

function refused(answer, status, code, pattern = /./) {
  assert.equal(answer.status, status, answer.body.toString());
  assert.equal(answer.json.error.code, code);
  assert.match(answer.json.error.message, pattern);
}

/** Every call of the box, from its own description. */
async function endpoints(who) {
  const { paths } = (await who.get('/openapi.json')).json;
  return Object.entries(paths).flatMap(([target, methods]) =>
    Object.entries(methods).map(([method, call]) => ({ method: method.toUpperCase(), target, role: call['x-role'] })),
  );
}

test('before set-up nothing works but what tells so', async () => {
  const session = (await box.get('/api/session')).json.data;
  assert.deepEqual([session.set_up, session.mode, session.account], [false, 'closed', null]);
  assert.match(session.version, /^\d+\.\d+\.\d+$/);
  assert.ok(session.box_name.length > 0);
  assert.equal((await box.get('/healthz')).status, 200);
  for (const target of ['/SophonFogSys/api/users', '/api/settings', '/metrics', '/openapi.json', '/api/accounts'])
    refused(await box.get(target), 401, 40100, /set up/);
  refused(await box.post('/api/session', { name: 'admin', password }), 401, 40100, /set up/);
});

test('an allowed address of the base protocol waits for set-up, too', async () => {
  const legacy = await Box.start({ settings: { ...closed, 'access.legacy_allow': '127.0.0.1' } });
  refused(await legacy.get('/SophonFogSys/api/groups'), 401, 40100, /set up/);
  await setUp(legacy);
  assert.equal((await legacy.get('/SophonFogSys/api/groups')).status, 200);
  refused(await legacy.get('/api/settings'), 401, 40100);
  await legacy.stop();
});

test('on an address that others reach readiness is not told either', async () => {
  const wide = await Box.start({ settings: closed, listen: '0.0.0.0:0' });
  const port = new URL(wide.url).port;
  wide.url = `http://127.0.0.1:${port}`;
  assert.equal((await wide.get('/healthz')).status, 200);
  refused(await wide.get('/readyz'), 401, 40100, /set up/);
  await wide.post('/api/setup', { token: /token=(\S+)/.exec(wide.stdout)[1], password });
  assert.equal((await wide.get('/readyz')).status, 200);
  await wide.stop();
});

test('the set-up link makes the administrator, once', async () => {
  refused(await box.post('/api/setup', { token: 'wrong', password }), 401, 40100, /token/);
  refused(await box.post('/api/setup', { token: setupToken(box), password: 'elevenchars' }), 400, 40091, /password.*12/);
  refused(await box.post('/api/setup', { token: setupToken(box), name: 'a:b', password }), 400, 40091, /name/);
  const answer = await box.post('/api/setup', { token: setupToken(box), password });
  assert.equal(answer.status, 200, answer.body.toString());
  assert.deepEqual(answer.json.data.account, { name: 'admin', role: 'admin' });
  assert.match(answer.headers['set-cookie'][0], /^aibox_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=604800$/);
  admin = caller(box, { Cookie: cookieOf(answer) });
  refused(await box.post('/api/setup', { token: setupToken(box), name: 'second', password }), 403, 40300, /already/);
  const session = (await admin.get('/api/session')).json.data;
  assert.deepEqual([session.set_up, session.account], [true, { name: 'admin', role: 'admin' }]);
});

test('log-in, log-out, and what is wrong', async () => {
  refused(await box.post('/api/session', { name: 'admin', password: 'wrong' }), 401, 40100, /wrong name or password/);
  refused(await box.post('/api/session', { name: 'nobody', password }), 401, 40100, /wrong name or password/);
  refused(await box.post('/api/session', { name: 'admin' }), 400, 40091, /password/);
  const session = await logIn(box, 'admin');
  assert.equal((await session.get('/api/settings')).status, 200);
  assert.equal((await session.delete('/api/session')).status, 200);
  refused(await session.get('/api/settings'), 401, 40100, /session is over/);
  assert.equal((await admin.get('/api/settings')).status, 200, 'another session goes on');
  const name = caller(box, { Authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` });
  for (let i = 0; i < 3; i++) assert.equal((await name.get('/api/settings')).status, 200);
  const wrong = caller(box, { Authorization: `Basic ${Buffer.from('admin:wrong').toString('base64')}` });
  refused(await wrong.get('/api/settings'), 401, 40100, /wrong/);
  refused(await caller(box, { Authorization: 'Digest x' }).get('/api/settings'), 401, 40100, /Bearer/);
});

test('accounts: add, change, remove; the last administrator stays', async () => {
  assert.equal((await admin.post('/api/accounts', { name: 'desk', role: 'operator', password })).status, 200);
  refused(await admin.post('/api/accounts', { name: 'desk', role: 'viewer', password }), 400, 40012, /already/);
  refused(await admin.post('/api/accounts', { name: 'x', role: 'king', password }), 400, 40091, /role/);
  refused(await admin.post('/api/accounts', { name: 'x', role: 'viewer', password: 'short' }), 400, 40091, /password/);
  const desk = await logIn(box, 'desk');
  refused(await desk.get('/api/accounts'), 403, 40300, /admin/);
  const list = (await admin.get('/api/accounts')).json.data;
  assert.deepEqual(list.map(({ name, role }) => [name, role]), [['admin', 'admin'], ['desk', 'operator']]);
  assert.ok(!JSON.stringify(list).includes('argon'), 'no hash is shown');

  assert.equal((await admin.put('/api/accounts', { name: 'desk', role: 'viewer' })).status, 200);
  refused(await desk.post('/SophonFogSys/api/groups', { group_name: 'g', description: '' }), 403, 40300, /operator/);
  assert.equal((await desk.get('/SophonFogSys/api/groups')).status, 200, 'the session has the new role at once');

  const other = 'another horse battery';
  refused(await desk.put('/api/session/password', { old_password: 'wrong', password: other }), 400, 40091, /old_password/);
  const second = await logIn(box, 'desk');
  assert.equal((await desk.put('/api/session/password', { old_password: password, password: other })).status, 200);
  assert.equal((await desk.get('/api/stream?kinds=none')).status, 400, 'still in');
  refused(await second.get('/SophonFogSys/api/groups'), 401, 40100, /session is over/);
  refused(await box.post('/api/session', { name: 'desk', password }), 401, 40100);
  assert.equal((await admin.put('/api/accounts', { name: 'desk', password })).status, 200);
  refused(await desk.get('/SophonFogSys/api/groups'), 401, 40100);

  refused(await admin.put('/api/accounts', { name: 'admin', role: 'viewer' }), 400, 40091, /last administrator/);
  refused(await admin.delete('/api/accounts', { name: 'admin' }), 400, 40091, /last administrator/);
  refused(await admin.delete('/api/accounts', { name: 'nobody' }), 404, 40491);
  const last = await logIn(box, 'desk');
  assert.equal((await admin.delete('/api/accounts', { name: 'desk' })).status, 200);
  refused(await last.get('/SophonFogSys/api/groups'), 401, 40100);
});

test('keys: shown once, expire, go', async () => {
  const made = await admin.post('/api/keys', { name: 'gate', role: 'operator' });
  assert.match(made.json.data.key, /^aibox_[\w-]{43}$/);
  const gate = caller(box, { Authorization: `Bearer ${made.json.data.key}` });
  assert.equal((await gate.get('/SophonFogSys/api/groups')).status, 200);
  assert.deepEqual((await gate.get('/api/session')).json.data.account, { name: 'key:gate', role: 'operator' });
  refused(await gate.put('/api/session/password', { old_password: 'x', password }), 400, 40091);
  refused(await admin.post('/api/keys', { name: 'gate', role: 'viewer' }), 400, 40012);
  refused(await admin.post('/api/keys', { name: 'past', role: 'viewer', expires_at: 1000 }), 400, 40091, /expires_at/);
  const brief = await keyOf(admin, box, 'brief', 'viewer', Date.now() + 1500);
  assert.equal((await brief.get('/SophonFogSys/api/groups')).status, 200);
  const list = (await admin.get('/api/keys')).json.data;
  assert.deepEqual(list.map(({ name, role }) => [name, role]), [['gate', 'operator'], ['brief', 'viewer']]);
  assert.ok(list[0].last_used > 0 && list[1].expires_at > Date.now() - 5000);
  assert.ok(!JSON.stringify(list).includes('aibox_'), 'no key is shown again');
  await until(async () => (await brief.get('/SophonFogSys/api/groups')).status === 401, 'the end of a key', { pause_ms: 100 });
  assert.equal((await admin.delete('/api/keys', { name: 'gate' })).status, 200);
  refused(await gate.get('/SophonFogSys/api/groups'), 401, 40100, /key/);
  refused(await admin.delete('/api/keys', { name: 'gate' }), 404, 40491);
});

test('every call by every role: nobody gets further than the role that its description names', async () => {
  const order = ['viewer', 'operator', 'admin'];
  const callers = { admin };
  for (const role of ['viewer', 'operator']) callers[role] = await keyOf(admin, box, `all-${role}`, role);
  callers.admin = await keyOf(admin, box, 'all-admin', 'admin');
  const all = await endpoints(admin);
  assert.ok(all.length > 60, String(all.length));
  for (const { method, target, role } of all) {
    const where = target.replace(/\{\w+\}/, 'no-such-thing');
    const what = `${method} ${target}`;
    // What answers for ever, or ends the test's own rights, is asked in other tests.
    if (target === '/api/stream') continue;
    const ask = (who) => box.request(method, where, { headers: { ...who.headers, 'Content-Type': 'text/nothing' } });
    const nobody = await box.request(method, where, { headers: { 'Content-Type': 'text/nothing' } });
    if (role === 'open') {
      assert.notEqual(nobody.json?.error?.message, 'this call needs a credential', what);
      continue;
    }
    assert.ok(order.includes(role), what);
    assert.equal(nobody.status, 401, what);
    for (const has of order) {
      const allowed = order.indexOf(has) >= order.indexOf(role);
      if (allowed && method === 'GET' && /export|download/.test(target)) continue;
      const answer = await ask(callers[has]);
      if (allowed) assert.ok(![401, 403].includes(answer.status), `${what} by ${has}: ${answer.body}`);
      else assert.equal(answer.status, 403, `${what} by ${has}`);
    }
  }
  // The roles themselves: what a viewer, an operator may not do.
  const of = (role) => all.filter((call) => call.role === role).map(({ method, target }) => `${method} ${target}`);
  for (const call of of('viewer')) assert.ok(/^GET |FIQA|detect|picturesearch|strangers\/search|session\/password/.test(call), call);
  for (const call of ['PUT /api/settings', 'POST /SophonDevice/api/Devices', 'POST /SophonFogSys/api/WipeData', 'GET /api/audit',
    'POST /api/accounts', 'POST /api/keys', 'PUT /SophonMQ/api/LoginUrl', 'GET /SophonMQ/api/LoginUrl', 'POST /SophonFogSys/api/EventServerUrl'])
    assert.ok(of('admin').includes(call), call);
  for (const call of ['POST /SophonFogSys/api/users', 'DELETE /SophonFace/api/events', 'PUT /SophonFogSys/api/EventAction', 'GET /api/export'])
    assert.ok(of('operator').includes(call), call);
});

test('a watcher is sent away when his key goes', async () => {
  const watcher = await keyOf(admin, box, 'watcher', 'viewer');
  let ended;
  const end = new Promise((resolve) => (ended = resolve));
  await new Promise((resolve, reject) => {
    http.get(`${box.url}/api/stream`, { headers: watcher.headers }, (response) => {
      response.on('error', ended).on('close', ended).resume();
      response.once('data', resolve);
    }).on('error', reject);
  });
  assert.equal((await admin.delete('/api/keys', { name: 'watcher' })).status, 200);
  await end;
});

test('a page of another site gets nowhere with the cookie, nor logs anybody in', async () => {
  for (const headers of [{ 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }, { Origin: 'http://evil.example' }]) {
    refused(await caller(box, { ...admin.headers, ...headers }).get('/api/settings'), 403, 40300, /another site/);
    refused(await caller(box, headers).post('/api/session', { name: 'admin', password }), 403, 40300);
  }
  const own = caller(box, { ...admin.headers, 'Sec-Fetch-Site': 'same-origin' });
  assert.equal((await own.get('/api/settings')).status, 200);
  const key = await keyOf(admin, box, 'page', 'viewer');
  assert.equal((await caller(box, { ...key.headers, 'Sec-Fetch-Site': 'cross-site' }).get('/api/settings')).status, 200);
});

test('open access: everything, but by no foreign name and from no foreign page', async () => {
  const open = await Box.start();
  assert.ok(!open.stdout.includes('set up'), open.stdout);
  assert.deepEqual((await open.get('/api/session')).json.data.account, { name: 'open', role: 'admin' });
  assert.equal((await open.get('/api/session')).json.data.set_up, true);
  const port = new URL(open.url).port;
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, `box.local:${port}`])
    assert.equal((await caller(open, { Host: host }).get('/api/settings')).status, 200, host);
  refused(await caller(open, { Host: `rebound.example:${port}` }).get('/api/settings'), 403, 40300, /Host/);
  refused(await open.post('/api/session', { name: 'a', password }), 400, 40091);
  await open.stop();
});

test('headers of every answer', async () => {
  for (const target of ['/healthz', '/api/session', '/no/such/path']) {
    const { headers } = await box.get(target);
    assert.match(headers['content-security-policy'], /frame-ancestors 'none'/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['strict-transport-security'], undefined);
  }
});

test('the audit log: who changed what, without names and secrets', async () => {
  const desk = await keyOf(admin, box, 'audited', 'operator');
  await desk.post('/SophonFogSys/api/groups', { group_name: 'audited group', description: 'quiet' });
  const person = { identity_id: 'P-4711', group_name: 'audited group', need_bring_pic: false, info: { name: 'Ada Example' } };
  assert.equal((await desk.post('/SophonFogSys/api/users', person)).status, 200);
  await desk.delete('/SophonFogSys/api/users', { identity_ids: ['P-4711'] });
  await admin.put('/api/settings', { 'box.name': 'secret name' });
  await desk.get('/SophonFogSys/api/users');
  refused(await desk.get('/api/audit'), 403, 40300);
  const { data, pagination } = (await admin.get('/api/audit?per_page=5&kind=changes')).json;
  assert.equal(data.length, 5);
  assert.ok(pagination.total_count > 10);
  const [setting, gone, added, group, key] = data;
  assert.deepEqual([key.who, key.method, key.path, key.what, key.status],
    ['admin', 'POST', '/api/keys', 'name=audited role=operator expires_at=0', 200]);
  assert.deepEqual([group.who, group.role, group.path, group.what], ['key:audited', 'operator', '/SophonFogSys/api/groups', 'group_name=audited group']);
  assert.match(added.what, /^group_name=audited group people=[0-9a-f]{16}$/);
  assert.equal(gone.what, /people=.*/.exec(added.what)[0], 'the same person has the same hash');
  assert.deepEqual([setting.path, setting.what, setting.address], ['/api/settings', 'key=box.name', '127.0.0.1']);
  const everything = JSON.stringify((await admin.get('/api/audit?per_page=1000')).json);
  for (const secret of ['P-4711', 'Ada', 'secret name', 'quiet', password, 'aibox_']) assert.ok(!everything.includes(secret), secret);
  assert.match(everything, /"what":"name=admin","status":401/);
  await admin.post('/SophonFogSys/api/WipeData', { wipe_options: { users: true, events: false } });
  await desk.post('/SophonFogSys/api/users', person);
  const [again, wipe] = (await admin.get('/api/audit?per_page=2&kind=changes')).json.data;
  assert.equal(wipe.what, 'users=true events=false');
  assert.notEqual(again.what, added.what, 'the key of before is gone');
});

test('refused calls are in the audit log, counted, within bounds', async () => {
  const own = await Box.start({ settings: closed });
  const root = await setUp(own);
  const viewer = await keyOf(root, own, 'onlooker', 'viewer');
  const refusals = async () => (await root.get('/api/audit?kind=refused&per_page=1000')).json.data;
  const before = (await refusals()).length;
  for (let i = 0; i < 30; i++) refused(await own.get('/SophonFogSys/api/users'), 401, 40100);
  for (let i = 0; i < 3; i++) refused(await viewer.put('/api/settings', { 'box.name': 'x' }), 403, 40300);
  const entries = await until(async () => {
    const found = await refusals();
    const sum = found.slice(0, found.length - before).reduce((all, { refused: calls }) => all + calls, 0);
    return sum === 33 && found;
  }, 'the entries');
  const strangers = entries.find(({ path: target }) => target === '/SophonFogSys/api/users');
  assert.deepEqual([strangers.who, strangers.role, strangers.address, strangers.method, strangers.status, strangers.refused],
    ['', '', '127.0.0.1', 'GET', 401, 30]);
  const forbidden = entries.find(({ path: target }) => target === '/api/settings');
  assert.deepEqual([forbidden.who, forbidden.role, forbidden.status, forbidden.refused, forbidden.what], ['key:onlooker', 'viewer', 403, 3, '']);
  // Whoever tries all there is fills 64 entries and one for the rest.
  const stranger = caller(own, {});
  let calls = 0;
  for (const { method, target } of await endpoints(root)) {
    const answer = await stranger[method.toLowerCase()](target.replace(/\{\w+\}/g, 'x'), method === 'GET' ? undefined : {});
    calls += answer.status === 401 || answer.status === 403 ? 1 : 0;
  }
  assert.ok(calls > 64, String(calls));
  const all = await until(async () => {
    const found = await refusals();
    const sum = found.reduce((total, { refused: n }) => total + n, 0);
    return sum >= 33 + calls && found;
  }, 'the entries of all calls');
  assert.ok(all.length <= 65 + before, String(all.length));
  assert.equal(all.filter(({ method, path: target }) => method === '*' && target === '*').length, 1);
  await own.stop();
});

test('accounts, keys and sessions outlive a restart; their secrets are not in the files', async () => {
  const data = temporaryFolder();
  let first = await Box.start({ data, settings: closed });
  const root = await setUp(first);
  const key = await keyOf(root, first, 'kept', 'viewer');
  await root.get('/api/accounts');
  await first.stop();
  for (const name of readdirSync(data)) {
    if (!/\.db/.test(name)) continue;
    const content = readFileSync(path.join(data, name));
    for (const secret of [password, key.headers.Authorization.slice(7), root.headers.Cookie.split('=')[1]])
      assert.ok(!content.includes(secret), name);
  }
  const second = await Box.start({ data, settings: closed });
  assert.ok(!second.stdout.includes('set up'), 'set up once, no link any more');
  assert.equal((await caller(second, root.headers).get('/api/accounts')).status, 200);
  assert.equal((await caller(second, key.headers).get('/api/settings')).status, 200);
  await second.stop();
  rmSync(data, { recursive: true, force: true });
});

test('who fails again and again has to wait, others do not', async () => {
  await admin.post('/api/accounts', { name: 'victim', role: 'viewer', password });
  let answer;
  for (let i = 0; i < 7; i++) answer = await box.post('/api/session', { name: 'victim', password: `guess ${i}` });
  refused(answer, 429, 42900, /too many failed/);
  assert.ok(Number(answer.headers['retry-after']) >= 1);
  refused(await box.post('/api/session', { name: 'victim', password }), 429, 42900);
  await logIn(box, 'admin');
  assert.equal((await admin.get('/api/accounts')).status, 200);
});
