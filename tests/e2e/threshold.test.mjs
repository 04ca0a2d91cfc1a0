// The threshold: what it promises, and what another target would give before it is set; over the wire and in the console.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { Box } from './lib/box.mjs';
import { Browser, chromiumProgram } from './lib/browser.mjs';

const require = createRequire(new URL('../package.json', import.meta.url));
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const skip = chromiumProgram ? false : 'no Chromium is installed';

let box, browser;
before(async () => {
  box = await Box.start();
  if (chromiumProgram) browser = await Browser.start();
});
after(async () => {
  await browser?.stop();
  await box.stop();
});

const target = '/api/recognition/threshold';
const read = async (query = '') => {
  const { status, json } = await box.get(`${target}${query}`);
  assert.equal(status, 200, JSON.stringify(json));
  return json.data;
};
const settings = async () => (await box.get('/api/settings')).json.data;

test('a preview tells what another target, limit or threshold would give, and changes nothing', async () => {
  const now = await read();
  assert.equal(now.automatic, true);
  assert.equal(now.false_accept_target, 0.01);
  const strict = await read('?false_accept_target=0.0001&max_auto_threshold=1');
  const lax = await read('?false_accept_target=0.2');
  assert.ok(strict.threshold > now.threshold && now.threshold > lax.threshold, `${strict.threshold} ${now.threshold} ${lax.threshold}`);
  assert.equal(strict.false_accept_target, 0.0001);
  assert.ok(strict.expected_false_accept <= now.expected_false_accept && strict.expected_false_reject > now.expected_false_reject);
  const held = await read('?false_accept_target=0.0001&max_auto_threshold=0.4');
  assert.deepEqual([held.limited, Math.abs(held.threshold - 0.4) < 1e-6], [true, true]);
  const given = await read('?threshold=0.62');
  assert.deepEqual([given.automatic, given.source, Math.abs(given.threshold - 0.62) < 1e-6], [false, 'setting', true]);
  assert.equal((await read()).threshold, now.threshold);
  assert.equal((await settings())['recognition.false_accept_target'].source, 'default');
  // What was foretold comes true.
  assert.equal((await box.put('/api/settings', { 'recognition.false_accept_target': 0.0001, 'recognition.max_auto_threshold': 1 })).status, 200);
  const { threshold, expected_false_accept, expected_false_reject } = await read();
  assert.deepEqual([threshold, expected_false_accept, expected_false_reject], [strict.threshold, strict.expected_false_accept, strict.expected_false_reject]);
  await box.put('/api/settings', { 'recognition.false_accept_target': 0.01, 'recognition.max_auto_threshold': 'auto' });
});

test('a preview of a hand-set threshold looks at what auto would give', async () => {
  await box.put('/api/settings', { 'recognition.threshold': 0.7 });
  assert.equal((await read()).source, 'setting');
  const auto = await read('?false_accept_target=0.01');
  assert.deepEqual([auto.automatic, auto.source], [true, 'model_set']);
  await box.put('/api/settings', { 'recognition.threshold': 'auto' });
});

test('what a preview does not take is named', async () => {
  for (const [query, message] of [
    ['?false_accept_target=0', /^false_accept_target/],
    ['?false_accept_target=0.6', /^false_accept_target/],
    ['?threshold=1.5', /^threshold/],
    ['?threshold=0.5&false_accept_target=0.1', /^threshold: either/],
    ['?max_auto_threshold=2', /^max_auto_threshold/],
  ]) {
    const { status, json } = await box.get(`${target}${query}`);
    assert.deepEqual([status, json.error.code], [400, 40091], query);
    assert.match(json.error.message, message);
  }
});

test('the scores of the model set are shares, strangers’ to the left', async () => {
  const { from, to, different, same } = (await read()).model_set_scores;
  assert.deepEqual([from, to, different.length, same.length], [-1, 1, 200, 200]);
  const mean = (shares) => shares.reduce((sum, share, index) => sum + share * (from + ((index + 0.5) * (to - from)) / shares.length), 0);
  for (const shares of [different, same]) {
    assert.ok(shares.every((share) => share >= 0));
    assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-6);
  }
  assert.ok(mean(different) < 0.2 && mean(same) > 0.5, `${mean(different)} ${mean(same)}`);
});

test('the console draws the threshold and foretells another one before it is saved', { skip }, async () => {
  const { page, context, faults } = await browser.open(box.url);
  await page.goto(`${box.url}/#/settings`);
  const chart = page.locator('.threshold-chart');
  await chart.waitFor();
  const now = await read();
  assert.match(await chart.textContent(), new RegExp(`threshold ${now.threshold.toFixed(3)}`));
  const words = page.locator('.threshold-card');
  assert.match(await words.textContent(), /strangers who pass, about/);
  assert.match(await words.textContent(), /looks at an enrolled person about/);
  const typed = page.locator('#setting-recognition\\.false_accept_target');
  await typed.fill('0.2');
  const foretold = (await read('?false_accept_target=0.2')).threshold.toFixed(3);
  await page.locator('.threshold-card [role=status]', { hasText: `the threshold would be ${foretold}` }).waitFor();
  assert.equal(await page.locator('.threshold-next').count(), 1);
  assert.equal((await read()).threshold, now.threshold, 'nothing is saved yet');
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run({ include: ['.threshold-card'] }, { resultTypes: ['violations'] }));
  assert.deepEqual(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id }) => id), []);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('.threshold-chart', { hasText: `threshold ${foretold}` }).waitFor();
  await page.locator('.threshold-next').waitFor({ state: 'detached' });
  assert.equal((await read()).threshold.toFixed(3), foretold);
  assert.deepEqual(faults, []);
  await context.close();
});
