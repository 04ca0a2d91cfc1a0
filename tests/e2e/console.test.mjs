// The web console: how its files are served, and what a visitor sees in a browser.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

import { Box, samples } from './lib/box.mjs';
import { Browser, chromiumProgram, findings, settled, visit } from './lib/browser.mjs';
import { Receiver } from './lib/receiver.mjs';

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

for (const [name, look] of Object.entries({
  'English, light': { locale: 'en-GB', examined: places },
  'Chinese, dark': { locale: 'zh-CN', dark: true, examined: ['/', '/people'] },
  'a phone': { locale: 'en-GB', phone: true, examined: ['/devices'] },
}))
  test(`every page loads without a fault: ${name}`, { skip }, async () => {
    const { page, context, faults } = await browser.open(box.url, look);
    for (const place of places) {
      await visit(page, box.url, place);
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
  await visit(page, box.url, '/groups');
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

test('photos are taken away one by one, and one stands for the person', { skip }, async () => {
  const feature = (shift) => Array.from({ length: 512 }, (_, i) => Math.cos(i + shift));
  const enrol = { identity_id: 'two faces', group_name: '', reg_photo: '', import_mode: true, ignore_exist: true, info: { name: 'Two Faces' } };
  for (const shift of [0, 1]) assert.equal((await box.post('/SophonFogSys/api/users', { ...enrol, feature: feature(shift) })).status, 200);
  const path = '/api/people/two%20faces/photos';
  const photos = async () => (await box.get(path)).json.data.photos.map(({ face_id }) => face_id);
  const [first, second] = await photos();
  const { page, context, faults } = await browser.open(box.url);
  await visit(page, box.url, '/people');
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
  await page.getByText('Delete this photo at once?').waitFor({ state: 'hidden' });
  await settled(page); // the question has gone, and its button with it
  await form.getByRole('button', { name: 'Delete enrolled photo 1' }).click();
  await page.getByText(/This is the only photo/).waitFor();
  await settled(page);
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await form.getByText(/never recognised/).waitFor();
  assert.deepEqual(await photos(), []);
  await box.delete('/SophonFogSys/api/users', { identity_id: 'two faces' });
  assert.deepEqual(faults, []);
  await context.close();
});

test('a photo that is not good enough is refused in plain words', { skip }, async () => {
  const { page, context } = await browser.open(box.url);
  await visit(page, box.url, '/people?add=1');
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

test('the log: filtered by part, level and text', { skip }, async () => {
  assert.equal((await box.post('/api/keys', { name: 'for the log', role: 'viewer' })).status, 200);
  assert.equal((await box.delete('/api/keys', { name: 'for the log' })).status, 200);
  const { page, context, faults } = await browser.open(box.url);
  await visit(page, box.url, '/settings?tab=logs');
  await page.getByRole('cell', { name: /key made name=for the log/ }).first().waitFor();
  await page.getByRole('searchbox', { name: 'With the text' }).fill('GALLERY loaded');
  await page.getByRole('cell', { name: /gallery loaded people=/ }).waitFor();
  await page.getByRole('cell', { name: /key made/ }).first().waitFor({ state: 'detached' });
  const file = new URL(await page.getByRole('link', { name: 'Download' }).getAttribute('href'), box.url);
  assert.equal(file.searchParams.get('text'), 'GALLERY loaded');
  assert.match((await box.get(file.pathname + file.search)).body.toString(), /^\S+Z info flow gallery loaded [^\n]*\n$/);
  await page.getByRole('searchbox', { name: 'With the text' }).fill('nothing of that kind');
  await page.getByText('No such line').waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test('a receiver of reports is tried by a button', { skip }, async () => {
  const receiver = await Receiver.start({ answer: () => ({ body: 'well received' }) });
  const set = (urls) => box.post('/SophonFogSys/api/HistoryEventUrl', { history_upload_event_url: urls, 'content-type': 'json' });
  await set([receiver.url]);
  const { page, context, faults } = await browser.open(box.url);
  await visit(page, box.url, '/settings?tab=reports');
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
