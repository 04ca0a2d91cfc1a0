// Waiting for something that comes about by itself.
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = process.env.AIBOX_LONG ? 3600000 : 120000;

/** Asks `check` again and again until it gives something true, which is the result; fails after `ms`. */
export async function until(check, what = 'what was expected', { ms = PATIENCE_MS, pause_ms = 20 } = {}) {
  const late = Date.now() + ms;
  for (;;) {
    const result = await check();
    if (result) return result;
    if (Date.now() > late) throw new Error(`waited ${ms} ms for ${what}`);
    await sleep(pause_ms);
  }
}
