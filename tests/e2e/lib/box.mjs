// Starts a box of its own for a test file, talks to it over the wire, and stops it.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { announceChild } from './leftovers.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const bin = process.env.AIBOX_BIN ?? path.join(root, 'build/debug');
export const models = process.env.AIBOX_MODELS ?? path.join(root, 'build/models');
export const samples = process.env.AIBOX_SAMPLES ?? path.join(root, 'build/samples');
export const faces = path.resolve(root, '../shared/faces');
export const aiboxd = path.join(bin, 'aiboxd');
export const haveFaces = existsSync(path.join(faces, 'lfw'));

export function temporaryFolder() {
  return mkdtempSync(path.join(os.tmpdir(), 'aibox-e2e-'));
}

/** Runs a program to its end: {code, signal, stdout, stderr}. */
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = announceChild(spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options }));
    const out = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (out.stdout += chunk));
    child.stderr.on('data', (chunk) => (out.stderr += chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...out }));
  });
}

/**
 * A running box. `settings`: {key: value} for --set; access is open unless told otherwise. `under`: a command line to
 * put before the program's own. Stop it with stop(), which
 * also asserts that it went in an orderly way, so that a sanitizer's finding fails the test.
 */
export class Box {
  static async start({ data, listen = '127.0.0.1:0', settings = {}, args = [], env = {}, under = [] } = {}) {
    const box = new Box();
    box.ownData = data === undefined;
    box.data = data ?? temporaryFolder();
    const all = { 'access.mode': 'open', ...settings };
    const set = Object.entries(all).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const [program, ...words] = [...under, aiboxd, '--data', box.data, '--listen', listen, '--models', models, ...set, ...args];
    box.child = announceChild(spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } }));
    box.stdout = '';
    box.stderr = '';
    box.agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
    box.ended = new Promise((resolve) => {
      box.child.on('close', (code, signal) => resolve({ code, signal }));
    });
    box.child.stderr.on('data', (chunk) => (box.stderr += chunk));
    await new Promise((resolve, reject) => {
      box.child.stdout.on('data', (chunk) => {
        box.stdout += chunk;
        const ready = /ready on (https?:\/\/\S+)/.exec(box.stdout);
        if (ready) {
          box.url = ready[1];
          resolve();
        }
      });
      box.child.on('error', reject);
      box.ended.then(() => reject(new Error(`the box ended before it was ready:\n${box.stderr}`)));
    });
    return box;
  }

  /** One request: {status, headers, body (Buffer), json (parsed or undefined)}. */
  request(method, target, { headers = {}, body } = {}) {
    return new Promise((resolve, reject) => {
      const url = new URL(target, this.url);
      const request = http.request(
        { agent: this.agent, host: url.hostname, port: url.port, path: target, method, headers: bodyHeaders(headers, body) },
        (response) => {
          const chunks = [];
          response.on('data', (chunk) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const bytes = Buffer.concat(chunks);
            let json;
            if ((response.headers['content-type'] ?? '').startsWith('application/json')) json = JSON.parse(bytes);
            resolve({ status: response.statusCode, headers: response.headers, body: bytes, json });
          });
        },
      );
      // The box may close a resting connection at the moment in which it is used again; a GET is safe to be repeated.
      request.on('error', (error) => {
        if (request.reusedSocket && error.code === 'ECONNRESET' && method === 'GET') resolve(this.request(method, target, { headers, body }));
        else reject(error);
      });
      request.end(body);
    });
  }

  get(target) {
    return this.request('GET', target);
  }

  send(method, target, value) {
    return this.request(method, target, {
      headers: { 'Content-Type': 'application/json' },
      body: typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value),
    });
  }

  post(target, value) {
    return this.send('POST', target, value);
  }

  put(target, value) {
    return this.send('PUT', target, value);
  }

  delete(target, value) {
    return this.send('DELETE', target, value);
  }

  /** multipart/form-data; fields: {name: text | {filename, type, bytes}}. */
  form(method, target, fields) {
    const boundary = 'aibox-e2e-boundary';
    const parts = [];
    for (const [name, given] of Object.entries(fields)) {
      for (const value of Array.isArray(given) ? given : [given]) {
        const file = typeof value === 'object';
        const disposition = `form-data; name="${name}"` + (file ? `; filename="${value.filename}"` : '');
        const type = file ? `Content-Type: ${value.type}\r\n` : '';
        parts.push(Buffer.from(`--${boundary}\r\nContent-Disposition: ${disposition}\r\n${type}\r\n`));
        parts.push(file ? value.bytes : Buffer.from(String(value)), Buffer.from('\r\n'));
      }
    }
    parts.push(Buffer.from(`--${boundary}--\r\n`));
    return this.request(method, target, {
      headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
      body: Buffer.concat(parts),
    });
  }

  kill(signal = 'SIGKILL') {
    this.child.kill(signal);
    return this.ended;
  }

  /** SIGTERM; resolves to {code, signal}. The data folder is kept when it was given, or with `keep`. */
  async stop({ keep = false } = {}) {
    this.agent.destroy();
    this.child.kill('SIGTERM');
    const end = await this.ended;
    if (this.ownData && !keep) rmSync(this.data, { recursive: true, force: true });
    if (end.code !== 0) throw new Error(`the box ended with ${JSON.stringify(end)}:\n${this.stderr.slice(-8000)}`);
    return end;
  }
}

function bodyHeaders(headers, body) {
  return body === undefined ? headers : { 'Content-Length': Buffer.byteLength(body), ...headers };
}
