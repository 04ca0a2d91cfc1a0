// The full-screen pages in a real browser: a tablet with a camera becomes a terminal, the greeter welcomes who passes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { password, setUp } from './lib/access.mjs';
import { Box } from './lib/box.mjs';
import { Browser, chromiumProgram, webcamOf } from './lib/browser.mjs';
import { base64, people } from './lib/pictures.mjs';

const missing = !chromiumProgram ? 'chromium is not installed' : spawnSync('ffmpeg', ['-version']).error ? 'ffmpeg is not installed' : false;
let box, admin, browser;

before(async () => {
  if (missing) return;
  const open = await Box.start();
  const [person] = await people(open, 1);
  await open.stop();
  box = await Box.start({ settings: { 'access.mode': 'closed' } });
  admin = await setUp(box);
  const enrolled = await admin.post('/SophonFogSys/api/users', {
    identity_id: '10086',
    group_name: 'default_group',
    reg_photo: base64(person.photo),
    fiqa_level: 'no',
    info: { name: 'Ada', type: 5, welcome: 'Good to see you' },
  });
  assert.equal(enrolled.status, 200, enrolled.body);
  const made = await admin.post('/SophonDevice/api/Devices', {
    devices_list: [{ device_id: 'gate', device_name: 'Main gate', device_key: '10.9.9.1', ep_type: '0', dedup_seconds: 0 }],
  });
  assert.equal(made.status, 200, made.body);
  assert.equal((await admin.post('/api/accounts', { name: 'tv', role: 'viewer', password })).status, 200);

  // What the camera sees: the other photo of the same person.
  browser = await Browser.start([webcamOf(person.other, path.join(box.data, 'camera.y4m'))]);
});
after(async () => {
  await browser?.stop();
  await box?.stop();
});

test('a tablet is paired by a code, and lets the person in front of it pass', { skip: missing }, async () => {
  const { page, context, faults } = await browser.open(box.url);
  await page.goto(`${box.url}/pad`);
  await page.getByLabel('Code of eight digits').fill('0000 0000');
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByText(/no such code/).waitFor();
  faults.length = 0; // the browser notes the refusal

  const { code } = (await admin.post('/api/devices/gate/pad_code', {})).json.data;
  await page.getByLabel('Code of eight digits').fill(`${code.slice(0, 4)} ${code.slice(4)}`);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByText('Main gate').waitFor();
  await page.getByText('Welcome, Ada').waitFor();
  assert.deepEqual(faults, []);
  const events = (await admin.get('/SophonFace/api/events')).json.data;
  assert.ok(events.length > 0);
  assert.deepEqual([events[0].identity_id, events[0].ext_data.device_ip], ['10086', '10.9.9.1']);

  await page.reload(); // it stays the terminal
  await page.getByText('Welcome, Ada').waitFor();
  assert.equal((await admin.delete('/api/devices/gate/terminals', {})).status, 200);
  await page.getByText(/pair it again/).waitFor();
  await context.close();
});

test('the greeter welcomes who passes, from the stream', { skip: missing }, async () => {
  const { page, context, faults } = await browser.open(box.url, { locale: 'zh-CN' });
  await page.goto(`${box.url}/greeter?columns=2&dwell=60&skin=night`);
  await page.locator('input[autocomplete="username"]').fill('tv');
  await page.locator('input[type="password"]').fill(password);
  await page.keyboard.press('Enter');
  await page.getByText('欢迎光临').first().waitFor();
  faults.length = 0; // the log-in page asked who is there
  const face = (await admin.get('/SophonFace/api/events?identity_id=10086')).json.data[0]._id;
  const picture = await admin.get(`/SophonFace/api/event_images/${face}?kind=spot`);
  const passed = await admin.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(picture.body), device_ip: '10.9.9.1' });
  assert.equal(passed.json.reason, 'passed', passed.body);
  await page.getByText('欢迎，Ada').waitFor();
  await page.getByText('Good to see you').waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});
