// Events that were acknowledged to a caller arrive at the history receiver, whatever kills the box.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Box, temporaryFolder } from './lib/box.mjs';
import { people } from './lib/pictures.mjs';
import { enrolAll, Receiver, show } from './lib/receiver.mjs';

const rounds = process.env.AIBOX_LONG ? 50 : 5;
const doors = 3;

/** Shows pictures one after the other, as a device does, until the box is gone; the ids that were acknowledged. */
async function device(box, photo, acknowledged) {
  for (;;) {
    try {
      acknowledged.push((await show(box, photo)).event_id);
    } catch {
      return;
    }
  }
}

test(`kill -9 at ${rounds} random moments, while the receiver fails 30 % of the requests`, async () => {
  const data = temporaryFolder();
  const receiver = await Receiver.start({
    answer: () => (Math.random() < 0.3 ? ['hang', 'reset', 500, 503, 404, 302][Math.floor(1 + Math.random() * 5)] : 200),
  });
  const acknowledged = Array.from({ length: doors }, () => []);
  let box = await Box.start({ data });
  const folk = await people(box, doors);
  await enrolAll(box, folk);
  const set = await box.post('/SophonFogSys/api/HistoryEventUrl', {
    history_upload_event_url: [receiver.url],
    'content-type': 'json',
    reported_peroid: 1,
  });
  assert.equal(set.status, 200);
  for (let round = 0; round < rounds; round++) {
    const running = folk.map((person, i) => device(box, person.other, acknowledged[i]));
    await sleep(300 + Math.random() * 1500);
    const end = await box.kill('SIGKILL');
    assert.equal(end.signal, 'SIGKILL', box.stderr);
    await Promise.all(running);
    box = await Box.start({ data });
  }
  const wanted = acknowledged.flat();
  assert.ok(wanted.length >= rounds * doors, `${wanted.length} events`);
  await receiver.until(() => {
    const there = new Set(receiver.eventIds());
    return wanted.every((id) => there.has(id));
  }, `${wanted.length} events`, 120000);
  await box.stop();

  const first = new Map();
  for (const event of receiver.events()) {
    const id = event.ext_data.event_id;
    if (first.has(id)) assert.deepEqual(event, first.get(id), `${id} came twice with different content`);
    else first.set(id, event);
  }
  const order = [...first.keys()];
  for (const ids of acknowledged) {
    const mine = new Set(ids);
    assert.deepEqual(order.filter((id) => mine.has(id)), ids, 'the order of a device');
  }
  await receiver.stop();
  rmSync(data, { recursive: true, force: true });
});
