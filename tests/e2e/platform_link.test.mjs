// The link to the platform: login, broker, inbox and outbox, and what happens when they fail.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { Box, run, temporaryFolder } from './lib/box.mjs';
import { Platform } from './lib/platform.mjs';
import { haveRabbitMq, RabbitMq } from './lib/rabbitmq.mjs';

const skip = haveRabbitMq ? false : 'rabbitmq-server is not installed';
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let broker, platform, box, data, number = 0;
before(async () => {
  if (!skip) broker = await RabbitMq.start();
});
after(async () => {
  await broker?.stop();
});

/** A platform and a box that know each other; each test has queues of its own. */
async function begin({ fields = {}, login = {}, link = true } = {}) {
  number++;
  platform = await Platform.start({
    broker: broker.fields({
      queue: `queue-${number}`,
      uploadQueue: `upload-${number}`,
      exchange: { name: `exchange-${number}`, type: 'topic', passive: false, durable: true, auto_delete: false, arguments: null },
      ...fields,
    }),
    login,
  });
  data = temporaryFolder();
  await startBox();
  if (link) await connect();
}

async function startBox(env = {}) {
  box = await Box.start({ data, env });
}

async function connect() {
  await box.put('/SophonMQ/api/DevSno', { dev_sno: platform.devSno });
  await box.put('/SophonMQ/api/LoginUrl', { login_url: platform.loginUrl });
}

afterEach(async () => {
  await box?.stop();
  await platform?.stop();
  box = platform = undefined;
  if (data) rmSync(data, { recursive: true, force: true });
});

const state = async () => (await box.get('/api/platform')).json.data;

/** Resolves to the link's state once `condition(state)` is true. */
async function until(condition, what, ms = 60000) {
  const late = Date.now() + ms;
  for (;;) {
    const now = await state();
    if (condition(now)) return now;
    if (Date.now() > late) throw new Error(`waited ${ms} ms for ${what}: ${JSON.stringify(now, null, 1)}`);
    await sleep(50);
  }
}

const listening = (ms) => until((now) => now.state === 'listening', 'listening', ms);
/** A command that has a result and no other effect. */
const question = (messageId) => ({ method: 'delete_users', messageId, userid_list: ['nobody'], extend_params: {} });
const ask = async (messageId) => {
  await platform.send(question(messageId));
  return platform.result(messageId, 60000);
};

test('logs in, takes a command, answers, and acknowledges', { skip }, async () => {
  await begin({ login: { recordAddr: '/getRecord' }, fields: { fiqaDownQueue: 'fiqa-down-1', fiqaUploadQueue: 'fiqa-up-1' } });
  await listening();
  await platform.connect(broker.url);
  const result = await ask('first');
  assert.equal(result.success, true);
  assert.equal(result.dev_sno, 'SE0001');
  assert.equal(result.messageKey, 'delete_users');
  assert.match(platform.logins[0].hex_mac, /^0x[0-9a-f]{12}$/);
  assert.equal(platform.logins[0].dev_sno, 'SE0001');
  const { properties } = platform.results[0];
  assert.equal(properties.deliveryMode, 2);
  assert.equal(properties.contentType, 'application/json');
  const now = await until((is) => is.counters.confirmed === 1 && is.outbox.main.waiting === 0, 'the confirm');
  assert.equal(now.counters.received, 1);
  assert.equal(now.counters.acked, 1);
  assert.equal(now.inbox.main.waiting, 0);
  assert.deepEqual(now.queues.map((queue) => [queue.name, queue.state]), [
    [`queue-${number}`, 'consuming'],
    ['fiqa-down-1', 'consuming'],
  ]);
  assert.equal(now.rabbitmq.queue, `queue-${number}`);
  const text = JSON.stringify(now);
  assert.ok(!text.includes(broker.password) && !text.includes(`"${platform.token}"`), 'a secret is shown');
  assert.ok(!box.stderr.includes(broker.password));
  const queues = await broker.queues();
  for (const name of [`queue-${number}`, `upload-${number}`, 'fiqa-down-1', 'fiqa-up-1']) assert.equal(queues[name].durable, true, name);
  assert.equal(queues[`queue-${number}`].unacked, 0);
  const metrics = (await box.get('/metrics')).body.toString();
  assert.match(metrics, /^aibox_cloud_listening 1$/m);
  assert.match(metrics, /^aibox_cloud_results_confirmed_total 1$/m);
});

