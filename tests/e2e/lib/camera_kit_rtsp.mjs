// A camera kit for video: films with known people in them, made of pictures of faces, and a real RTSP server that plays
// them. What is to be seen when is known, so that a test can count who was missed, misnamed or reported twice.
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { announce, announceChild } from './leftovers.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));

/** Why the kit can't be used here, or undefined. */
export function missingPrograms() {
  if (spawnSync('ffmpeg', ['-version']).error) return 'ffmpeg is not installed';
  const gst = spawnSync('/usr/bin/python3', ['-c', 'import gi; gi.require_version("GstRtspServer", "1.0")']);
  return gst.status === 0 ? undefined : 'gir1.2-gst-rtsp-server-1.0 is not installed';
}

/**
 * Makes a film. `actors`: [{photo (JPEG bytes), from, to (seconds), at: [x, y] or [x1, y1, x2, y2] (the photo's centre,
 * as shares of the picture, at both ends of the time), height (px), blur (px)}]; later ones are in front. An actor without photo is
 * a grey board (`width`, `height`), to go in front of others. Returns the file: an MPEG transport stream.
 */
export function makeFilm(file, { actors = [], ...film }) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'aibox-film-'));
  try {
    execFileSync('ffmpeg', filmArguments(file, folder, { actors, ...film }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return file;
}

/** Makes several, [[file, film]], one on each processor at a time. */
export async function makeFilms(films) {
  const waiting = [...films];
  const line = async () => {
    for (let next; (next = waiting.shift()); ) {
      const folder = mkdtempSync(path.join(os.tmpdir(), 'aibox-film-'));
      try {
        await promisify(execFile)('ffmpeg', filmArguments(next[0], folder, next[1]));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
  };
  await Promise.all(os.cpus().map(line));
}

/** Puts the actors' pictures into the folder. */
function filmArguments(file, folder, { width = 640, height = 480, seconds, fps = 25, codec = 'h264', quality = 20, actors = [] }) {
  const inputs = ['-f', 'lavfi', '-i', `color=c=0x708090:s=${width}x${height}:r=${fps}:d=${seconds}`];
  const chain = [`[0:v]noise=alls=6:allf=t,format=yuv420p[v0]`];
  actors.forEach((actor, i) => {
    if (actor.photo) {
      const picture = path.join(folder, `${i}.jpg`);
      writeFileSync(picture, actor.photo);
      inputs.push('-i', picture);
    } else {
      inputs.push('-f', 'lavfi', '-i', `color=c=0x404040:s=${actor.width}x${actor.height}:r=${fps}:d=0.04`);
    }
    const [x1, y1, x2 = x1, y2 = y1] = actor.at;
    const share = `((t-${actor.from})/${actor.to - actor.from})`;
    const at = (size, a, b) => `${size}*(${a}+(${b}-${a})*${share})`;
    const still = `loop=loop=${Math.ceil(seconds * fps)}:size=1,setpts=N/${fps}/TB`; // scaled once, not for each frame
    const blur = actor.blur ? `gblur=sigma=${actor.blur},` : '';
    chain.push(`[${i + 1}:v]scale=-2:${actor.height},format=yuv420p,${blur}${still}[a${i}]`);
    chain.push(
      `[v${i}][a${i}]overlay=x='${at('W', x1, x2)}-w/2':y='${at('H', y1, y2)}-h/2':` +
        `enable='between(t,${actor.from},${actor.to})':eof_action=pass[v${i + 1}]`,
    );
  });
  const coder = codec === 'h265' ? ['libx265', '-x265-params', 'log-level=error:keyint=25'] : ['libx264', '-g', '25', '-bf', '0'];
  return [
    '-v', 'error', '-y', ...inputs, '-filter_complex', chain.join(';'), '-map', `[v${actors.length}]`,
    '-c:v', ...coder, '-preset', 'ultrafast', '-crf', String(quality), '-pix_fmt', 'yuv420p', '-t', String(seconds),
    '-f', 'mpegts', file,
  ]; // prettier-ignore
}

/** The film again, played `times` times without coding it anew. */
export function repeatFilm(film, file, times) {
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-stream_loop', String(times - 1), '-i', film, '-c', 'copy', '-f', 'mpegts', file]);
  return file;
}

/** The film with bits turned over in every packet: a bad line, or somebody malicious. */
export function spoilFilm(film, file, amount = 2000) {
  execFileSync('ffmpeg', ['-v', 'quiet', '-y', '-i', film, '-c', 'copy', '-bsf:v', `noise=amount=${amount}`, '-f', 'mpegts', file]);
  return file;
}

/**
 * Plays films by RTSP on loopback. Mounts: {'/ch1': {file, transport? ('udp': no other), codec? ('h265')}}; `more`: {port,
 * user, password}. `plays` tells when which film began to be played: {play: '/ch1', time}.
 */
export class RtspServer {
  static async start(mounts, more = {}) {
    const server = new RtspServer();
    server.plays = [];
    const words = [path.join(here, 'rtsp_server.py'), JSON.stringify({ ...more, mounts })];
    server.child = announceChild(spawn('/usr/bin/python3', words, { stdio: ['pipe', 'pipe', 'pipe'] }));
    let stderr = '';
    server.child.stderr.on('data', (chunk) => (stderr += chunk));
    server.ended = once(server.child, 'close');
    const lines = readline.createInterface({ input: server.child.stdout });
    await new Promise((resolve, reject) => {
      lines.on('line', (line) => {
        const message = JSON.parse(line);
        if (message.port) resolve((server.port = message.port));
        else server.plays.push(message);
      });
      server.ended.then(() => reject(new Error(`the RTSP server ended: ${stderr}`)));
    });
    return server;
  }

  url(mount, credentials = '') {
    return `rtsp://${credentials}127.0.0.1:${this.port}${mount}`;
  }

  /** Like a camera that loses its power. */
  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  async stop() {
    this.child.stdin.end();
    await this.ended;
  }
}

/** Plays JPEGs by HTTP as multipart/x-mixed-replace, `fps` a second, again and again. */
export class MjpegServer {
  static async start(jpegs, fps = 10) {
    const server = new MjpegServer();
    server.http = http.createServer((request, response) => {
      response.writeHead(200, { 'Content-Type': 'multipart/x-mixed-replace; boundary=frame' });
      let i = 0;
      const timer = setInterval(() => {
        const jpeg = jpegs[i++ % jpegs.length];
        response.write(`--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`);
        response.write(jpeg);
        response.write('\r\n');
      }, 1000 / fps);
      response.on('close', () => clearInterval(timer));
    });
    server.http.listen(0, '127.0.0.1');
    server.over = announce('an MJPEG server', () => server.stop());
    await once(server.http, 'listening');
    server.port = server.http.address().port;
    return server;
  }

  url(credentials = '') {
    return `http://${credentials}127.0.0.1:${this.port}/video.mjpg`;
  }

  stop() {
    this.over();
    this.http.closeAllConnections();
    return new Promise((resolve) => this.http.close(resolve));
  }
}

/** The frames of a film as JPEGs, `fps` of each second. */
export function framesOf(film, fps = 10) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'aibox-frames-'));
  try {
    execFileSync('ffmpeg', ['-v', 'error', '-i', film, '-r', String(fps), '-q:v', '3', path.join(folder, '%05d.jpg')]);
    const names = execFileSync('ls', [folder]).toString().trim().split('\n');
    return names.map((name) => readFileSync(path.join(folder, name)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
