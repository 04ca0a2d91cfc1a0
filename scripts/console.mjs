// Builds the web console and packs it for the program to carry:
//
//   node scripts/console.mjs           builds when a source has changed since the last time
//   node scripts/console.mjs --check   types and style of the sources, nothing built
//   node scripts/console.mjs --force   builds in any case
//
// build/console/dist holds what Vite makes of console/, build/console/packed the same files compressed, and
// build/console/site_table.c names them: the table of src/api/site.h. Packages are installed as console/package-lock.json
// says, and nothing of them is run but the tools themselves.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const sources = path.join(root, 'console');
const out = path.join(root, 'build', 'console');
const dist = path.join(out, 'dist');
const packed = path.join(out, 'packed');
const table = path.join(out, 'site_table.c');
const stamp = path.join(out, 'sources.sha256');
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};
const compressible = new Set(['.js', '.css', '.json', '.svg']);

function fail(message) {
  console.error(`console: ${message}`);
  process.exit(1);
}

function filesBelow(folder, prefix = '') {
  return readdirSync(path.join(folder, prefix), { withFileTypes: true })
    .filter((entry) => entry.name !== 'node_modules')
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(folder, path.posix.join(prefix, entry.name)) : [path.posix.join(prefix, entry.name)]))
    .sort();
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** One hash for all that the result depends on. */
function hashOfSources() {
  const hash = createHash('sha256').update(root); // the table names its files by their full paths
  for (const name of filesBelow(sources)) hash.update(`${name} ${sha256(readFileSync(path.join(sources, name)))}\n`);
  return hash.update(readFileSync(fileURLToPath(import.meta.url))).digest('hex');
}

function run(what, program, args) {
  const log = path.join(out, `${what}.log`);
  const child = spawnSync(program, args, { cwd: sources, encoding: 'utf8', maxBuffer: 64 << 20 });
  if (child.error) fail(`${program} can't be started (${child.error.code})`);
  writeFileSync(log, child.stdout + child.stderr);
  return { done: child.status === 0, log: path.relative(root, log), text: child.stdout + child.stderr };
}

/** The packages of the lock file, installed again only when it changed. */
function install() {
  const lock = sha256(readFileSync(path.join(sources, 'package-lock.json')));
  const mark = path.join(sources, 'node_modules', '.lock.sha256');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === lock) return;
  console.log('console: fetching packages');
  const npm = run('npm', 'npm', ['ci', '--prefer-offline']);
  if (!npm.done) fail(`npm could not fetch the packages of console/package-lock.json (see ${npm.log}): is there a network?`);
  writeFileSync(mark, lock);
}

const tool = (name) => path.join(sources, 'node_modules', '.bin', name);

function check() {
  let fine = true;
  for (const [what, args] of [
    ['tsc', ['--noEmit']],
    ['eslint', ['--max-warnings', '0', 'src', 'vite.config.ts']],
  ]) {
    const result = run(what, tool(what), args);
    if (!result.done) console.log(result.text.trim());
    fine = fine && result.done;
  }
  process.exit(fine ? 0 : 1);
}

/** The bytes as one symbol, by way of the assembler: a C array of this size takes seconds to compile. */
function embed(symbol, file) {
  return `__asm__(".section .rodata\\n.balign 16\\n${symbol}:\\n.incbin \\"${file}\\"\\n.byte 0\\n.previous\\n");\nextern const uint8_t ${symbol}[];\n`;
}

function pack() {
  rmSync(packed, { recursive: true, force: true });
  mkdirSync(packed, { recursive: true });
  const files = filesBelow(dist).map((name) => ({ name, route: `/${name}`, kind: path.extname(name) }));
  files.sort((a, b) => Buffer.compare(Buffer.from(a.route), Buffer.from(b.route)));
  let blobs = '';
  const rows = files.map(({ name, route, kind }, index) => {
    const plain = readFileSync(path.join(dist, name));
    if (types[kind] === undefined) fail(`${name}: no Content-Type is known for ${kind}`);
    const forms = compressible.has(kind)
      ? {
          gzip: gzipSync(plain, { level: 9 }),
          brotli: brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } }),
        }
      : { plain };
    const members = Object.entries(forms).map(([form, bytes]) => {
      const symbol = `site_${index}_${form}`;
      writeFileSync(path.join(packed, symbol), bytes);
      blobs += embed(symbol, path.join(packed, symbol));
      return `.${form} = {${symbol}, ${bytes.length}}`;
    });
    return `    {.path = "${route}", .type = "${types[kind]}", .etag = "\\"${sha256(plain).slice(0, 32)}\\"", .size = ${plain.length}, ${members.join(', ')}},`;
  });
  const text = `/* Made by scripts/console.mjs. */\n#include "api/site.h"\n\n${blobs}\nconst struct site_file site_files[] = {\n${rows.join('\n')}\n};\nconst size_t site_count = ${rows.length};\n`;
  writeFileSync(`${table}.part`, text);
  renameSync(`${table}.part`, table);
  return files.length;
}

mkdirSync(out, { recursive: true });
if (process.argv.includes('--check')) {
  install();
  check();
}
const hash = hashOfSources();
const before = existsSync(table) && existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
if (before !== hash || process.argv.includes('--force')) {
  rmSync(stamp, { force: true });
  install();
  console.log('console: building');
  const vite = run('vite', tool('vite'), ['build', '--outDir', dist, '--emptyOutDir']);
  if (!vite.done) {
    console.error(vite.text.trim());
    fail('Vite could not build it, see above');
  }
  const count = pack();
  writeFileSync(stamp, hash);
  console.log(`console: ${count} files packed`);
}
