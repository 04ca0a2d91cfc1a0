// Writes the seeds of fuzz_video: small films made by ffmpeg, as cameras send them. The layout is that of the target.
//
//   node seeds.mjs FOLDER
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { describe, isSlice, nalsOf, payloadsOf } from '../../e2e/lib/camera_raw.mjs';

const [folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const RTSP = 0, HTTP = 1;
const LAST = 0x8000; // of a picture
const ffmpeg = (...args) => execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc=s=96x64:r=5:d=1', ...args], { maxBuffer: 2 ** 24 });
const save = (name, ...parts) => writeFileSync(path.join(folder, name), Buffer.concat(parts));

/** The description, its end, then payloads, each after its length and whether it ends a picture. */
function rtsp(name, description, payloads) {
  const chunks = payloads.flatMap(([payload, last]) => {
    const head = Buffer.alloc(2);
    head.writeUInt16BE(payload.length | (last ? LAST : 0));
    return [head, payload];
  });
  save(name, Buffer.from([RTSP]), Buffer.from(description), Buffer.from([0]), ...chunks);
}

/** Those of a film that are sent: parameter sets in the stream, in the description too, or there alone. */
function film(codec, name, coder) {
  const file = path.join(folder, `${name}.ts`);
  ffmpeg(...coder, '-pix_fmt', 'yuv420p', '-f', 'mpegts', file);
  const nals = nalsOf(file, codec);
  const payloads = (list) => list.flatMap((nal) => payloadsOf(nal, codec).map((payload, i, all) => [payload, isSlice(nal, codec) && i === all.length - 1]));
  rtsp(name, describe(codec), payloads(nals));
  if (codec === 'h264') {
    const sets = nals.filter((nal) => [7, 8].includes(nal[0] & 0x1f)).slice(0, 2);
    const parameters = `sprop-parameter-sets=${sets.map((nal) => nal.toString('base64')).join(',')}`;
    rtsp(`${name}-described`, describe(codec, parameters), payloads(nals.filter((nal) => isSlice(nal, codec))));
    const together = sets.flatMap((nal) => [nal.length >> 8, nal.length & 255, ...nal]);
    rtsp(`${name}-together`, describe(codec), [[Buffer.from([24, ...together]), false], ...payloads(nals)]); // STAP-A
  }
  return file;
}

const unneeded = [film('h264', 'h264', ['-c:v', 'libx264', '-g', '3', '-bf', '1']), film('h265', 'h265', ['-c:v', 'libx265', '-x265-params', 'log-level=none:keyint=3'])];

// JPEG in RTP (RFC 2435): the scan alone, after a head that says what its tables are.
const jpeg = ffmpeg('-frames:v', '1', '-c:v', 'mjpeg', '-huffman', 'default', '-pix_fmt', 'yuvj420p', '-f', 'image2pipe', '-');
const scan = jpeg.indexOf(Buffer.from([0xff, 0xda]));
const head = Buffer.from([0, 0, 0, 0, 1, 80, 96 / 8, 64 / 8]);
const description = describe('h264').replace('RTP/AVP 96', 'RTP/AVP 26').replace(/a=(rtpmap|fmtp).*\r\n/g, '');
rtsp('jpeg', description, [[Buffer.concat([head, jpeg.subarray(scan + 2 + jpeg.readUInt16BE(scan + 2), -2)]), true]]);

const parts = ffmpeg('-c:v', 'mjpeg', '-f', 'mpjpeg', '-');
save('parts', Buffer.from([HTTP]), parts);
save('jpegs', Buffer.from([HTTP]), ffmpeg('-c:v', 'mjpeg', '-f', 'mjpeg', '-'));
for (const file of unneeded) execFileSync('rm', [file]);
