// Cameras that send exactly the bytes a test wants: RTSP with RTP inside the connection, and JPEGs by HTTP. What a real
// server would refuse to send, mend or leave out can be sent by these.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';

const CODECS = {
  h264: { name: 'H264', header: 1, type: (nal) => nal[0] & 0x1f, isSlice: (type) => type >= 1 && type <= 5 },
  h265: { name: 'H265', header: 2, type: (nal) => (nal[0] >> 1) & 0x3f, isSlice: (type) => type < 32 },
};
const MOST_PAYLOAD = 1400; // of an RTP packet, as cameras have it

/** The NAL units of a film, without start codes. */
export function nalsOf(film, codec = 'h264') {
  const bytes = execFileSync('ffmpeg', ['-v', 'error', '-i', film, '-c', 'copy', '-f', codec === 'h264' ? 'h264' : 'hevc', '-'], { maxBuffer: 2 ** 28 });
  const nals = [];
  const start = Buffer.from([0, 0, 1]);
  for (let at = bytes.indexOf(start); at >= 0; ) {
    const next = bytes.indexOf(start, at + 3);
    let end = next < 0 ? bytes.length : next;
    while (end > at + 3 && bytes[end - 1] === 0) end--; // of a start code of four bytes
    nals.push(bytes.subarray(at + 3, end));
    at = next;
  }
  return nals;
}

export const nalType = (nal, codec = 'h264') => CODECS[codec].type(nal);
export const isSlice = (nal, codec = 'h264') => CODECS[codec].isSlice(nalType(nal, codec));

/** RTP payloads of a NAL unit: itself, or fragments (RFC 6184, 7798). */
export function payloadsOf(nal, codec = 'h264') {
  const { header } = CODECS[codec];
  if (nal.length <= MOST_PAYLOAD) return [nal];
  const type = nalType(nal, codec);
  const indicator = codec === 'h264' ? [(nal[0] & 0xe0) | 28] : [(nal[0] & 0x81) | (49 << 1), nal[1]];
  const out = [];
  for (let at = header; at < nal.length; at += MOST_PAYLOAD) {
    const first = at === header ? 0x80 : 0;
    const last = at + MOST_PAYLOAD >= nal.length ? 0x40 : 0;
    out.push(Buffer.concat([Buffer.from([...indicator, first | last | type]), nal.subarray(at, at + MOST_PAYLOAD)]));
  }
  return out;
}

/** An RTP packet in the frame of an RTSP connection. */
function framed(sequence, timestamp, marker, payload) {
  const head = Buffer.alloc(16);
  head.write('$', 0);
  head.writeUInt16BE(12 + payload.length, 2);
  head[4] = 0x80;
  head[5] = (marker ? 0x80 : 0) | 96;
  head.writeUInt16BE(sequence & 0xffff, 6);
  head.writeUInt32BE(timestamp >>> 0, 8);
  head.writeUInt32BE(0x1b0c5, 12);
  return Buffer.concat([head, payload]);
}

/**
 * Plays NAL units again and again, 25 pictures a second. `nals`: the list, or a function that gives a list for each round.
 * `parameters`: of the description's a=fmtp. A socket whose far end doesn't read is not written to.
 */
export class RawRtspServer {
  static async start({ nals, codec = 'h264', parameters = '', fps = 25 }) {
    const server = new RawRtspServer();
    server.sockets = new Set();
    server.tcp = net.createServer((socket) => server.#serve(socket, typeof nals === 'function' ? nals : () => nals, codec, parameters, fps));
    server.tcp.listen(0, '127.0.0.1');
    await once(server.tcp, 'listening');
    server.port = server.tcp.address().port;
    return server;
  }

  #serve(socket, nals, codec, parameters, fps) {
    let text = '', timer;
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(timer);
      this.sockets.delete(socket);
    });
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let end; (end = text.indexOf('\r\n\r\n')) >= 0; text = text.slice(end + 4)) {
        const method = /^\S+/.exec(text)?.[0], sequence = /CSeq: *(\d+)/i.exec(text)?.[1];
        const answer = (more = '', body = '') => socket.write(`RTSP/1.0 200 OK\r\nCSeq: ${sequence}\r\n${more}Session: 1\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
        if (method === 'OPTIONS') answer('Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n');
        else if (method === 'DESCRIBE') answer('Content-Type: application/sdp\r\n', describe(codec, parameters));
        else if (method === 'SETUP') answer('Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n');
        else answer();
        if (method === 'PLAY') timer = play(socket, nals, codec, fps);
        if (method === 'TEARDOWN') socket.end();
      }
    });
  }

  /** Every name gives the same film. */
  url(name = 'raw') {
    return `rtsp://127.0.0.1:${this.port}/${name}`;
  }

  async stop() {
    for (const socket of this.sockets) socket.destroy();
    this.tcp.close();
    await once(this.tcp, 'close');
  }
}

