// The web console: how its files are served, and what a visitor sees in a browser.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

import { password, setupToken } from './lib/access.mjs';
import { Box, samples } from './lib/box.mjs';
import { Browser, chromiumProgram } from './lib/browser.mjs';
import { base64, sampleBytes } from './lib/pictures.mjs';
import { Receiver } from './lib/receiver.mjs';
import { zip } from './lib/zip.mjs';

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

/** Paths of the files that a page names. */
const filesOf = (page) => [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1]);

test('the page: a policy without inline scripts or styles, another nonce each time', async () => {
  const nonces = new Set();
  for (const target of ['/', '/pad', '/greeter']) {
    const page = await box.get(target);
    assert.equal(page.status, 200, target);
    assert.match(page.headers['content-type'], /^text\/html/);
    assert.equal(page.headers['cache-control'], 'no-store');
    const policy = page.headers['content-security-policy'];
    assert.doesNotMatch(policy, /unsafe/);
    assert.match(policy, /script-src 'self'(;|$)/);
    // Nobody may frame the pages, themselves included: both headers say so.
    assert.match(policy, /frame-ancestors 'none'(;|$)/);
    assert.equal(page.headers['x-frame-options'], 'DENY');
    const nonce = /'nonce-([0-9a-f]{32,})'/.exec(policy)[1];
    nonces.add(nonce);
    const text = page.body.toString();
    assert.ok(text.includes(`nonce="${nonce}"`));
    assert.doesNotMatch(text, /AIBOX-NONCE/);
    assert.doesNotMatch(text, /<script(?![^>]*\bsrc=)[^>]*>|<style|https?:\/\//);
  }
  assert.equal(nonces.size, 3);
});

test('files: packed as asked for, for ever good, known by their ETag', async () => {
  const paths = filesOf((await box.get('/')).body.toString());
  assert.ok(paths.some((each) => each.endsWith('.js')) && paths.some((each) => each.endsWith('.css')), paths.join());
  let first = 0;
  for (const target of paths) {
    const plain = await box.get(target);
    assert.equal(plain.status, 200, target);
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.match(plain.headers['cache-control'], /immutable/);
    const gzip = await box.request('GET', target, { headers: { 'Accept-Encoding': 'gzip' } });
    const brotli = await box.request('GET', target, { headers: { 'Accept-Encoding': 'gzip, deflate, br' } });
    assert.equal(gzip.headers['content-encoding'], 'gzip', target);
    assert.equal(brotli.headers['content-encoding'], 'br', target);
    assert.deepEqual(gunzipSync(gzip.body), plain.body);
    assert.deepEqual(brotliDecompressSync(brotli.body), plain.body);
    assert.equal(brotli.headers.vary, 'Accept-Encoding');
    first += gzip.body.length;
    const again = await box.request('GET', target, { headers: { 'If-None-Match': plain.headers.etag } });
    assert.equal(again.status, 304);
    assert.equal(again.body.length, 0);
  }
  assert.ok(first <= 1.5 * 2 ** 20, `${first} bytes on first load`);
  for (const target of ['/assets/', '/assets/nothing.js', '/assets/..%2findex.html', '/index.html'])
    assert.equal((await box.get(target)).json?.error?.code, 40400, target);
});

const places = ['/', '/welcome', '/live', '/people', '/people?add=1', '/groups', '/groups?tab=permissions', '/devices', '/devices?add=2', '/records', '/strangers', '/compare', '/settings', '/settings?tab=logs', '/settings?tab=network', '/settings?tab=reports', '/api'];

/** Goes to a place of the console and waits until it stands. */
async function visit(page, place) {
  await page.goto(`${box.url}/#${place}`);
  await page.locator('main').waitFor();
  await page.waitForFunction(() => !document.querySelector('.loading'));
  await page.waitForFunction(() => document.getAnimations().every(({ effect }) => effect.getTiming().iterations === Infinity));
}

/** Serious findings of axe-core, e.g. "color-contrast: .tag". */
async function findings(page) {
  await page.evaluate(axe); // not as a script of the page: its policy would refuse it
  // The library puts the button for tabs that find no room into the list of tabs, where axe wants nothing but tabs.
  const context = { exclude: ['.ant-tabs-nav:has(> .ant-tabs-nav-operations)'] };
  const { violations } = await page.evaluate((where) => window.axe.run(where, { resultTypes: ['violations'] }), context);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target.join(' ')} ${node.failureSummary ?? ''}`).join(' | ')}`);
}

