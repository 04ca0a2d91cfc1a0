// Pictures for the tests: crops of the sample pictures, and files that are broken on purpose.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import zlib from 'node:zlib';

import { samples } from './box.mjs';

const jpeg = createRequire(new URL('../../package.json', import.meta.url))('jpeg-js');

export const base64 = (bytes) => Buffer.from(bytes).toString('base64');

export function sampleBytes(number) {
  return readFileSync(path.join(samples, `sample${number}.jpg`));
}

/** {width, height, data: RGBA} */
export function decode(bytes) {
  return jpeg.decode(bytes, { useTArray: true, maxMemoryUsageInMB: 1024 });
}

export function encode(picture, quality = 92) {
  return jpeg.encode(picture, quality).data;
}

export function blank(width, height, [r, g, b] = [128, 128, 128]) {
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < data.length; i += 4) data.set([r, g, b, 255], i);
  return { width, height, data };
}

/** A picture of width × height whose pixel (x, y) is that of `picture` at (map(x, y)), nearest neighbour, grey outside. */
export function remap(picture, width, height, map) {
  const out = blank(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [sx, sy] = map(x, y).map(Math.round);
      if (sx < 0 || sy < 0 || sx >= picture.width || sy >= picture.height) continue;
      const from = (sy * picture.width + sx) * 4;
      out.data.set(picture.data.subarray(from, from + 4), (y * width + x) * 4);
    }
  }
  return out;
}

/** A rectangle, scaled. */
export function crop(picture, x, y, width, height, scale = 1) {
  return remap(picture, Math.round(width * scale), Math.round(height * scale), (i, j) => [x + i / scale, y + j / scale]);
}

export function mirror(picture) {
  return remap(picture, picture.width, picture.height, (x, y) => [picture.width - 1 - x, y]);
}

/** Turned by 90° clockwise `quarters` times. */
export function turn(picture, quarters) {
  let out = picture;
  for (let i = 0; i < quarters; i++) {
    const { height } = out;
    out = remap(out, out.height, out.width, (x, y) => [y, height - 1 - x]);
  }
  return out;
}

/** JPEG bytes with an EXIF orientation put behind the start of image. */
export function withOrientation(bytes, orientation) {
  const tiff = Buffer.from('4d4d002a00000008000101120003000000010000000000000000', 'hex');
  tiff.writeUInt16BE(orientation, 18);
  const payload = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
  const marker = Buffer.from([0xff, 0xe1, 0, 0]);
  marker.writeUInt16BE(payload.length + 2, 2);
  return Buffer.concat([bytes.subarray(0, 2), marker, payload, bytes.subarray(2)]);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), 8 + data.length);
  return out;
}

const crcTable = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

export function crc32(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = crcTable[(c ^ byte) & 0xff] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** PNG bytes of RGBA pixels. `kind`: rgb8, rgb16, grey8, animated (an acTL chunk). */
export function png(picture, kind = 'rgb8') {
  const { width, height, data } = picture;
  const channels = kind === 'grey8' ? 1 : 3;
  const bytes = kind === 'rgb16' ? 2 : 1;
  const raw = Buffer.alloc(height * (1 + width * channels * bytes));
  let at = 0;
  for (let y = 0; y < height; y++) {
    at++;
    for (let x = 0; x < width; x++) {
      const pixel = data.subarray((y * width + x) * 4, (y * width + x) * 4 + 3);
      const values = channels === 1 ? [Math.round((pixel[0] * 299 + pixel[1] * 587 + pixel[2] * 114) / 1000)] : pixel;
      for (const value of values) {
        raw[at++] = value;
        if (bytes === 2) raw[at++] = value;
      }
    }
  }
  return pngOf(width, height, bytes * 8, channels === 1 ? 0 : 2, zlib.deflateSync(raw), kind === 'animated');
}

/** PNG bytes of a black picture, made without its pixels: bombs. */
export function blackPng(width, height) {
  const deflate = zlib.deflateSync(Buffer.alloc(height * (1 + width)), { level: 9 });
  return pngOf(width, height, 8, 0, deflate, false);
}

function pngOf(width, height, depth, colour, idat, animated) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, 0], 8);
  const control = Buffer.alloc(8);
  control.writeUInt32BE(2, 0);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    ...(animated ? [chunk('acTL', control)] : []),
    chunk('IDAT', idat),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/* Cosine up to which two people of the sample pictures don't look alike. */
const ALIKE = 0.3;

/**
 * People of the sample pictures that don't look alike, found by the box itself: [{name, photo (JPEG), other (JPEG)}].
 * `photo` is a crop around the face; `other` shows the same face shifted, at another scale, mirrored and compressed anew.
 */
export async function people(box, wanted = 6) {
  const out = [];
  const features = [];
  const detect = async (bytes) => {
    const answer = await box.post('/SophonFace/api/detect', { image_base64_str: base64(bytes), with_feature: true });
    if (answer.status !== 200) throw new Error(`detect: ${answer.body}`);
    return answer.json.data;
  };
  for (const number of [3, 6, 4, 5, 1]) {
    const bytes = sampleBytes(number);
    const picture = decode(bytes);
    for (const { bbox, feature } of await detect(bytes)) {
      if (features.some((other) => other.reduce((sum, v, i) => sum + v * feature[i], 0) > ALIKE)) continue;
      const [x1, y1, x2, y2] = bbox;
      const side = Math.max(x2 - x1, y2 - y1);
      const middle = [(x1 + x2) / 2, (y1 + y2) / 2];
      const around = (share, dx, dy, scale) =>
        crop(picture, middle[0] - side * share + dx, middle[1] - side * share + dy, side * 2 * share, side * 2 * share, scale);
      const person = {
        name: `person ${number}-${out.length}`,
        photo: encode(around(0.9, 0, 0, 1)),
        other: encode(mirror(around(0.95, side * 0.15, -side * 0.1, 0.8)), 80),
      };
      const seen = [await detect(person.photo), await detect(person.other)];
      if (seen.some((faces) => faces.length !== 1)) continue;
      features.push(feature);
      out.push(person);
      if (out.length === wanted) return out;
    }
  }
  return out;
}
