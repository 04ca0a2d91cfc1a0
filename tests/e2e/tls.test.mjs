// TLS: certificates of the box's own making and of files, what is refused, and large bodies that are.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';

import { setUp } from './lib/access.mjs';
import { aiboxd, Box, models, run, temporaryFolder } from './lib/box.mjs';

let folder;
before(() => {
  folder = temporaryFolder();
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** A certificate with key in files: {certificate, key}. */
function makeCertificate(name) {
  const files = { certificate: path.join(folder, `${name}.pem`), key: path.join(folder, `${name}.key`) };
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', `/CN=${name}`,
    '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', files.key, '-out', files.certificate], { stdio: 'ignore' });
  return files;
}

const withFiles = ({ certificate, key }) => ({ 'tls.mode': 'files', 'tls.certificate': certificate, 'tls.key': key });

function fetchOver(box, target, { method = 'GET', headers = {}, body, ca } = {}) {
  return new Promise((resolve, reject) => {
    const request = https.request(new URL(target, box.url), { method, headers, ca, rejectUnauthorized: ca !== undefined },
      (response) => {
        const chunks = [];
        const certificate = response.socket.getPeerCertificate();
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks), certificate }));
        response.on('error', reject);
      });
    request.on('error', reject);
    request.end(body);
  });
}

test('self: made once, for this host, private, known by its fingerprint', async () => {
  const data = path.join(folder, 'self');
  let box = await Box.start({ data, settings: { 'tls.mode': 'self' } });
  assert.match(box.url, /^https:/);
  const ca = readFileSync(path.join(data, 'tls-certificate.pem'));
  assert.equal(statSync(path.join(data, 'tls-key.pem')).mode & 0o777, 0o600);
  const answer = await fetchOver(box, '/healthz', { ca });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['strict-transport-security'], undefined);
  const fingerprint = /fingerprint of the certificate (\S+)/.exec(box.stdout)[1];
  assert.equal(answer.certificate.fingerprint256, fingerprint);
  assert.match(answer.certificate.subjectaltname, /DNS:localhost/);
  const years = (new Date(answer.certificate.valid_to) - new Date(answer.certificate.valid_from)) / 31557600000;
  assert.ok(years > 9.9 && years < 10.1, String(years));
  assert.equal(answer.certificate.nistCurve, 'P-256');
  await box.stop();
  box = await Box.start({ data, settings: { 'tls.mode': 'self' } });
  assert.ok(box.stdout.includes(fingerprint), 'the same after a restart');
  await box.stop();
});

test('TLS 1.2 and newer, nothing older', async () => {
  const box = await Box.start({ settings: { 'tls.mode': 'self' } });
  const port = Number(new URL(box.url).port);
  const versionOf = (maxVersion) => new Promise((resolve) => {
    const socket = tls.connect({ host: '127.0.0.1', port, maxVersion, minVersion: maxVersion, rejectUnauthorized: false,
      ciphers: 'DEFAULT:@SECLEVEL=0' }, () => {
      resolve(socket.getProtocol());
      socket.destroy();
    });
    socket.on('error', () => resolve('refused'));
  });
  assert.equal(await versionOf('TLSv1.3'), 'TLSv1.3');
  assert.equal(await versionOf('TLSv1.2'), 'TLSv1.2');
  assert.equal(await versionOf('TLSv1.1'), 'refused');
  await box.stop();
});

test('files: the operator’s certificate, renewed by SIGHUP; HSTS', async () => {
  const first = makeCertificate('first');
  const box = await Box.start({ settings: withFiles(first) });
  const before = await fetchOver(box, '/healthz', { ca: readFileSync(first.certificate) });
  assert.equal(before.certificate.subject.CN, 'first');
  assert.match(before.headers['strict-transport-security'], /^max-age=31536000$/);
  const second = makeCertificate('second');
  writeFileSync(first.certificate, readFileSync(second.certificate));
  writeFileSync(first.key, readFileSync(second.key));
  const ready = new Promise((resolve) => box.child.stdout.on('data', (chunk) => {
    const again = /ready on (https:\S+)/.exec(chunk);
    if (again) resolve(again[1]);
  }));
  box.child.kill('SIGHUP');
  box.url = await ready;
  assert.equal((await fetchOver(box, '/healthz', { ca: readFileSync(second.certificate) })).certificate.subject.CN, 'second');
  await box.stop();
});

