// How the daemon is run: command line, start, stop, what it says when it can't.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { setUp } from './lib/access.mjs';
import { aiboxd, Box, models, run, temporaryFolder } from './lib/box.mjs';

let folder;
before(() => {
  folder = temporaryFolder();
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a box that must refuse to start: one clear line on stderr besides the log, exit status not 0. */
async function refused(args, pattern) {
  const end = await run(aiboxd, ['--data', path.join(folder, 'refused'), '--listen', '127.0.0.1:0', '--models', models, ...args]);
  assert.notEqual(end.code, 0, end.stderr);
  assert.equal(end.signal, null, end.stderr);
  const said = end.stderr.split('\n').filter((line) => line.startsWith('aiboxd: '));
  assert.equal(said.length, 1, end.stderr);
  assert.match(said[0], pattern);
}

test('--version and --help', async () => {
  const version = await run(aiboxd, ['--version']);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^aiboxd \d+\.\d+\.\d+\n$/);
  const help = await run(aiboxd, ['--help']);
  assert.equal(help.code, 0);
  for (const option of ['--data', '--listen', '--models', '--config', '--set', '--check-config', '--version'])
    assert.ok(help.stdout.includes(option), option);
});

test('starts, says so once, is healthy and stops in order', async () => {
  const data = path.join(folder, 'orderly');
  const box = await Box.start({ data });
  assert.match(box.stdout, /^aiboxd: ready on http:\/\/127\.0\.0\.1:\d+\n$/);
  assert.equal((await box.get('/healthz')).status, 200);
  assert.equal((await box.get('/readyz')).status, 200);
  assert.equal(statSync(data).mode & 0o777, 0o700);
  const metrics = await box.get('/metrics');
  assert.match(metrics.headers['content-type'], /^text\/plain/);
  assert.match(metrics.body.toString(), /^aibox_gallery_people 0$/m);
  assert.deepEqual(await box.stop(), { code: 0, signal: null });
});

test('a second box on the same folder is refused, the first goes on', async () => {
  const data = path.join(folder, 'shared');
  const box = await Box.start({ data });
  await refused(['--data', data], /uses this data folder/);
  assert.equal((await box.get('/readyz')).status, 200);
  await box.stop();
});

test('a busy port', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  await refused(['--listen', `127.0.0.1:${server.address().port}`, '--set', 'access.mode=open'], /in use/);
  server.close();
});

test('wrong addresses', async () => {
  for (const listen of ['nonsense', '127.0.0.1', '127.0.0.1:99999', ':80', '300.1.1.1:80'])
    await refused(['--listen', listen], /--listen|address|port/i);
});

test('a data folder that is a file', async () => {
  const file = path.join(folder, 'file');
  writeFileSync(file, 'not a folder');
  await refused(['--data', file], /data folder/);
});

test('missing models', async () => {
  const empty = path.join(folder, 'no-models');
  mkdirSync(empty, { recursive: true });
  await refused(['--models', empty], /manifest\.json/);
});

test('wrong settings on the command line and in the file', async () => {
  await refused(['--set', 'nonsense'], /--set nonsense: KEY=VALUE/);
  await refused(['--set', 'no.such.key=1'], /no\.such\.key/);
  await refused(['--set', 'events.keep=ten'], /events\.keep/);
  await refused(['--set', 'recognition.false_accept_target=2'], /recognition\.false_accept_target/);
  const config = path.join(folder, 'aibox.conf');
  writeFileSync(config, '# a comment\nevents.keep = 500\nevents.keep_days = many\n');
  await refused(['--config', config], /3.*events\.keep_days/);
  await refused(['--config', path.join(folder, 'missing.conf')], /missing\.conf|config/);
});

test('--check-config', async () => {
  const config = path.join(folder, 'good.conf');
  writeFileSync(config, 'events.keep = 500\n');
  assert.equal((await run(aiboxd, ['--config', config, '--check-config'])).code, 0);
  writeFileSync(config, 'events.keep = -1\n');
  assert.notEqual((await run(aiboxd, ['--config', config, '--check-config'])).code, 0);
});

test('open access is refused on an address that others reach', async () => {
  await refused(['--listen', '0.0.0.0:0', '--set', 'access.mode=open'], /access\.mode/);
});

test('closed access by default: health only', async () => {
  const box = await Box.start({ settings: { 'access.mode': 'closed' } });
  assert.equal((await box.get('/healthz')).status, 200);
  assert.equal((await box.get('/readyz')).status, 200);
  for (const path of ['/metrics', '/SophonFogSys/api/users', '/api/settings', '/SophonFace/api/events']) {
    const answer = await box.get(path);
    assert.equal(answer.status, 401, path);
    assert.equal(answer.json.error.code, 40100);
  }
  await box.stop();
});

test('the base protocol may come from allowed addresses', async () => {
  const box = await Box.start({ settings: { 'access.mode': 'closed', 'access.legacy_allow': '10.0.0.0/8,127.0.0.1' } });
  await setUp(box);
  assert.equal((await box.get('/SophonFogSys/api/users')).status, 200);
  assert.equal((await box.get('/api/settings')).status, 401);
  await box.stop();
});

test('settings: --set wins over stored, stored over file, and survive a restart', async () => {
  const data = path.join(folder, 'settings');
  const config = path.join(folder, 'order.conf');
  writeFileSync(config, 'events.keep = 500\nevents.keep_days = 3\n');
  const read = async (box, key) => (await box.get(`/api/settings?key=${key}`)).body.toString();
  let box = await Box.start({ data, args: ['--config', config], settings: { 'recognition.dedup_seconds': '7' } });
  assert.match(await read(box, 'events.keep'), /500/);
  assert.equal((await box.put('/api/settings', { 'events.keep': 700, 'recognition.threshold': 0.5 })).status, 200);
  const fixed = await box.put('/api/settings', { 'events.keep': 800, 'recognition.dedup_seconds': 8 });
  assert.equal(fixed.json.error.code, 40091);
  assert.match(fixed.json.error.message, /recognition\.dedup_seconds/);
  assert.match(await read(box, 'events.keep'), /700/);
  await box.stop();
  box = await Box.start({ data, args: ['--config', config] });
  assert.match(await read(box, 'events.keep'), /700/);
  assert.match(await read(box, 'recognition.threshold'), /0\.5/);
  assert.match(await read(box, 'events.keep_days'), /3/);
  await box.stop();
});