test('the queue is bound to the exchange by the routing key and by its name', { skip }, async () => {
  await begin();
  await listening();
  await platform.connect(broker.url);
  for (const key of ['routing.dev.SE0001', platform.broker.queue]) {
    platform.channel.publish(`exchange-${number}`, key, Buffer.from(JSON.stringify(question(`by ${key}`))), { persistent: true });
    assert.equal((await platform.result(`by ${key}`)).code, 0);
  }
});

test('login faults: said, and tried again', { skip }, async () => {
  await begin({ link: false });
  assert.equal((await state()).state, 'off');
  platform.fault('/login', 'error', { times: 1 });
  await connect();
  let now = await until((is) => is.counters.login_failures === 1, 'the first failure');
  assert.match(now.last_error, /login: answered with HTTP status 500: "out of order"/);
  assert.ok(now.next_try > Date.now() - 5000);
  assert.equal(now.login, null);
  await listening();
  /* A number that the platform doesn't know; the same settings once more log in afresh. */
  platform.devSno = 'SE0002';
  await box.put('/SophonMQ/api/DevSno', { dev_sno: 'SE0001' });
  now = await until((is) => /not authorised/.test(is.last_error), 'the refusal');
  assert.match(now.last_error, /403/);
  /* The right number takes effect at once, whatever is being waited for. */
  await box.put('/SophonMQ/api/DevSno', { dev_sno: 'SE0002' });
  await listening(5000);
  /* Useless answers. */
  for (const [fields, field] of [
    [{ rabbitmq: { ...platform.broker, port: 'five' } }, 'rabbitmq.port'],
    [{ rabbitmq: { ...platform.broker, queue: null } }, 'rabbitmq.queue'],
    [{ token: null }, 'token'],
  ]) {
    platform.loginFields = fields;
    await box.put('/SophonMQ/api/LoginUrl', { login_url: `${platform.loginUrl}?for=${field}` });
    now = await until((is) => is.last_error.startsWith(`login: ${field}`), field);
    assert.notEqual(now.state, 'listening');
  }
  platform.loginFields = {};
  for (const fault of ['bad-json', 'empty', 'html', 'huge', 'redirect-loop', 'reset']) {
    platform.heal();
    platform.fault('/login', fault);
    const before = (await state()).counters.login_failures;
    await box.put('/SophonMQ/api/LoginUrl', { login_url: `${platform.loginUrl}?with=${fault}` });
    await until((is) => is.counters.login_failures > before, fault);
  }
  platform.heal();
  await box.put('/SophonMQ/api/LoginUrl', { login_url: `${platform.loginUrl}?site=1` });
  await listening();
  assert.equal(platform.logins.at(-1).site, '1');
  /* Off. */
  await box.put('/SophonMQ/api/DevSno', { dev_sno: '' });
  now = await until((is) => is.state === 'off', 'off');
  assert.equal(now.login, null);
});

test('a broker that refuses the password leads to another login', { skip }, async () => {
  await begin({ fields: { password: 'wrong' } });
  const now = await until((is) => is.counters.logins >= 2, 'another login');
  assert.match(now.last_error, /the broker refuses this user/);
  platform.broker.password = broker.password;
  await listening();
});

test('a broker that is away leads to another login after five tries', { skip }, async () => {
  await begin({ fields: { port: 1 }, link: false });
  await connect();
  const now = await until((is) => is.counters.connection_failures >= 1, 'a failure');
  assert.match(now.last_error, /not reachable/);
  assert.equal(now.counters.logins, 1);
  if (process.env.AIBOX_LONG) await until((is) => is.counters.logins >= 2 && is.counters.connection_failures >= 5, 'another login', 120000);
});

test('a missing queue with unNeedBindExchange is waited for, and not made', { skip }, async () => {
  await begin({ fields: { unNeedBindExchange: true } });
  const now = await until((is) => /no queue/.test(is.last_error), 'the failure');
  assert.notEqual(now.state, 'listening');
  assert.equal(now.counters.connections, 1); /* the channel alone is opened anew */
  assert.equal((await broker.queues())[`queue-${number}`], undefined);
  await platform.connect(broker.url); /* makes it */
  await listening();
  assert.equal((await ask('found')).code, 0);
});

