// A receiver of reports: an HTTP server that takes what the box sends, keeps it, and misbehaves as told.
import http from 'node:http';

import { announce } from './leftovers.mjs';
import { base64 } from './pictures.mjs';

/** The fields of a multipart/form-data body: {name: text}. */
export function parseForm(type, body) {
  const boundary = /boundary=(\S+)/.exec(type)[1];
  const fields = {};
  for (const part of body.toString('latin1').split(`--${boundary}`).slice(1, -1)) {
    const [head, ...rest] = part.split('\r\n\r\n');
    const name = /name="([^"]*)"/.exec(head)[1];
    fields[name] = Buffer.from(rest.join('\r\n\r\n').slice(0, -2), 'latin1').toString();
  }
  return fields;
}

const running = new Set();

/**
 * answer({path, headers, json, n}) → status, {status, headers, body}, or 'hang' | 'reset'; n counts requests from 0.
 * `requests` holds what was answered with 2xx, `all` everything.
 */
export class Receiver {
  static async start({ answer = () => 200, port = 0, server = http.createServer() } = {}) {
    const receiver = new Receiver();
    Object.assign(receiver, { answer, requests: [], all: [], server, waiters: [], connections: 0, closed: false });
    server.on('connection', () => receiver.connections++);
    server.on('secureConnection', () => receiver.connections++);
    server.on('request', (request, response) => receiver.take(request, response));
    await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    receiver.port = server.address().port;
    running.add(receiver);
    receiver.ended = announce('a receiver', () => receiver.stop());
    receiver.url = `http://127.0.0.1:${receiver.port}`;
    return receiver;
  }

  take(request, response) {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const type = request.headers['content-type'] ?? '';
      const got = { at: performance.now(), method: request.method, path: request.url, headers: request.headers, body };
      if (type.startsWith('application/json')) got.json = JSON.parse(body);
      if (type.startsWith('multipart/form-data')) got.form = parseForm(type, body);
      const said = this.answer({ ...got, n: this.all.length });
      this.all.push(got);
      if (said === 'hang') return;
      if (said === 'reset') {
        request.socket.destroy();
        return;
      }
      const { status = 200, headers = {}, body: text = '' } = typeof said === 'number' ? { status: said } : said;
      got.status = status;
      if (status >= 200 && status < 300) this.requests.push(got);
      response.writeHead(status, headers);
      response.end(text);
      for (const waiter of this.waiters) waiter();
    });
  }

  /** Resolves when `condition(this)` is true; fails after `ms`. */
  async until(condition, what = 'the requests', ms = 30000) {
    const late = Date.now() + ms;
    while (!condition(this)) {
      if (Date.now() > late) throw new Error(`waited ${ms} ms for ${what}; ${this.all.length} requests came`);
      await new Promise((resolve) => {
        const timer = setTimeout(done, 200);
        const waiters = this.waiters;
        function done() {
          clearTimeout(timer);
          waiters.splice(waiters.indexOf(done), 1);
          resolve();
        }
        waiters.push(done);
      });
    }
  }

  /** The events received, batches taken apart. */
  events() {
    return this.requests.flatMap(({ json }) => (Array.isArray(json) ? json : [json]));
  }

  eventIds() {
    return this.events().map((event) => event.ext_data.event_id);
  }

  static stopAll() {
    return Promise.all([...running].map((receiver) => receiver.stop()));
  }

  stop() {
    running.delete(this);
    this.ended();
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}

/** Enrols each of `folk` (lib/pictures.mjs) as p0, p1, … */
export async function enrolAll(box, folk) {
  for (const [i, person] of folk.entries()) {
    const answer = await box.post('/SophonFogSys/api/users', {
      identity_id: `p${i}`,
      group_name: 'default_group',
      reg_photo: base64(person.photo),
      fiqa_level: 'no',
      info: { name: `name of p${i}` },
    });
    if (answer.status !== 200) throw new Error(`enrol: ${answer.body}`);
  }
}

/** Shows a picture to the box; the answer, whose event is durable. */
export async function show(box, photo, more = {}) {
  const answer = await box.post('/SophonMatch/api/PictureMatch', {
    rgb_image_base64: base64(photo),
    group_name: 'default_group',
    ...more,
  });
  if (answer.status !== 200) throw new Error(`PictureMatch: ${answer.body}`);
  return answer.json;
}
