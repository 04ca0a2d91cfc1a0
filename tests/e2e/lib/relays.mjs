// Relay boards for the tests: real servers that take down what they are told.
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';

import { announce } from './leftovers.mjs';

async function listening(server, { host = '127.0.0.1', port = 0 }) {
  server.listen(port, host);
  await once(server, 'listening');
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  const ended = announce('a relay board', () => relay.close());
  const relay = {
    host,
    port: server.address().port,
    close() {
      ended();
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  return relay;
}

/** Modbus TCP with 32 coils: functions 5 (write single coil) and 15 (write multiple coils). `log`: [{unit, first, on: [bool]}]. */
export async function modbusRelay(where = {}) {
  const coils = Array(32).fill(false);
  const log = [];
  const server = net.createServer((socket) => {
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 6 && pending.length >= 6 + pending.readUInt16BE(4)) {
        const frame = pending.subarray(0, 6 + pending.readUInt16BE(4));
        pending = pending.subarray(frame.length);
        socket.write(answer(frame));
      }
    });
  });
  function answer(frame) {
    const unit = frame[6], code = frame[7], first = frame.readUInt16BE(8);
    const count = code === 15 ? frame.readUInt16BE(10) : 1;
    const fine = (code === 5 || code === 15) && first + count <= coils.length;
    const reply = Buffer.alloc(fine ? 12 : 9);
    frame.copy(reply, 0, 0, 4);
    reply.writeUInt16BE(reply.length - 6, 4);
    reply[6] = unit;
    if (!fine) {
      reply[7] = code | 0x80;
      reply[8] = code === 5 || code === 15 ? 2 : 1; // illegal address, illegal function
      return reply;
    }
    const on = Array.from({ length: count }, (_, i) =>
      code === 5 ? frame.readUInt16BE(10) === 0xff00 : ((frame[13 + (i >> 3)] >> (i & 7)) & 1) === 1,
    );
    on.forEach((value, i) => (coils[first + i] = value));
    log.push({ unit, first, on });
    frame.copy(reply, 7, 7, 12);
    return reply;
  }
  return Object.assign(await listening(server, where), { coils, log });
}

/** `log`: ["GET /path"]; answers `status`. */
export async function httpRelay({ status = 200, ...where } = {}) {
  const log = [];
  const server = http.createServer((request, response) => {
    log.push(`${request.method} ${request.url}`);
    response.writeHead(status).end('{}');
  });
  return Object.assign(await listening(server, where), { log });
}

/** `log`: the texts that arrived. */
export async function tcpRelay(where = {}) {
  const log = [];
  const server = net.createServer((socket) => socket.on('data', (chunk) => log.push(chunk.toString())));
  return Object.assign(await listening(server, where), { log });
}

/** Takes connections and never says a word. */
export const deadRelay = (where = {}) => listening(net.createServer(), where);

/** A port of 127.0.0.1 at which nobody listens. */
export async function closedPort() {
  const relay = await deadRelay();
  relay.close();
  return relay.port;
}