for (const [name, look] of Object.entries({
  'English, light': { locale: 'en-GB', examined: places },
  'Chinese, dark': { locale: 'zh-CN', dark: true, examined: ['/', '/people'] },
  'a phone': { locale: 'en-GB', phone: true, examined: ['/devices'] },
}))
  test(`every page loads without a fault: ${name}`, { skip }, async () => {
    const { page, context, faults } = await browser.open(box.url, look);
    for (const place of places) {
      await visit(page, place);
      if (process.env.AIBOX_LONG || look.examined.includes(place)) assert.deepEqual(await findings(page), [], place);
      assert.equal(await page.evaluate(() => document.documentElement.lang), look.locale === 'zh-CN' ? 'zh-CN' : 'en');
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(wider <= 0, `${place} is ${wider} px wider than the window`);
      assert.deepEqual(faults, [], place);
    }
    await context.close();
  });

test('language and theme can be chosen, and stay', { skip }, async () => {
  const { page, context } = await browser.open(box.url);
  await visit(page, '/groups');
  await page.getByRole('button', { name: 'Language' }).click();
  await page.getByText('简体中文').click();
  await page.getByRole('heading', { name: '分组', level: 1 }).waitFor();
  await page.getByRole('button', { name: '外观' }).click();
  await page.getByText('深色').click();
  await page.reload();
  await page.getByRole('heading', { name: '分组', level: 1 }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await context.close();
});

test('a person is added by file, passes, and is deleted', { skip }, async () => {
  const { page, context, faults } = await browser.open(box.url);
  await visit(page, '/people?add=1');
  const form = page.getByRole('dialog');
  await form.locator('input[type=file]').setInputFiles(path.join(samples, 'sample1.jpg'));
  await form.getByText('A good photo').waitFor();
  await form.getByText(/3 faces; the largest one counts/).waitFor();
  await form.getByLabel('Name').fill('Ada Lovelace');
  await form.getByLabel('Id', { exact: true }).fill('1001');
  await form.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('cell', { name: '1001' }).waitFor();
  const stored = (await box.get('/SophonFogSys/api/users?identity_id=1001&need_reg_photo=false')).json.data.identities_list[0];
  assert.equal(stored.info.name, 'Ada Lovelace');
  assert.equal(stored.info.face_ids.length, 1);
  assert.deepEqual(stored.group_name, ['default_group']);

  // Somebody who looks the same is noticed before he is enrolled twice.
  await page.getByRole('button', { name: 'Add a person' }).click();
  await form.locator('input[type=file]').setInputFiles(path.join(samples, 'sample1.jpg'));
  await form.getByText(/Looks like Ada Lovelace, 1001/).waitFor();
  await form.getByRole('button', { name: 'Cancel' }).click();

  // The live feed and the day's figure follow without a reload.
  await visit(page, '/');
  await page.getByText('Nobody has passed yet').waitFor();
  const match = await box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(sampleBytes(1)), group_name: 'default_group' });
  assert.equal(match.json.data.identity_id, '1001');
  await page.locator('.passage').getByText('Ada Lovelace').waitFor();
  assert.equal(await page.locator('.passage').count(), 1);
  await visit(page, '/welcome');
  await visit(page, '/');
  await page.locator('.figure').filter({ hasText: 'Passes today' }).getByText('1', { exact: true }).waitFor();

  await visit(page, '/people');
  await page.getByRole('row', { name: /Ada Lovelace/ }).getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('Nobody is enrolled yet').waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test('photos are taken away one by one, and one stands for the person', { skip }, async () => {
  const feature = (shift) => Array.from({ length: 512 }, (_, i) => Math.cos(i + shift));
  const enrol = { identity_id: 'two faces', group_name: '', reg_photo: '', import_mode: true, ignore_exist: true, info: { name: 'Two Faces' } };
  for (const shift of [0, 1]) assert.equal((await box.post('/SophonFogSys/api/users', { ...enrol, feature: feature(shift) })).status, 200);
  const path = '/api/people/two%20faces/photos';
  const photos = async () => (await box.get(path)).json.data.photos.map(({ face_id }) => face_id);
  const [first, second] = await photos();
  const { page, context, faults } = await browser.open(box.url);
  await visit(page, '/people');
  await page.getByRole('button', { name: 'Two Faces' }).last().click();
  const form = page.getByRole('dialog');
  await form.getByRole('button', { name: 'Show photo 1 for this person' }).click();
  await page.getByText('Shown for this person from now on').waitFor();
  assert.deepEqual(await photos(), [second, first]);
  await form.getByRole('button', { name: 'Delete enrolled photo 1' }).click();
  await page.getByText('Delete this photo at once?').waitFor();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await form.getByRole('button', { name: 'Delete enrolled photo 2' }).waitFor({ state: 'detached' });
  assert.deepEqual(await photos(), [first]);
  await form.getByRole('button', { name: 'Delete enrolled photo 1' }).click();
  await page.getByText(/This is the only photo/).waitFor();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await form.getByText(/never recognised/).waitFor();
  assert.deepEqual(await photos(), []);
  await box.delete('/SophonFogSys/api/users', { identity_id: 'two faces' });
  assert.deepEqual(faults, []);
  await context.close();
});

test('a photo that is not good enough is refused in plain words', { skip }, async () => {
  const { page, context } = await browser.open(box.url);
  await visit(page, '/people?add=1');
  const form = page.getByRole('dialog');
  await form.locator('input[type=file]').setInputFiles(path.join(samples, 'sample2.jpg'));
  await form.getByText('Not good enough').waitFor();
  await form.getByText(/hard to tell apart/).waitFor();
  await form.getByLabel('Name').fill('Bad Photo');
  await form.getByRole('button', { name: 'Save' }).click();
  await form.getByRole('alert').getByText(/feature/).waitFor(); // in the box's own words
  assert.equal((await box.get('/api/people')).json.data.pagination.total_count, 0);
  await context.close();
});

test('an import shows what became of each file, also after a reload', { skip }, async () => {
  const { page, context, faults } = await browser.open(box.url);
  await visit(page, '/people');
  const archive = zip({ 'Ann-1.jpg': sampleBytes(3), 'Broken-2.jpg': 'no picture' });
  await page.getByRole('button', { name: /Import$/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Import people' });
  await dialog.locator('input[type=file]').setInputFiles({ name: 'people.zip', mimeType: 'application/zip', buffer: archive });
  await dialog.getByRole('button', { name: /Import$/ }).click();
  await page.getByText('2 files: 1 enrolled, 1 failed').waitFor();
  await page.reload();
  await page.getByRole('button', { name: 'Imports' }).click();
  await page.getByText('2 files: 1 enrolled, 1 failed').click();
  await page.getByRole('cell', { name: 'Broken-2.jpg' }).waitFor();
  await page.getByRole('button', { name: 'Try the failed ones again' }).waitFor();
  assert.equal((await box.get('/api/people?q=Ann')).json.data.people_list[0].identity_id, '1');
  await box.delete('/SophonFogSys/api/users', { identity_id: '1' });
  assert.deepEqual(faults, []);
  await context.close();
});

test('a capture camera: its account is shown once', { skip }, async () => {
  const { page, context, faults } = await browser.open(box.url);
  await visit(page, '/devices?add=1');
  const form = page.getByRole('dialog');
  await form.getByLabel('Name').fill('Lobby');
  await form.locator('#device_key').fill('192.168.77.1');
  await form.getByRole('button', { name: 'Save' }).click();
  const account = page.getByRole('dialog', { name: 'Type this into the camera' });
  await account.getByText('FTP server').waitFor();
  const [device] = (await box.get('/SophonDevice/api/Devices')).json.data.devices_list;
  assert.equal(device.device_name, 'Lobby');
  await account.getByRole('button', { name: 'Noted' }).click();
  await page.getByRole('heading', { name: 'Lobby' }).waitFor();
  assert.deepEqual(faults, []);
  await box.delete('/SophonDevice/api/Devices', { clear_all: true });
  await context.close();
});

test('a receiver of reports is tried by a button', { skip }, async () => {
  const receiver = await Receiver.start({ answer: () => ({ body: 'well received' }) });
  const set = (urls) => box.post('/SophonFogSys/api/HistoryEventUrl', { history_upload_event_url: urls, 'content-type': 'json' });
  await set([receiver.url]);
  const { page, context, faults } = await browser.open(box.url);
  await visit(page, '/settings?tab=reports');
  await page.getByRole('button', { name: `Send a test message to ${receiver.url}` }).click();
  await page.getByText(/Taken: HTTP 200 after/).waitFor();
  await page.getByText('It answered:').click();
  await page.getByText('well received').waitFor();
  receiver.answer = () => 503;
  await page.getByRole('button', { name: `Send a test message to ${receiver.url}` }).click();
  await page.getByText(/answered with HTTP status 503, after/).waitFor();
  assert.equal(receiver.all.length, 2);
  await set([]);
  await receiver.stop();
  assert.deepEqual(faults, []);
  await context.close();
});

test('set-up by the link, log-out, log-in', { skip }, async () => {
  const closed = await Box.start({ settings: { 'access.mode': 'closed' } });
  try {
    const { page, context } = await browser.open(closed.url);
    await page.goto(`${closed.url}/`);
    await page.getByText(/printed a set-up link/).waitFor();
    await page.goto(`${closed.url}/#/setup?token=${setupToken(closed)}`);
    await page.reload();
    await page.getByLabel('Password', { exact: true }).fill('short');
    await page.getByLabel('The same again').fill('short');
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.locator('.ant-form-item-explain-error').first().waitFor();
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByLabel('The same again').fill(password);
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.getByRole('heading', { name: 'First steps' }).waitFor();
    assert.doesNotMatch(page.url(), /token/);
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByText('Log out').click();
    await page.getByRole('heading', { name: /Log in$/ }).waitFor();
    await page.getByLabel('Name').fill('admin');
    await page.getByLabel('Password').fill('not the password');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('navigation').waitFor();
    await context.close();
  } finally {
    await closed.stop();
  }
});
