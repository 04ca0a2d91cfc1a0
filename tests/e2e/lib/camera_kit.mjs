// Capture cameras for the tests: an FTP client that does what cameras do (and what they should not), and a kit that plays
// pictures of known people as several cameras and counts what the box made of them.
import { once } from 'node:events';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { run, temporaryFolder } from './box.mjs';

import { until } from './until.mjs';

/** A port that is free now, with `more` free ones above it. */
export async function freePorts(more = 0) {
  for (;;) {
    const servers = [];
    try {
      const first = await listen(0);
      servers.push(first);
      const { port } = first.address();
      for (let i = 1; i <= more; i++) servers.push(await listen(port + i));
      return port;
    } catch {
      // One of them is taken: another place.
    } finally {
      for (const server of servers) server.close();
    }
  }
}

async function listen(port) {
  const server = net.createServer();
  server.listen(port, '::');
  await once(server, 'listening');
  return server;
}

/** Settings of a box whose FTP server has ports of its own. */
export async function ftpSettings(passive = 40) {
  const port = await freePorts(passive);
  return { 'intake.ftp.port': port, 'intake.ftp.passive_ports': `${port + 1}-${port + passive}` };
}

const devicesPath = '/SophonDevice/api/Devices';

/** Registers a capture camera; what its owner types into it: {device_id, host, port, user, password}. */
export async function addCamera(box, device_key, more = {}) {
  const answer = await box.post(devicesPath, { devices_list: [{ device_key, ep_type: '1', dedup_seconds: 0, ...more }] });
  if (answer.status !== 200) throw new Error(`${answer.body}`);
  const [device] = answer.json.data.devices_list;
  return { device_id: device.device_id, ...device.ftp };
}

export async function deviceOf(box, camera) {
  const answer = await box.get(`${devicesPath}?device_id=${encodeURIComponent(camera.device_id)}`);
  return answer.json.data.devices_list[0];
}

/** A control connection. Commands answer {code, text}; a connection that ends answers code 0. */
export class FtpClient {
  static async connect({ host, port }) {
    const client = new FtpClient();
    client.socket = net.connect(port, host);
    client.lines = [];
    client.waiting = [];
    client.ended = false;
    client.rest = '';
    client.socket.on('data', (chunk) => client.#read(chunk.toString('latin1')));
    client.socket.on('error', () => {});
    client.socket.on('close', () => {
      client.ended = true;
      for (const wake of client.waiting.splice(0)) wake({ code: 0, text: '' });
    });
    client.host = host;
    client.greeting = await client.#answer();
    return client;
  }

  static async login(camera) {
    const client = await FtpClient.connect(camera);
    const { code } = await client.login(camera);
    if (code !== 230) throw new Error(`login: ${code}`);
    return client;
  }

  #read(text) {
    this.rest += text;
    for (let end; (end = this.rest.indexOf('\r\n')) >= 0; this.rest = this.rest.slice(end + 2)) {
      const line = this.rest.slice(0, end);
      if (!/^\d{3} /.test(line)) continue;
      const answer = { code: Number(line.slice(0, 3)), text: line.slice(4) };
      const wake = this.waiting.shift();
      if (wake) wake(answer);
      else this.lines.push(answer);
    }
  }

  #answer() {
    if (this.lines.length > 0) return Promise.resolve(this.lines.shift());
    if (this.ended) return Promise.resolve({ code: 0, text: '' });
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  command(text) {
    this.socket.write(`${text}\r\n`);
    return this.#answer();
  }

  async login({ user, password }) {
    await this.command(`USER ${user}`);
    return this.command(`PASS ${password}`);
  }

  async #data() {
    const answer = await this.command('EPSV');
    const port = /\|\|\|(\d+)\|/.exec(answer.text)?.[1];
    if (!port) throw new Error(`EPSV: ${answer.code} ${answer.text}`);
    const socket = net.connect(Number(port), this.host);
    socket.on('error', () => {});
    return socket;
  }

  /** The last answer. `verb`: STOR, STOU, APPE. */
  async upload(name, bytes, verb = 'STOR') {
    await this.command('TYPE I');
    const socket = await this.#data();
    const answer = await this.command(`${verb} ${name}`);
    if (answer.code !== 150 && answer.code !== 125) {
      socket.destroy();
      return answer;
    }
    socket.end(bytes);
    return this.#answer();
  }

  /** {code, bytes}: of LIST, NLST, MLSD, RETR. */
  async download(command) {
    const socket = await this.#data();
    const chunks = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    let answer = await this.command(command);
    if (answer.code === 150 || answer.code === 125) {
      answer = await this.#answer();
      await closed;
    } else {
      socket.destroy();
    }
    return { code: answer.code, bytes: Buffer.concat(chunks) };
  }

  close() {
    this.socket.destroy();
  }
}

