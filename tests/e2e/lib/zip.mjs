// ZIP archives: written as asked, also wrongly; read by their directory.
import { crc32 } from './pictures.mjs';

const UTF8 = 0x800;

function record(...fields) {
  const out = Buffer.alloc(fields.reduce((sum, [, size]) => sum + size, 0));
  let at = 0;
  for (const [value, size] of fields) {
    if (size === 8) out.writeBigUInt64LE(BigInt(value), at);
    else out.writeUIntLE(value, at, size);
    at += size;
  }
  return out;
}

/** entries: {name: bytes | text}, or [[name (text or Buffer), bytes, {flags}]]. Texts are marked as UTF-8, Buffers are not. */
export function zip(entries) {
  const list = Array.isArray(entries) ? entries : Object.entries(entries);
  const pieces = [];
  const directory = [];
  let at = 0;
  for (const [name, content, { flags } = {}] of list) {
    const raw = Buffer.from(name);
    const bytes = Buffer.from(content);
    const marked = flags ?? (typeof name === 'string' ? UTF8 : 0);
    const common = [[20, 2], [marked, 2], [0, 2], [0, 4], [crc32(bytes), 4], [bytes.length, 4], [bytes.length, 4], [raw.length, 2], [0, 2]];
    const header = record([0x04034b50, 4], ...common);
    directory.push(record([0x02014b50, 4], [20, 2], ...common, [0, 6], [0, 4], [at, 4]), raw);
    pieces.push(header, raw, bytes);
    at += header.length + raw.length + bytes.length;
  }
  const end = Buffer.concat(directory);
  return Buffer.concat([...pieces, end, record([0x06054b50, 4], [0, 4], [list.length, 2], [list.length, 2], [end.length, 4], [at, 4], [0, 2])]);
}

/** Map of name → bytes; throws when it isn't whole. */
export function unzip(bytes) {
  const end = bytes.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end < 0) throw new Error('no end of archive');
  const out = new Map();
  let at = bytes.readUInt32LE(end + 16);
  for (let i = 0; i < bytes.readUInt16LE(end + 10); i++) {
    const [crc, , size, nameSize] = [bytes.readUInt32LE(at + 16), 0, bytes.readUInt32LE(at + 24), bytes.readUInt16LE(at + 28)];
    const name = bytes.subarray(at + 46, at + 46 + nameSize).toString();
    const header = bytes.readUInt32LE(at + 42);
    const start = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28);
    const content = bytes.subarray(start, start + size);
    if (crc32(content) !== crc) throw new Error(`${name}: wrong CRC`);
    out.set(name, content);
    at += 46 + nameSize + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return out;
}
