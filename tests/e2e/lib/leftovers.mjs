// What a test file starts must not outlive it, nor keep it from ending: a test that fails while it has a box, a browser or
// a server of its own leaves that running. Whoever starts something announces it here; what is still there when the
// file's tests and its own after() hooks are over is ended.
import { after } from 'node:test';

const MINUTE_MS = 60000;
/* Longer than any file takes; a wait without end ends then. */
const FILE_MS = (process.env.AIBOX_LONG ? 110 : 12) * MINUTE_MS;

const running = new Map();

/**
 * Announces something that runs: `end` ends it, at once where it can (it is also called when the process exits, which waits
 * for nothing). Call the result when it has ended in an orderly way.
 */
export function announce(name, end) {
  const key = Symbol(name);
  running.set(key, { name, end });
  return () => running.delete(key);
}

/** Announces a child process, which is left alone once it has ended by itself. Returns it. */
export function announceChild(child) {
  if (child.pid === undefined) return child; // it could not be started
  child.once('exit', announce(`${child.spawnfile} (process ${child.pid})`, () => child.kill('SIGKILL')));
  return child;
}

async function endAll() {
  const left = [...running.values()];
  running.clear();
  for (const { name, end } of left) {
    console.error(`still running after the tests: ${name}`);
    try {
      await end();
    } catch (error) {
      console.error(error);
    }
  }
}

/* Gives up `ms` from now, unless nothing keeps the process until then. */
function exitAfter(ms, why) {
  setTimeout(() => {
    console.error(`${why}: ${process.getActiveResourcesInfo().join(', ')}`);
    process.exit(1);
  }, ms).unref();
}

process.on('exit', () => running.forEach(({ end }) => end()));

if (process.argv[1]?.endsWith('.test.mjs')) {
  exitAfter(FILE_MS, 'the tests did not end');
  // Hooks run in the order in which they were given. The file's own come after this one; if one of them throws, the last is left out.
  after(() => exitAfter(MINUTE_MS, 'something keeps the test file from ending'));
  setImmediate(() =>
    after(async () => {
      await endAll();
      exitAfter(MINUTE_MS / 4, 'something keeps the test file from ending');
    }),
  );
}