/** A client that is logged in, as soon as the server runs. */
export function connected(camera) {
  return until(() => FtpClient.login(camera).catch(() => undefined), 'the FTP server');
}

/** Files below a folder, paths relative to it. */
export function filesBelow(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? filesBelow(path.join(folder, entry.name)).map((file) => path.join(entry.name, file)) : [entry.name],
    );
  } catch {
    return [];
  }
}

/** Every event, oldest first. */
export async function allEvents(box) {
  const events = [];
  for (let page = 0; ; page++) {
    const { json } = await box.get(`/SophonFace/api/events?page=${page}&per_page=100`);
    events.push(...json.data);
    if (json.data.length < 100) return events.reverse();
  }
}

/* How a camera uploads files [[name, bytes]] one after the other: with the client above, or as a program does it. */
async function ownSender(camera) {
  const client = await connected(camera);
  return {
    async send(files) {
      for (const [name, bytes] of files) {
        const { code } = await client.upload(name, bytes);
        if (code !== 226) throw new Error(`${name}: ${code}`);
      }
    },
    end: () => client.close(),
  };
}

/** `command(paths)`: [program, arguments]. */
async function programSender(camera, command) {
  const folder = temporaryFolder();
  (await connected(camera)).close();
  return {
    async send(files) {
      const paths = files.map(([name]) => path.join(folder, name));
      files.forEach(([, bytes], i) => writeFileSync(paths[i], bytes));
      const { code, stderr } = await run(...command(paths));
      paths.forEach((file) => rmSync(file));
      if (code !== 0) throw new Error(`${files[0][0]}: ${stderr}`);
    },
    end: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export const senders = {
  own: ownSender,
  curl: (camera) => programSender(camera, (paths) => ['curl', ['-sS', '-T', `{${paths}}`, `ftp://${camera.user}:${camera.password}@${camera.host}:${camera.port}/`]]),
  lftp: (camera) =>
    programSender(camera, (paths) => ['lftp', ['-c', [`open ftp://${camera.user}:${camera.password}@${camera.host}:${camera.port}`, ...paths.map((file) => `put ${file}`)].join('; ')]]),
};

/**
 * Plays `pictures` [{bytes, person: identity_id or null for a stranger}] as the cameras, in turns, `rate` pictures a second
 * in all, each camera with the sender at its place in `by`. Beside each picture lies a JSON file with its number, so that it is known which event is whose.
 * {sent, seen, right, wrong, duplicates, missed: [number]}: right: the event names the person (or nobody, of a stranger);
 * wrong: it names somebody else; what is neither was uncertain, a stranger to the box, or made no event.
 */
export async function playCameras(box, cameras, pictures, { rate, by = [] }) {
  const clients = await Promise.all(cameras.map((camera, i) => (by[i] ?? senders.own)(camera)));
  const start = Date.now();
  const lines = cameras.map(async (_, camera) => {
    for (let i = camera; i < pictures.length; i += cameras.length) {
      await sleep(Math.max(0, start + (i * 1000) / rate - Date.now()));
      await clients[camera].send([[`shot${i}.json`, JSON.stringify({ number: i })], [`shot${i}.jpg`, pictures[i].bytes]]);
    }
  });
  await Promise.all(lines);
  const took_ms = Date.now() - start;
  for (const client of clients) client.end();
  let still = -1;
  await until(
    async () => {
      const devices = await Promise.all(cameras.map((camera) => deviceOf(box, camera)));
      const dealt = devices.reduce((sum, device) => sum + device.frames + device.drops, 0);
      const rests = dealt >= pictures.length && dealt === still;
      still = dealt;
      return rests;
    },
    'every picture to be dealt with',
    { pause_ms: 1500 },
  );
  return { sent: pictures.length, took_ms, ...score(await allEvents(box), pictures) };
}

function score(events, pictures) {
  const result = { seen: 0, right: 0, wrong: 0, duplicates: 0, missed: [] };
  const seen = new Set();
  const right = new Set();
  for (const event of events) {
    const { number } = event.ext_data.grab_fiqa_info;
    if (number === undefined) continue;
    if (seen.has(number)) result.duplicates++;
    seen.add(number);
    const named = event.verdict === 'known' ? event.identity_id : null;
    if (named === pictures[number].person) right.add(number);
    else if (named !== null) result.wrong++;
  }
  result.seen = seen.size;
  result.right = right.size;
  result.missed = pictures.map((_, number) => number).filter((number) => !right.has(number));
  return result;
}