export function describe(codec, parameters = '') {
  const lines = ['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=raw', 'c=IN IP4 0.0.0.0', 't=0 0', 'm=video 0 RTP/AVP 96', `a=rtpmap:96 ${CODECS[codec].name}/90000`];
  return [...lines, `a=fmtp:96 ${codec === 'h264' ? 'packetization-mode=1;' : ''}${parameters}`, 'a=control:video', ''].join('\r\n');
}

function play(socket, nals, codec, fps) {
  let round = 0, list = nals(round), at = 0, sequence = 0, picture = 0;
  return setInterval(() => {
    if (socket.writableLength > 2 ** 20) return;
    // Everything up to the end of a picture; what has no picture in it goes by a bit each time.
    for (let sent = 0; sent < 64; sent++) {
      if (at === list.length) [list, at] = [nals(++round), 0];
      const nal = list[at++];
      const payloads = payloadsOf(nal, codec);
      payloads.forEach((payload, i) => socket.write(framed(sequence++, picture * (90000 / fps), isSlice(nal, codec) && i === payloads.length - 1, payload)));
      if (isSlice(nal, codec)) break;
    }
    picture++;
  }, 1000 / fps);
}

/** A sequence parameter set of H.264 (7.3.2.1.1), baseline profile, for pictures of that size. */
export function sequenceParameterSet(width, height) {
  const bits = [];
  const put = (value, count) => {
    for (let i = count - 1; i >= 0; i--) bits.push(Math.floor(value / 2 ** i) % 2);
  };
  const exp = (value) => {
    const length = Math.floor(Math.log2(value + 1));
    put(0, length);
    put(value + 1, length + 1);
  };
  put(66, 8); // profile_idc
  put(0xc0, 8); // constraint flags
  put(52, 8); // level_idc
  [0, 0, 2, 1].forEach(exp); // ids, no order of pictures, one reference
  put(0, 1);
  exp(width / 16 - 1);
  exp(height / 16 - 1);
  put(0b1100, 4); // whole frames, direct 8×8, not cropped, nothing further
  put(1, 1); // the end
  while (bits.length % 8 !== 0) bits.push(0);
  const bytes = [0x67];
  for (let i = 0; i < bits.length; i += 8) {
    const byte = parseInt(bits.slice(i, i + 8).join(''), 2);
    if (byte <= 3 && bytes.at(-1) === 0 && bytes.at(-2) === 0) bytes.push(3); // emulation prevention
    bytes.push(byte);
  }
  return Buffer.from(bytes);
}

/** An HTTP server that sends a head and then what `send(socket)` does. */
export class RawHttpServer {
  static async start(send, type = 'multipart/x-mixed-replace; boundary=frame') {
    const server = new RawHttpServer();
    server.sockets = new Set();
    server.tcp = net.createServer((socket) => {
      server.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => server.sockets.delete(socket));
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n\r\n`);
        send(socket);
      });
    });
    server.tcp.listen(0, '127.0.0.1');
    await once(server.tcp, 'listening');
    server.port = server.tcp.address().port;
    return server;
  }

  url() {
    return `http://127.0.0.1:${this.port}/video.mjpg`;
  }

  async stop() {
    for (const socket of this.sockets) socket.destroy();
    this.tcp.close();
    await once(this.tcp, 'close');
  }
}

/** Writes `chunk` again and again, as fast as it is read. */
export function sendForEver(socket, chunk) {
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}
