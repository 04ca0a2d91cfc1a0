// A platform for tests and integrators: login, person details, photos, receivers, commands and results, and the faults
// of real ones. The broker itself is RabbitMQ (lib/rabbitmq.mjs, or any other).
import http from 'node:http';
import { createRequire } from 'node:module';

import { announce } from './leftovers.mjs';
import { blackPng } from './pictures.mjs';

const amqp = createRequire(new URL('../../package.json', import.meta.url))('amqplib');

const html = Buffer.from('<!DOCTYPE html><title>Sign in</title><p>Please sign in to see this picture.</p>\n');
let bomb; // made once: it takes a moment

/**
 * What can go wrong, by name: how a request is answered then. `answer` is {status, headers, body} as it would have been;
 * `fault` what was asked for, `response` the server's.
 */
const faults = {
  /* The right answer, after `ms`. */
  slow: async (response, answer, { ms = 3000 }) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    reply(response, answer);
  },
  /* No answer; the connection stays. */
  never: () => {},
  /* The connection is cut. */
  reset: (response) => response.socket?.destroy(),
  error: (response, answer, { status = 500 }) =>
    reply(response, json(status, { error: { code: 50072, message: 'out of order', status: 'SERVER_PROCESS_FAILED' } })),
  /* As a platform says it when the token has run out. */
  'expired-token': (response) => reply(response, refusal(401, 40003, 'the token has expired')),
  'bad-json': (response) => reply(response, { status: 200, headers: jsonType, body: '{"data": {"user_list": [' }),
  'wrong-type': (response) => reply(response, json(200, { data: { user_list: { 10086: 'not a list' } } })),
  empty: (response) => reply(response, { status: 200, headers: {}, body: '' }),
  /* The full length is announced, half of it comes. */
  half: (response, { status, headers, body }) => {
    const bytes = Buffer.from(body);
    response.writeHead(status, { ...headers, 'Content-Length': bytes.length });
    response.write(bytes.subarray(0, bytes.length >> 1), () => response.socket?.destroy());
  },
  /* A page where a picture or JSON is expected, with status 200. */
  html: (response) => reply(response, { status: 200, headers: { 'Content-Type': 'text/html' }, body: html }),
  /* 100 MB, their length announced or not. */
  huge: (response, answer, { bytes = 100e6, announce = true }) => {
    response.writeHead(200, { 'Content-Type': 'image/jpeg', ...(announce ? { 'Content-Length': bytes } : {}) });
    const chunk = Buffer.alloc(1 << 16, 0x55);
    let left = bytes;
    const more = () => {
      while (left > 0 && !response.destroyed) {
        const size = Math.min(left, chunk.length);
        left -= size;
        if (!response.write(chunk.subarray(0, size))) return response.once('drain', more);
      }
      return response.end();
    };
    more();
  },
  /* A small PNG of 10,000 × 10,000 pixels. */
  bomb: (response) => reply(response, { status: 200, headers: { 'Content-Type': 'image/png' }, body: (bomb ??= blackPng(10000, 10000)) }),
  'redirect-loop': (response, answer, { path }) => reply(response, { status: 302, headers: { Location: path }, body: '' }),
  redirect: (response, answer, { to }) => reply(response, { status: 302, headers: { Location: to }, body: '' }),
};

export const faultNames = Object.keys(faults);

const jsonType = { 'Content-Type': 'application/json' };
const json = (status, value) => ({ status, headers: jsonType, body: JSON.stringify(value) });
const refusal = (status, code, message) => json(status, { error: { code, message, status: 'PARAM_ERROR' } });

function reply(response, { status, headers, body }) {
  if (response.destroyed) return;
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

function readBody(request) {
  return new Promise((resolve) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('error', () => resolve(undefined));
    request.on('end', () => resolve(Buffer.concat(chunks)));
  });
}

function pictureType(bytes) {
  return bytes[0] === 0x89 ? 'image/png' : bytes[0] === 0x52 ? 'image/webp' : 'image/jpeg';
}

