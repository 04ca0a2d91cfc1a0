// The Unix socket of the data folder, and aiboxctl on the box itself: set-up, lost passwords, keys.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { caller, logIn, password } from './lib/access.mjs';
import { bin, Box, temporaryFolder } from './lib/box.mjs';
import { announceChild } from './lib/leftovers.mjs';

const closed = { 'access.mode': 'closed' };
let data, box;

before(async () => {
  data = temporaryFolder();
  box = await Box.start({ data, settings: closed });
});
after(async () => {
  await box.stop();
  rmSync(data, { recursive: true, force: true });
});

/** aiboxctl with a clean environment: {code, stdout, stderr}. */
function ctl(args, { input = '', env = {}, cwd } = {}) {
  return new Promise((resolve, reject) => {
    const child = announceChild(spawn(path.join(bin, 'aiboxctl'), args, { cwd, env: { PATH: process.env.PATH, ...env } }));
    const out = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (out.stdout += chunk));
    child.stderr.on('data', (chunk) => (out.stderr += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...out }));
    child.stdin.end(input);
  });
}

function overSocket(target) {
  return new Promise((resolve, reject) => {
    http.get({ socketPath: path.join(data, 'control.sock'), path: target }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });
}

test('the socket is its owner’s, who may do everything before set-up', async () => {
  assert.equal(statSync(path.join(data, 'control.sock')).mode & 0o777, 0o600);
  assert.ok(statSync(path.join(data, 'control.sock')).isSocket());
  assert.equal(await overSocket('/api/accounts'), 200);
  assert.equal((await box.get('/api/accounts')).status, 401);
  const status = await ctl(['--data', data, 'status']);
  assert.equal(status.code, 0, status.stderr);
  assert.match(status.stdout, /by its Unix socket/);
});

test('setup-link: a new link, the one before is worth nothing', async () => {
  const printed = /token=(\S+)/.exec(box.stdout)[1];
  const link = await ctl(['setup-link', '--data', data]);
  assert.equal(link.code, 0, link.stderr);
  const [, token] = /^http:\/\/127\.0\.0\.1:\d+\/#\/setup\?token=([\w-]{43})\n$/.exec(link.stdout);
  assert.equal((await box.post('/api/setup', { token: printed, password })).status, 401);
  assert.equal((await box.post('/api/setup', { token, password })).status, 200);
  const late = await ctl(['setup-link', '--data', data]);
  assert.equal(late.code, 2);
  assert.match(late.stderr, /set up already/);
});

test('passwd mends a lost password, and makes accounts', async () => {
  const session = await logIn(box, 'admin');
  const changed = await ctl(['--data', data, 'passwd'], { input: 'quite another one\n' });
  assert.equal(changed.code, 0, changed.stderr);
  assert.equal((await session.get('/api/settings')).status, 401, 'earlier sessions end');
  assert.equal((await box.post('/api/session', { name: 'admin', password })).status, 401);
  await logIn(box, 'admin', 'quite another one');
  assert.equal((await ctl(['--data', data, 'passwd', 'desk', '--role', 'viewer'], { input: password })).code, 0);
  assert.equal((await (await logIn(box, 'desk')).get('/SophonFogSys/api/groups')).status, 200);
  const short = await ctl(['--data', data, 'passwd', 'desk'], { input: 'short\n' });
  assert.equal(short.code, 2);
  assert.match(short.stderr, /password.*12/);
  assert.match((await ctl(['--data', data, 'passwd', 'nobody'], { input: password })).stderr, /no account nobody/);
});

test('keys: made, used from elsewhere, listed, deleted', async () => {
  const made = await ctl(['--data', data, 'key', 'create', 'script', '--role', 'viewer', '--days', '2']);
  assert.equal(made.code, 0, made.stderr);
  const key = made.stdout.trim();
  assert.equal((await caller(box, { Authorization: `Bearer ${key}` }).get('/api/settings')).status, 200);
  assert.equal((await ctl(['--url', box.url, 'groups'], { env: { AIBOX_KEY: key } })).code, 0);
  assert.equal((await ctl(['--url', box.url, 'groups'])).code, 2);
  const list = await ctl(['--data', data, 'key', 'list']);
  assert.match(list.stdout, /script +viewer +\d{4}-/);
  assert.equal((await ctl(['--data', data, 'key', 'delete', 'script'])).code, 0);
  assert.equal((await ctl(['--url', box.url, 'groups'], { env: { AIBOX_KEY: key } })).code, 2);
});

test('who did it over the socket is in the audit log', async () => {
  const admin = await logIn(box, 'admin', 'quite another one');
  const entries = (await admin.get('/api/audit?per_page=1000')).json.data;
  const entry = entries.find(({ what }) => what.startsWith('name=script role=viewer'));
  assert.deepEqual([entry.who, entry.address, entry.role], ['local', 'local', 'admin']);
});

test('found without being told, and by a long name', async () => {
  const long = path.join(temporaryFolder(), 'a'.repeat(120), 'var');
  const { mkdirSync } = await import('node:fs');
  mkdirSync(path.dirname(long), { recursive: true });
  const other = await Box.start({ data: long, settings: closed });
  assert.equal((await ctl(['status'], { cwd: path.dirname(long) })).code, 0, 'in ./var');
  assert.equal((await ctl(['status'], { env: { AIBOX_DATA: long } })).code, 0);
  await other.stop();
  assert.ok(!existsSync(path.join(long, 'control.sock')), 'gone when the box stops');
  const none = await ctl(['--data', long, 'status']);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /no box runs on the data folder/);
  rmSync(path.dirname(path.dirname(long)), { recursive: true, force: true });
});

test('a box that was killed leaves a socket, which the next one replaces', async () => {
  const folder = temporaryFolder();
  const first = await Box.start({ data: folder, settings: closed });
  await first.kill();
  assert.ok(existsSync(path.join(folder, 'control.sock')));
  const second = await Box.start({ data: folder, settings: closed });
  assert.equal((await ctl(['--data', folder, 'status'])).code, 0);
  await second.stop();
  rmSync(folder, { recursive: true, force: true });
});
