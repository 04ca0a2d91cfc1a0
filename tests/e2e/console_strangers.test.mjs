// The memory for strangers in a real browser: switched on and off with a question, seen in records, listed, enrolled, forgotten.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Box } from './lib/box.mjs';
import { Browser, chromiumProgram } from './lib/browser.mjs';
import { base64, people } from './lib/pictures.mjs';

const skip = chromiumProgram ? false : 'chromium is not installed';
let box, browser, visitor, folk;

const set = async (values) => assert.equal((await box.put('/api/settings', values)).status, 200);
const pass = (photo) => box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(photo), device_ip: '192.0.2.1' });
const strangers = async () => (await box.get('/api/strangers')).json.data;
const show = (place) => visitor.page.goto(`${box.url}/#${place}`);

before(async () => {
  if (skip) return;
  box = await Box.start();
  folk = await people(box, 2);
  const devices_list = [{ device_id: 'pad', device_name: 'Main gate', device_key: '192.0.2.1', ep_type: '0', fiqa_level: 'no' }];
  assert.equal((await box.post('/SophonDevice/api/Devices', { devices_list })).status, 200);
  await set({ 'recognition.stranger_absent_minutes': 0 });
  await set({ 'quality.custom.face_size': 16, 'quality.custom.pitch': 90, 'quality.custom.yaw': 90, 'quality.custom.clarity': false, 'quality.custom.brightness': false });
  browser = await Browser.start();
  visitor = await browser.open(box.url);
});
after(async () => {
  await browser?.stop();
  await box?.stop();
});

test('the memory is switched on after a question', { skip }, async () => {
  const { page } = visitor;
  await show('/strangers');
  await page.getByText('Strangers are not remembered').waitFor();
  await show('/settings');
  await page.locator('[id="setting-recognition.stranger_memory"]').click();
  await page.locator('.settings-actions').getByRole('button', { name: 'Save' }).click();
  const question = page.getByRole('dialog').filter({ hasText: 'biometric data' });
  await question.getByRole('button', { name: 'Cancel' }).click();
  await question.waitFor({ state: 'hidden' });
  assert.equal((await strangers()).enabled, false);
  await page.locator('.settings-actions').getByRole('button', { name: 'Save' }).click();
  await question.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved', { exact: true }).waitFor();
  assert.equal((await strangers()).enabled, true);
});

test('records say who was seen before, and show all of one stranger', { skip }, async () => {
  const { page } = visitor;
  await pass(folk[0].photo);
  await pass(folk[1].photo);
  const { stranger_id, event_id } = (await pass(folk[0].other)).json;
  await show('/records');
  await page.locator('.record-row').nth(2).waitFor();
  assert.equal(await page.locator('.record-row', { hasText: 'seen 2 ×' }).count(), 1);
  await show(`/records?event=${event_id}`);
  await page.getByText(`number ${stranger_id}, seen before: 2 times since`).click();
  await page.locator('.record-row').nth(2).waitFor({ state: 'detached' });
  assert.equal(await page.locator('.record-row').count(), 2);
  await page.locator('.filter-choice', { hasText: `stranger ${stranger_id}` }).waitFor();
  await show('/records?stranger=again');
  await page.locator('.record-row').nth(1).waitFor({ state: 'detached' });
  assert.equal(await page.locator('.record-row').count(), 1);
});

test('strangers are listed, forgotten, and enrolled from the picture of their event', { skip }, async () => {
  const { page, faults } = visitor;
  const [known, other] = (await strangers()).strangers_list;
  await show('/strangers');
  const row = (id) => page.locator(`tr[data-row-key="${id}"]`);
  await row(known.stranger_id).getByText('Main gate').waitFor();
  await row(other.stranger_id).getByRole('button', { name: 'Forget' }).click();
  await page.locator('.ant-popover').getByRole('button', { name: 'Forget' }).click();
  await row(other.stranger_id).waitFor({ state: 'detached' });
  assert.deepEqual((await strangers()).strangers_list.map(({ stranger_id }) => stranger_id), [known.stranger_id]);

  await row(known.stranger_id).getByText('Enrol').click();
  const form = page.locator('.ant-drawer');
  await form.locator('.new-photo img').first().waitFor();
  await form.getByLabel('Name').fill('Nora');
  await form.getByText('More', { exact: true }).click();
  await form.getByText('Lax').click();
  await form.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Was here 2 times as a stranger').waitFor();
  assert.equal((await strangers()).pagination.total_count, 0);
  assert.equal((await pass(folk[0].photo)).json.name, 'Nora');
  assert.deepEqual(faults, []);
});

test('switched off, all are forgotten, after a question', { skip }, async () => {
  const { page } = visitor;
  await pass(folk[1].photo);
  assert.equal((await strangers()).pagination.total_count, 1);
  await show('/settings');
  await page.locator('[id="setting-recognition.stranger_memory"][aria-checked="true"]').click();
  await page.locator('.settings-actions').getByRole('button', { name: 'Save' }).click();
  await page.getByRole('dialog').filter({ hasText: 'All remembered strangers are forgotten' }).getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved', { exact: true }).first().waitFor();
  assert.deepEqual({ ...(await strangers()), threshold: 0 }, { ...(await strangers()), threshold: 0, enabled: false, strangers_list: [] });
});
