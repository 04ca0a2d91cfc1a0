// Video cameras in the console, in a real browser: a camera is tried, its region drawn and obeyed, its relay pulsed; live
// pictures with boxes and names, paused, and many at a time.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { Box, temporaryFolder } from './lib/box.mjs';
import { Browser, chromiumProgram } from './lib/browser.mjs';
import { makeFilm, missingPrograms } from './lib/camera_kit_rtsp.mjs';
import { RawRtspServer, nalsOf } from './lib/camera_raw.mjs';
import { base64, people } from './lib/pictures.mjs';
import { modbusRelay } from './lib/relays.mjs';
import { until } from './lib/until.mjs';

const DEVICES = '/SophonDevice/api/Devices';
const missing = !chromiumProgram ? 'chromium is not installed' : missingPrograms();
const shots = process.env.AIBOX_SHOTS; // a folder for pictures of the pages, to look at
let box, browser, camera, folder, relay;

/** Ada on the left and Bob on the right, for ever. */
before(async () => {
  if (missing) return;
  folder = temporaryFolder();
  box = await Box.start();
  const folk = await people(box, 2);
  for (const [i, name] of ['Ada', 'Bob'].entries()) {
    const body = { identity_id: name.toLowerCase(), group_name: 'default_group', reg_photo: base64(folk[i].photo), fiqa_level: 'no', info: { name } };
    assert.equal((await box.post('/SophonFogSys/api/users', body)).status, 200);
  }
  const stand = (i, x) => ({ photo: folk[i].other, from: 0, to: 4, at: [x, 0.5, x + 0.02, 0.5], height: 220 });
  camera = await RawRtspServer.start({ nals: nalsOf(makeFilm(path.join(folder, 'film.ts'), { seconds: 4, actors: [stand(0, 0.25), stand(1, 0.72)] })) });
  relay = await modbusRelay();
  browser = await Browser.start();
});
after(async () => {
  if (missing) return;
  await browser?.stop();
  await camera?.stop();
  relay?.close();
  await box?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const look = (page, name) => shots && page.screenshot({ path: path.join(shots, `${name}.png`) });
const shown = async (device_id) => (await box.get(`${DEVICES}?device_id=${device_id}`)).json.data.devices_list[0];
const eventsOf = async (ep_id) => (await box.get('/SophonFace/api/events?per_page=100')).json.data.filter((event) => event.ext_data.ep_id === ep_id);
const addCameras = async (...ids) => {
  const devices_list = ids.map((device_id) => ({ device_id, device_name: device_id, device_key: camera.url(device_id), ep_type: '3' }));
  const answer = await box.post(DEVICES, { devices_list });
  assert.equal(answer.status, 200, answer.body);
};

test('a camera is tried, its region drawn, its relay pulsed; who is outside of the region is nobody', { skip: missing, timeout: 120000 }, async () => {
  const { page, context, faults } = await browser.open(box.url);
  await page.goto(`${box.url}/#/devices?add=3`);
  const form = page.getByRole('dialog');
  await form.getByLabel('Name').fill('Yard');
  await form.locator('#device_key').fill('rtsp://127.0.0.1:1/ch1');
  await form.locator('button', { hasText: /^Test$/ }).click();
  await form.getByText(/refused/).waitFor();
  await look(page, 'devices-refused');
  faults.length = 0; // the browser notes the refusal
  await form.locator('#device_key').fill(camera.url());
  await form.locator('button', { hasText: /^Test$/ }).click();
  await form.getByAltText('A picture of the camera').waitFor();
  await form.getByText('refused').waitFor({ state: 'detached' });
  await look(page, 'devices-tested');

  // The right half, drawn with the mouse.
  await form.getByText('Region', { exact: true }).click();
  await form.getByRole('button', { name: 'Draw a region' }).click();
  const region = form.locator('.rectangle');
  await region.waitFor();
  await form.locator('.rectangle-editor').scrollIntoViewIfNeeded();
  const frame = await form.locator('.rectangle-editor').boundingBox();
  const drag = async (name, x, y) => {
    const grip = await form.locator(`.rectangle-handle-${name}`).boundingBox();
    await page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2);
    await page.mouse.down();
    await page.mouse.move(frame.x + frame.width * x, frame.y + frame.height * y, { steps: 8 });
    await page.mouse.up();
  };
  await drag('w', 0.5, 0.5);
  await drag('se', 1.5, 0.95); // beyond the picture: its edge
  await look(page, 'devices-region');

  await form.getByText('Door relay', { exact: true }).click();
  await form.locator('[id="netRelay_ip"]').fill(relay.host);
  await form.locator('[id="netRelay_relay_type"]').click();
  await page.getByTitle('modbus', { exact: true }).click();
  await form.locator('[id="netRelay_net_port"]').fill(String(relay.port));
  await form.getByRole('button', { name: 'Test pulse, 1 s' }).click();
  await until(() => relay.log.length >= 2);
  assert.deepEqual(relay.log.slice(0, 2).map(({ first, on }) => [first, on]), [[0, [true]], [0, [false]]]);
  await look(page, 'devices-relay');

  await form.getByRole('button', { name: 'Save' }).click();
  await form.waitFor({ state: 'hidden' });
  const [yard] = (await box.get(DEVICES)).json.data.devices_list;
  const [left, top, right, bottom] = yard.roi_area;
  assert.ok(Math.abs(left - 320) <= 8 && Math.abs(top - 96) <= 8 && right === 640 && Math.abs(bottom - 456) <= 8, `${yard.roi_area}`);
  await page.getByText('Yard').first().waitFor();
  await until(async () => (await eventsOf(yard.ep_id)).length > 0);
  await until(async () => (await shown(yard.device_id)).frames > 20);
  await look(page, 'devices-list');
  const names = (await eventsOf(yard.ep_id)).map(({ identity_id }) => identity_id);
  assert.ok(names.every((name) => name === 'bob'), `${names}`);
  const { tracks } = (await box.get(`/api/devices/${yard.device_id}/tracks`)).json.data;
  assert.ok(tracks.every(({ bbox }) => (bbox[0] + bbox[2]) / 2 >= 320), 'nobody outside is followed');

  // Opened again, the region lies on the newest picture.
  await page.goto(`${box.url}/#/devices`);
  await page.getByRole('button', { name: 'Edit Yard' }).click();
  await form.getByText('Region', { exact: true }).click();
  await region.waitFor();
  assert.equal(await region.getAttribute('aria-valuetext'), yard.roi_area.join(', '));
  await look(page, 'devices-region-again');
  assert.deepEqual(faults, []);
  await context.close();
});

test('live: boxes and names over the picture, a pause, one, four and sixteen at a time', { skip: missing, timeout: 120000 }, async () => {
  await box.delete(DEVICES, { clear_all: true });
  await addCameras('cam-a', 'cam-b');
  await until(async () => (await shown('cam-a')).connected && (await shown('cam-b')).connected);
  const { page, context, faults } = await browser.open(box.url);
  await page.goto(`${box.url}/#/live?grid=1`);
  const picture = page.getByAltText('Live picture of cam-a');
  await picture.waitFor();
  const name = (text) => page.locator('.live-boxes text').filter({ hasText: text });
  await name('Ada').waitFor();
  await name('Bob').waitFor();
  // The box is where the face is, in the picture as it is shown.
  await until(async () => {
    const shape = await picture.boundingBox(), ada = await page.locator('.live-known', { hasText: 'Ada' }).locator('rect').boundingBox();
    if (!shape || !ada) return false;
    const middle = [(ada.x + ada.width / 2 - shape.x) / shape.width, (ada.y + ada.height / 2 - shape.y) / shape.height];
    return Math.abs(middle[0] - 0.27) < 0.08 && Math.abs(middle[1] - 0.53) < 0.1;
  }, "Ada's box around her face");
  assert.equal(await page.locator('.live-camera').count(), 1);
  await look(page, 'live-1');

  // Moving pictures, until paused.
  assert.match(await picture.getAttribute('src'), /\/live\b/);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.locator('.live-boxes').waitFor({ state: 'detached' });
  assert.match(await picture.getAttribute('src'), /\/frame\b/);
  await look(page, 'live-paused');
  await page.getByRole('button', { name: 'Go on' }).click();
  await name('Bob').waitFor();

  await page.getByText('4', { exact: true }).click();
  await page.getByAltText('Live picture of cam-b').waitFor();
  assert.equal(await page.locator('.live-camera').count(), 2);
  await page.locator('.live-camera', { hasText: 'cam-b' }).locator('.live-boxes text', { hasText: 'Ada' }).waitFor();
  await look(page, 'live-4');

  await addCameras('cam-c', 'cam-d', 'cam-e', 'cam-f');
  await page.goto(`${box.url}/#/live?grid=16`);
  await page.reload();
  const loaded = () => page.locator('.live-picture img').evaluateAll((all) => all.filter((image) => image.complete && image.naturalWidth > 0).length);
  await until(async () => (await loaded()) >= 5);
  await look(page, 'live-16');
  assert.deepEqual(faults.filter((text) => !/404/.test(text)), []);

  // A camera that goes: said, with a way to try again.
  await page.goto(`${box.url}/#/live?grid=1`);
  await picture.waitFor();
  await box.delete(DEVICES, { devices_list: [{ device_id: 'cam-a' }] });
  await page.getByText('No picture comes from this camera').waitFor();
  await look(page, 'live-gone');
  await context.close();
});
