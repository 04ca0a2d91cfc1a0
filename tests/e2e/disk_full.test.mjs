// A full disk: the box says so, refuses what it could not keep, goes on deciding, and recovers by itself.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Box, temporaryFolder } from './lib/box.mjs';
import { base64, people } from './lib/pictures.mjs';
import { enrolAll, Receiver, show } from './lib/receiver.mjs';

const folder = temporaryFolder();
const disk = path.join(folder, 'disk');
const filler = path.join(disk, 'filler');
let mounted = false;
try {
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', disk], { stdio: 'ignore' });
  mounted = true;
} catch {
  // Only root may mount.
}

let box, folk;
before(async () => {
  if (!mounted) return;
  box = await Box.start({ data: path.join(disk, 'data') });
  folk = await people(box, 3);
  await enrolAll(box, folk.slice(0, 2));
});
after(async () => {
  await Receiver.stopAll();
  if (mounted) {
    await box.stop();
    execFileSync('umount', [disk]);
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Leaves no block free. */
function fill() {
  writeFileSync(filler, '');
  const { bavail, bsize } = statfsSync(disk);
  let size = bavail * bsize;
  for (let step = size; step >= bsize; ) {
    try {
      writeFileSync(filler, Buffer.alloc(step, 1), { flag: 'a' });
    } catch {
      step = Math.floor(step / 2);
    }
    const left = statfsSync(disk).bavail * bsize;
    if (left === 0) return;
    step = Math.min(step, left);
  }
}

test('a full disk', { skip: mounted ? false : 'no file system can be mounted here', timeout: 120000 }, async () => {
  const history = await Receiver.start();
  const monitor = await Receiver.start();
  await box.post('/SophonFogSys/api/HistoryEventUrl', {
    history_upload_event_url: [history.url], 'content-type': 'json', reported_peroid: 1,
  });
  await box.post('/SophonFogSys/api/MonitorServerUrl', { monitor_server_url: monitor.url, reported_peroid: 1 });
  const acknowledged = [(await show(box, folk[0].other)).event_id];
  await history.until(({ requests }) => requests.length === 1);

  fill();
  const enrol = () =>
    box.post('/SophonFogSys/api/users', {
      identity_id: 'late', group_name: 'default_group', reg_photo: base64(folk[2].photo), fiqa_level: 'no', info: { name: 'late' },
    });
  let refused;
  for (let i = 0; i < 50 && (refused = await enrol()).status === 200; i++) // the last free pages may still take some
    await box.delete('/SophonFogSys/api/users', { identity_id: 'late' });
  assert.equal(refused.status, 500, refused.body);
  assert.equal(refused.json.error.code, 50072);
  assert.match(refused.json.error.message, /space/);
  const ready = await box.get('/readyz');
  assert.equal(ready.status, 503);
  assert.match(ready.json.error.message, /space/);

  for (let i = 0; i < 10; i++) {
    const decision = await show(box, folk[i % 2].other);
    assert.equal(decision.retcode, '1');
    assert.equal(decision.identity_id, `p${i % 2}`);
    if (decision.event_id !== '') acknowledged.push(decision.event_id);
  }
  assert.match((await box.get('/metrics')).body.toString(), /aibox_events_unstored_total [1-9]/);
  assert.equal((await show(box, folk[2].photo)).retcode, '0');
  await monitor.until(({ requests }) => requests.at(-1).json.gateway_ext_data.status === '-1');
  const { gateway_ext_data: ext } = monitor.requests.at(-1).json;
  assert.match(ext.status_desc, /space/);
  assert.ok(ext.disk_use > 0.99);

  truncateSync(filler);
  for (let i = 0; (await box.get('/readyz')).status !== 200; i++) {
    assert.ok(i < 100, 'it is ready again');
    await sleep(100);
  }
  assert.equal((await enrol()).status, 200);
  acknowledged.push((await show(box, folk[0].other)).event_id);
  assert.ok(!acknowledged.includes(''));
  await monitor.until(({ requests }) => requests.at(-1).json.gateway_ext_data.status === '0');
  await history.until(() => acknowledged.every((id) => history.eventIds().includes(id)));
  const ids = history.eventIds();
  assert.deepEqual([...new Set(ids)], acknowledged);
  const said = box.stderr.split('\n').filter((line) => line.includes('changes can'));
  assert.equal(said.length, 2, said.join('\n'));
});