test('what the broker refuses is said and tried again, and does not hold up the other queue', { skip }, async () => {
  await begin({ link: false });
  platform.broker.exchange.arguments = { 'alternate-exchange': 5 }; /* it must be a text: 406 */
  await connect();
  let now = await until((is) => /PRECONDITION_FAILED/.test(is.last_error), 'the failure');
  await sleep(2500);
  now = await state();
  assert.ok(now.counters.connections <= 2, 'no loop of connections');
  platform.broker.exchange.arguments = { 'x-note': 'kept' };
  /* A queue for pictures that the user may not read. */
  await broker.ctl('add_user', 'limited', 'limited');
  await broker.ctl('set_permissions', 'limited', '.*', '.*', '^(?!forbidden).*$');
  Object.assign(platform.broker, { login: 'limited', password: 'limited', fiqaDownQueue: 'forbidden-fiqa' });
  await box.put('/SophonMQ/api/LoginUrl', { login_url: `${platform.loginUrl}?again` });
  await listening();
  now = await until((is) => /ACCESS_REFUSED/.test(is.queues[1]?.last_error), 'the refusal');
  assert.equal(now.queues[0].state, 'consuming');
  await platform.connect(broker.url);
  assert.equal((await ask('the other queue')).code, 0);
});

test('a deleted queue is made again', { skip }, async () => {
  await begin();
  await listening();
  await broker.ctl('delete_queue', `queue-${number}`);
  await until((is) => is.state !== 'listening', 'the loss');
  await listening();
  await platform.connect(broker.url);
  assert.equal((await ask('after the deletion')).code, 0);
});

test('a result whose queue is missing waits until the queue is there', { skip }, async () => {
  await begin();
  await listening();
  await until((is) => is.results.state === 'sending', 'the connection for results');
  await broker.ctl('delete_queue', `upload-${number}`);
  const connection = await broker.connect();
  const channel = await connection.createConfirmChannel();
  channel.sendToQueue(`queue-${number}`, Buffer.from(JSON.stringify(question('returned'))), { persistent: true });
  await channel.waitForConfirms();
  await until((is) => is.counters.returned >= 1, 'the return');
  await connection.close();
  await platform.connect(broker.url);
  assert.equal((await platform.result('returned')).code, 0);
  await until((is) => is.outbox.main.waiting === 0, 'the confirm');
});

test('while the broker is blocked results wait in the outbox', { skip }, async () => {
  await begin();
  await listening();
  await platform.connect(broker.url);
  assert.equal((await ask('before')).code, 0);
  /* A command that takes a while, because its people have to be asked for: it is done when the broker is short of memory. */
  platform.fault('/getSendPerson', 'slow', { ms: 6000 });
  await platform.send({ method: 'add_users_plus', messageId: 'slow', userid_list: ['nobody'], extend_params: { path: '/getSendPerson' } });
  await platform.until(() => platform.requests.some(({ path }) => path === '/getSendPerson'), 'the question');
  await broker.ctl('set_vm_memory_high_watermark', '0.000001');
  try {
    const now = await until((is) => is.results.state === 'blocked', 'the notice');
    assert.ok(now.outbox.main.waiting >= 1);
    assert.equal(now.state, 'listening');
    assert.equal(platform.results.length, 1);
    await sleep(500);
    assert.equal((await state()).counters.confirmed, 1);
  } finally {
    await broker.ctl('set_vm_memory_high_watermark', 'absolute', '1GB');
  }
  assert.equal((await platform.result('slow')).code, 50074);
  await until((is) => is.results.state === 'sending' && is.outbox.main.waiting === 0, 'rest');
});

test('the broker is killed and comes back', { skip }, async () => {
  await begin();
  await listening();
  await platform.connect(broker.url);
  assert.equal((await ask('before')).code, 0);
  await platform.disconnect();
  await broker.kill();
  const now = await until((is) => is.state !== 'listening', 'the loss');
  assert.ok(now.last_error);
  await broker.run();
  await platform.connect(broker.url);
  assert.equal((await ask('after')).code, 0);
  assert.equal((await state()).counters.logins, platform.logins.length);
});

test('20 MB pass, more than 32 MB are left aside, and what is no command is answered', { skip }, async () => {
  await begin();
  await listening();
  await platform.connect(broker.url);
  await platform.send({ ...question('large'), filler: 'x'.repeat(20e6) });
  assert.equal((await platform.result('large')).code, 0);
  await platform.send(Buffer.alloc(33 << 20, 0x20));
  await platform.send('{"method": "delete_users", "messageId": ');
  await platform.send({ method: 'dance', messageId: 'unknown' });
  assert.equal((await platform.result('unknown')).code, 40071);
  const now = await until((is) => is.counters.dead === 1 && is.counters.acked === 4, 'the dead message');
  assert.equal(now.inbox.main.waiting, 0);
  const { data: dead, pagination } = (await box.get('/api/platform/dead')).json;
  assert.equal(pagination.total_count, 3);
  assert.deepEqual(dead.map(({ messageId }) => messageId), ['unknown', '', '']);
  assert.match(dead[2].reason, /34603008 bytes/);
  await until(() => platform.results.filter(({ json }) => json.code === 40071).length === 2, 'both results');
  assert.equal((await broker.queues())[`queue-${number}`].unacked, 0);
});

