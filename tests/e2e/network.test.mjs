// What the box says of its network, held against what this machine says of itself.
import assert from 'node:assert/strict';
import dns from 'node:dns';
import https from 'node:https';
import os from 'node:os';
import { test } from 'node:test';

import { keyOf, setUp } from './lib/access.mjs';
import { Box } from './lib/box.mjs';

/** IPv6 is spelt in more than one way. */
const plain = (address) => new URL(address.includes(':') ? `http://[${address.split('%')[0]}]/` : `http://${address}/`).hostname;

async function within(options, body) {
  const box = await Box.start(options);
  try {
    await body(box);
  } finally {
    await box.stop();
  }
}

test('this machine, served to nobody else', () =>
  within({ settings: { 'intake.ftp.port': '2199' } }, async (box) => {
    const { status, json } = await box.get('/api/network');
    assert.equal(status, 200);
    const { host_name, interfaces, gateways, dns: servers, listen, console_urls, ftp_port, platform, clock } = json.data;
    assert.equal(host_name, os.hostname());
    for (const [name, entries] of Object.entries(os.networkInterfaces())) {
      const said = interfaces.find((each) => each.name === name);
      assert.ok(said, name);
      assert.ok(said.up && said.running);
      assert.equal(said.loopback, entries[0].internal);
      if (!entries[0].internal) assert.equal(said.mac, entries[0].mac);
      const expected = entries.map(({ address, cidr }) => [plain(address), Number(cidr.split('/')[1])]).sort();
      assert.deepEqual(said.addresses.map(({ address, bits }) => [plain(address), bits]).sort(), expected);
    }
    for (const { address, interface: name } of gateways) {
      assert.ok(interfaces.some((each) => each.name === name), name);
      if (address) plain(address);
    }
    const resolvers = dns.getServers().map(plain);
    if (!resolvers.some((each) => each.startsWith('127.'))) for (const each of resolvers) assert.ok(servers.map(plain).includes(each), each);
    assert.deepEqual(listen, { address: box.url.slice('http://'.length), loopback: true, tls: false, tls_mode: 'off', fingerprint: '' });
    assert.deepEqual(console_urls, [`${box.url}/`]);
    assert.equal(ftp_port, 2199);
    assert.equal(platform.state, (await box.get('/api/platform')).json.data.state);
    assert.ok(Math.abs(clock.now - Date.now()) < 60000);
    assert.equal(clock.utc_offset_seconds + 60 * new Date().getTimezoneOffset(), 0);
    assert.ok([true, false, null].includes(clock.synchronised));
  }));

test('served to all: every address that others reach; administrators alone may ask', () =>
  within({ listen: '0.0.0.0:0', settings: { 'access.mode': 'closed' } }, async (box) => {
    const admin = await setUp(box);
    assert.equal((await box.get('/api/network')).status, 401);
    assert.equal((await (await keyOf(admin, box, 'o', 'operator')).get('/api/network')).status, 403);
    const { listen, console_urls } = (await admin.get('/api/network')).json.data;
    const port = Number(new URL(box.url).port);
    assert.deepEqual([listen.address, listen.loopback], [`0.0.0.0:${port}`, false]);
    const reachable = Object.values(os.networkInterfaces()).flat().filter(({ internal, family }) => !internal && family === 'IPv4');
    assert.deepEqual([...console_urls].sort(), reachable.map(({ address }) => `http://${address}:${port}/`).sort());
    for (const url of console_urls) assert.equal((await fetch(`${url}healthz`)).status, 200, url);
  }));

test('encrypted: the fingerprint that the box printed', () =>
  within({ settings: { 'tls.mode': 'self' } }, async (box) => {
    const { listen, console_urls } = await new Promise((resolve, reject) => {
      https
        .get(`${box.url}/api/network`, { rejectUnauthorized: false, agent: false }, (response) => {
          let text = '';
          response.on('data', (chunk) => (text += chunk));
          response.on('end', () => resolve(JSON.parse(text).data));
        })
        .on('error', reject);
    });
    assert.deepEqual([listen.tls, listen.tls_mode, console_urls], [true, 'self', [`${box.url}/`]]);
    assert.match(box.stdout, new RegExp(`fingerprint of the certificate ${listen.fingerprint}`));
    assert.match(listen.fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  }));