test('files that are no good: one sentence, no start', async () => {
  const good = makeCertificate('good');
  const other = makeCertificate('other');
  const empty = path.join(folder, 'empty.pem');
  writeFileSync(empty, 'nothing\n');
  const cases = [
    [{ 'tls.mode': 'files' }, /tls\.certificate: the path/],
    [withFiles({ ...good, certificate: path.join(folder, 'missing.pem') }), /tls\.certificate: .*can't be read/],
    [withFiles({ ...good, certificate: empty }), /tls\.certificate: .*PEM/],
    [withFiles({ ...good, key: empty }), /tls\.key: .*PEM/],
    [withFiles({ ...good, key: other.key }), /tls\.key: not the key/],
  ];
  for (const [settings, pattern] of cases) {
    const set = Object.entries({ 'access.mode': 'open', ...settings }).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const end = await run(aiboxd, ['--data', path.join(folder, 'refused'), '--listen', '127.0.0.1:0', '--models', models, ...set]);
    assert.notEqual(end.code, 0);
    const said = end.stderr.split('\n').filter((line) => line.startsWith('aiboxd: '));
    assert.equal(said.length, 1, end.stderr);
    assert.match(said[0], pattern);
    assert.ok(!said[0].includes(folder), 'no path');
  }
});

test('files are checked when they are set, not at the next start', async () => {
  const good = makeCertificate('set');
  const other = makeCertificate('set-other');
  const text = path.join(folder, 'set.txt');
  writeFileSync(text, 'no PEM');
  const box = await Box.start();
  const put = (values) => box.put('/api/settings', values);
  const refused = async (values, message) => {
    const { status, json } = await put(values);
    assert.deepEqual([status, json.error?.code], [400, 40091], JSON.stringify(json));
    assert.match(json.error.message, message);
  };
  await refused({ 'tls.mode': 'files' }, /^tls\.certificate: the path of a file is expected/);
  await refused(withFiles({ ...good, certificate: path.join(folder, 'nowhere.pem') }), /^tls\.certificate: the file can't be read/);
  await refused(withFiles({ ...good, key: folder }), /^tls\.key: the file can't be read/);
  await refused(withFiles({ ...good, certificate: text }), /^tls\.certificate: .*no certificates in PEM form/);
  await refused(withFiles({ ...good, key: text }), /^tls\.key: .*no key in PEM form/);
  await refused(withFiles({ ...good, key: other.key }), /^tls\.key: not the key of the first certificate/);
  // One at a time, before they are in use: each is looked at for itself.
  await refused({ 'tls.certificate': text }, /^tls\.certificate/);
  assert.equal((await put({ 'tls.certificate': good.certificate })).status, 200);
  assert.equal((await put({ 'tls.key': other.key })).status, 200);
  await refused({ 'tls.mode': 'files' }, /^tls\.key: not the key/);
  assert.equal((await put({ 'tls.mode': 'files', 'tls.key': good.key })).status, 200);
  await refused({ 'tls.key': other.key }, /^tls\.key: not the key/);
  await refused({ 'tls.certificate': '' }, /^tls\.certificate: the path/);
  // Nothing of what was refused was kept.
  const { json } = await box.get('/api/settings');
  assert.deepEqual(['tls.mode', 'tls.certificate', 'tls.key'].map((key) => json.data[key].value), ['files', good.certificate, good.key]);
  await box.stop();
});

test('bodies that are refused, before and in the middle, and one that is taken', async () => {
  const box = await Box.start({ settings: { 'tls.mode': 'self', 'http.max_body_mib': '1' } });
  const body = Buffer.alloc(3 << 20, ' ');
  const json = { 'Content-Type': 'application/json' };
  const announced = await fetchOver(box, '/SophonFogSys/api/groups', { method: 'POST', headers: { ...json, 'Content-Length': body.length }, body });
  assert.equal(announced.status, 413);
  const chunked = await fetchOver(box, '/SophonFogSys/api/groups', { method: 'POST', headers: { ...json, 'Transfer-Encoding': 'chunked' }, body });
  assert.equal(chunked.status, 413);
  assert.equal(JSON.parse(chunked.body).error.code, 41300);
  const taken = Buffer.from(JSON.stringify({ group_name: 'large', description: 'x'.repeat(3000) }) + ' '.repeat(900000));
  assert.equal((await fetchOver(box, '/SophonFogSys/api/groups', { method: 'POST', headers: json, body: taken })).status, 200);
  await box.stop();
});

test('the cookie of a session is for TLS alone there', async () => {
  const box = await Box.start({ settings: { 'tls.mode': 'self', 'access.mode': 'closed' } });
  const [, token] = /setup\?token=(\S+)/.exec(box.stdout);
  const answer = await fetchOver(box, '/api/setup', { method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token, password: 'correct horse battery' }) });
  assert.equal(answer.status, 200);
  assert.match(answer.headers['set-cookie'][0], /; Secure$/);
  await box.stop();
});

test('plain HTTP on an address that others reach is warned of', async () => {
  const box = await Box.start({ listen: '0.0.0.0:0', settings: { 'access.mode': 'closed' } });
  assert.match(box.stderr, /warn api .*plain HTTP/);
  await box.stop();
  const quiet = await Box.start({ settings: { 'access.mode': 'closed' } });
  assert.doesNotMatch(quiet.stderr, /plain HTTP/);
  await setUp(quiet);
  await quiet.stop();
});