test('the same command again has no second effect and the same result', { skip }, async () => {
  await begin();
  await listening();
  await platform.connect(broker.url);
  const first = await ask('twice');
  await platform.send(question('twice'));
  await platform.until(() => platform.results.filter(({ json }) => json.messageId === 'twice').length === 2, 'the second result');
  assert.deepEqual(platform.results.map(({ json }) => json), [first, first]);
  const now = await until((is) => is.counters.duplicates === 1, 'the duplicate');
  assert.equal(now.commands.executed, 1);
  await platform.send({ ...question('twice'), other: 'body' });
  await platform.until(() => platform.results.filter(({ json }) => json.messageId === 'twice').length === 3, 'the third result');
  assert.equal((await state()).commands.executed, 2);
});

test('a command that is in the inbox survives the death of the box', { skip }, async () => {
  await begin();
  await listening();
  await platform.connect(broker.url);
  for (let i = 0; i < 20; i++) await platform.send(question(`survivor ${i}`));
  await box.kill();
  await startBox();
  for (let i = 0; i < 20; i++) assert.equal((await platform.result(`survivor ${i}`)).code, 0);
  await listening();
  await until((is) => is.outbox.main.waiting === 0 && is.inbox.main.waiting === 0, 'rest');
  assert.equal((await broker.queues())[`queue-${number}`].messages, 0);
});

test('a full inbox leaves commands at the broker, in order, and goes on by itself', { skip }, async () => {
  await begin({ link: false });
  await connect();
  await listening();
  await platform.connect(broker.url);
  /* The first command holds the others up. */
  platform.fault('/getSendPerson', 'slow', { ms: 8000 });
  await platform.send({ method: 'add_users_plus', messageId: 'slow', userid_list: ['nobody'], extend_params: { path: '/getSendPerson' } });
  await platform.until(() => platform.requests.some(({ path }) => path === '/getSendPerson'), 'the question');
  const count = 1100;
  for (let i = 0; i < count; i++) platform.channel.sendToQueue(platform.broker.queue, Buffer.from(JSON.stringify(question(`many ${i}`))), { persistent: true });
  await platform.channel.waitForConfirms();
  const now = await until((is) => is.state === 'paused', 'the pause');
  assert.equal(now.inbox.main.waiting, 1000);
  assert.match(now.queues[0].last_error, /1000 commands wait/);
  await platform.until(() => platform.results.length === count + 1, 'all results', 120000);
  assert.deepEqual(
    platform.results.slice(1).map(({ json }) => json.messageId),
    Array.from({ length: count }, (_, i) => `many ${i}`),
  );
  await until((is) => is.counters.duplicates === 0 && is.state === 'listening' && is.inbox.main.waiting === 0, 'rest');
});

test('amqps: the certificate counts', { skip }, async () => {
  const folder = temporaryFolder();
  const pem = (name) => path.join(folder, name);
  const made = await run('openssl', [
    ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'.split(' '),
    ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', pem('key.pem'), '-out', pem('certificate.pem')],
  ]);
  assert.equal(made.code, 0, made.stderr);
  const plain = broker;
  broker = await RabbitMq.start({
    tls: `ssl_options.cacertfile = ${pem('certificate.pem')}\nssl_options.certfile = ${pem('certificate.pem')}\nssl_options.keyfile = ${pem('key.pem')}`,
  });
  try {
    await begin({ fields: { host: 'localhost', port: broker.tlsPort, tls: true } });
    const now = await until((is) => is.last_error.startsWith('no TLS connection'), 'the refusal');
    assert.notEqual(now.state, 'listening');
    await box.stop({ keep: true });
    await startBox({ SSL_CERT_FILE: pem('certificate.pem') });
    await listening();
    await platform.connect(broker.url);
    assert.equal((await ask('sealed')).code, 0);
    assert.equal((await state()).rabbitmq.tls, true);
  } finally {
    await box?.stop();
    box = undefined;
    await broker.stop();
    broker = plain;
    rmSync(folder, { recursive: true, force: true });
  }
});