/**
 * `people`: Map of identity_id → person (cloud person: identity_id, reg_url …, info), asked for at `paths.people`.
 * `photos`: Map of path → bytes. `received`: {[path]: [{path, query, headers, json, body}]} of everything POSTed elsewhere.
 * `logins`: queries of the login requests. `asked`: the lists of ids that were asked for. `requests`: [{method, path, query}].
 */
export class Platform {
  /**
   * `devSno`: that of the box. `broker`: {host, port, login, password, queue, …} for the login answer; none: the box gets
   * commands from nowhere. `login`: more fields of the login answer, null leaves one out. `server`: an HTTP(S) server.
   */
  static async start({ devSno = 'SE0001', port = 0, host = '127.0.0.1', broker, login = {}, token = '5c1e', server, paths = {} } = {}) {
    const platform = new Platform();
    Object.assign(platform, { devSno, broker, loginFields: login, token, people: new Map(), photos: new Map() });
    platform.paths = { login: '/login', people: '/getSendPerson', pictures: '/pics', ...paths };
    platform.faults = [];
    platform.waiters = new Set();
    platform.forget();
    platform.server = server ?? http.createServer();
    platform.server.on('request', (request, response) => {
      platform.take(request, response).catch((error) => response.destroy(error));
    });
    await new Promise((resolve, reject) => {
      platform.server.once('error', reject);
      platform.server.listen(port, host, resolve);
    });
    platform.ended = announce('a platform', () => platform.stop());
    platform.port = platform.server.address().port;
    platform.url = `${server?.setSecureContext ? 'https' : 'http'}://${host}:${platform.port}`;
    platform.loginUrl = platform.url + platform.paths.login;
    return platform;
  }

  /** Forgets what came so far. */
  forget() {
    Object.assign(this, { requests: [], logins: [], asked: [], received: {}, results: [], downloads: 0, mostDownloads: 0 });
  }

  /** Answers requests to `path` with a fault: `times` times, or until healed. `more`: its options. Of several the first. */
  fault(path, name, { times = Infinity, ...more } = {}) {
    if (!(name in faults)) throw new Error(`no fault '${name}'; there are: ${faultNames.join(', ')}`);
    this.faults.push({ ...more, path, name, times });
  }

  /** No more faults, or none for `path`. */
  heal(path) {
    this.faults = path === undefined ? [] : this.faults.filter((fault) => fault.path !== path);
  }

  /** A person with a photo of its own: {identity_id, info} and `photo` bytes; more fields replace what would be sent. */
  add(person, photo) {
    const id = person.identity_id;
    const path = `${this.paths.pictures}/${encodeURIComponent(id)}.jpg`;
    if (photo) this.photos.set(path, photo);
    this.people.set(id, { ...(photo ? { reg_url: this.url + path } : {}), register_type: 1, ...person });
  }

  async take(request, response) {
    const body = await readBody(request);
    if (body === undefined) return;
    const url = new URL(request.url, this.url);
    const query = Object.fromEntries(url.searchParams);
    this.requests.push({ method: request.method, path: url.pathname, query, target: request.url });
    const fault = this.faults.find(({ path, times }) => path === url.pathname && times > 0);
    if (fault) fault.times--;
    const isDownload = request.method === 'GET' && this.photos.has(url.pathname);
    if (isDownload) {
      this.mostDownloads = Math.max(this.mostDownloads, ++this.downloads);
      response.once('close', () => this.downloads--);
    }
    const got = { path: url.pathname, query, headers: request.headers, body };
    const answer = this.answer(request.method, got, fault !== undefined);
    if (fault) await faults[fault.name](response, answer, fault);
    else reply(response, answer);
    this.notify();
  }

  answer(method, got, failing) {
    const { path, query } = got;
    if (method === 'GET' && path === this.paths.login) return this.answerLogin(query);
    if (method === 'GET' && this.photos.has(path)) return this.answerPhoto(path);
    if (method === 'GET') return json(404, { error: { code: 40400, message: `nothing at ${path}`, status: 'NOT_FOUND' } });
    let value;
    try {
      value = JSON.parse(got.body);
    } catch {
      value = undefined;
    }
    if (path === this.paths.people) return this.answerPeople(query, value);
    if (!failing) (this.received[path] ??= []).push({ ...got, json: value });
    return json(200, { status: 0, message: 'ok', data: null });
  }

  answerLogin(query) {
    this.logins.push(query);
    if (query.dev_sno !== this.devSno) return refusal(403, 40003, 'not authorised');
    const fields = { token: this.token, ...(this.broker ? { rabbitmq: this.broker } : {}), ...this.loginFields };
    return json(200, Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)));
  }

  answerPhoto(path) {
    const body = this.photos.get(path);
    return { status: 200, headers: { 'Content-Type': pictureType(body) }, body };
  }

  answerPeople(query, value) {
    if (query.token !== this.token || query.dev_sno !== this.devSno) return refusal(401, 40003, 'wrong token or dev_sno');
    if (!Array.isArray(value?.userid_list)) return refusal(400, 40071, 'userid_list: a list is expected');
    this.asked.push(value.userid_list);
    const found = value.userid_list.filter((id) => this.people.has(id)).map((id) => this.people.get(id));
    return json(200, { data: { user_list: found } });
  }

  // ---- the broker ------------------------------------------------------------------------------------------

  /**
   * Connects to the broker as the platform: `url` (amqp://user:password@host:port) with the virtual hosts of `broker`.
   * From then on results of the upload queues come into `results` as {queue, json, properties}.
   */
  async connect(url) {
    const { queue, vHost = '/', uploadVHost = '/', uploadQueue, fiqaDownQueue, fiqaUploadQueue } = this.broker;
    const open = async (vhost) => {
      const connection = await amqp.connect(`${url}/${encodeURIComponent(vhost)}`);
      connection.on('error', () => {});
      return connection;
    };
    const down = await open(vHost);
    const up = vHost === uploadVHost ? down : await open(uploadVHost);
    this.connections = [...new Set([down, up])];
    this.channel = await down.createConfirmChannel();
    for (const name of [queue, fiqaDownQueue]) if (name) await this.channel.assertQueue(name, { durable: true });
    const results = await up.createChannel();
    for (const name of new Set([uploadQueue, fiqaUploadQueue])) {
      if (!name) continue;
      await results.assertQueue(name, { durable: true });
      await results.consume(name, (message) => {
        if (!message) return;
        this.results.push({ queue: name, json: JSON.parse(message.content), properties: message.properties });
        results.ack(message);
        this.notify();
      });
    }
  }

  /** Sends a command (an object, or a body as it is) to the box's queue; resolves when the broker has it. */
  async send(command, { queue = this.broker.queue } = {}) {
    const body = Buffer.isBuffer(command) ? command : Buffer.from(typeof command === 'string' ? command : JSON.stringify(command));
    this.channel.sendToQueue(queue, body, { persistent: true });
    await this.channel.waitForConfirms();
  }

  /** The result of the command with that messageId, by whichever way it comes. */
  async result(messageId, ms = 30000) {
    const find = () =>
      this.results.find((result) => result.json.messageId === messageId)?.json ??
      Object.values(this.received).flat().find((got) => got.json?.messageKey && got.json.messageId === messageId)?.json;
    await this.until(() => find() !== undefined, `the result of ${messageId}`, ms);
    return find();
  }

  /** Resolves when `condition(this)` is true; fails after `ms`. */
  async until(condition, what = 'the requests', ms = 30000) {
    const late = Date.now() + ms;
    while (!condition(this)) {
      if (Date.now() > late) throw new Error(`waited ${ms} ms for ${what}; ${this.requests.length} requests came`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.waiters.add(() => (clearTimeout(timer), resolve()));
      });
    }
  }

  notify() {
    const waiters = [...this.waiters];
    this.waiters.clear();
    for (const wake of waiters) wake();
  }

  async disconnect() {
    for (const connection of this.connections ?? []) await connection.close().catch(() => {});
    this.connections = [];
  }

  async stop() {
    this.ended();
    await this.disconnect();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
