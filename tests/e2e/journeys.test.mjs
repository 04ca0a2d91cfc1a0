// Ten errands of a visitor in the web console, from the set-up link to a restored backup: a real browser, a real box with
// closed access, and real cameras, relays and platforms. On the way no request leaves the box, its policy refuses
// nothing, no page fails, and axe-core finds nothing serious.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { logIn, password, setUp, setupToken } from './lib/access.mjs';
import { Box, run, samples, temporaryFolder } from './lib/box.mjs';
import { Browser, chromiumProgram, findings, settled, visit, webcamOf } from './lib/browser.mjs';
import { freePorts, ftpSettings } from './lib/camera_kit.mjs';
import { makeFilm, missingPrograms, RtspServer } from './lib/camera_kit_rtsp.mjs';
import { base64, blank, encode, people, sampleBytes } from './lib/pictures.mjs';
import { Platform } from './lib/platform.mjs';
import { haveRabbitMq, RabbitMq } from './lib/rabbitmq.mjs';
import { modbusRelay } from './lib/relays.mjs';
import { until } from './lib/until.mjs';
import { zip } from './lib/zip.mjs';

const missing = chromiumProgram ? missingPrograms() : 'chromium is not installed';
const backupPassword = 'a password for backups';
/* A box under sanitizers on a busy machine takes its time. */
const PATIENCE_MS = 60000;

let box, browser, folk, folder, admin;
before(async () => {
  if (missing) return;
  const open = await Box.start();
  folk = await people(open, 6);
  await open.stop();
  folder = temporaryFolder();
  const listen = `127.0.0.1:${await freePorts()}`; // the same one after a restore
  box = await Box.start({ listen, settings: { 'access.mode': 'closed', ...(await ftpSettings()) } });
  browser = await Browser.start([webcamOf(folk[0].photo, path.join(folder, 'webcam.y4m'))]);
});
after(async () => {
  await browser?.stop();
  await box?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** What the browser notes of an answer that is no success, which some errands are about, or of a box that is away. */
const refusal = /^error: Failed to load resource/;

/** A test with a page of its own: `steps(page)`. `stranger`: one who has not logged in; `refusals`: answers may refuse. */
function journey(name, steps, { stranger = false, refusals = false, skip = missing } = {}) {
  test(name, { skip: skip ?? false }, async () => {
    const { page, context, faults } = await browser.open(box.url);
    page.setDefaultTimeout(PATIENCE_MS);
    if (!stranger) {
      admin ??= await logIn(box, 'admin').catch(() => setUp(box));
      const [cookie, value] = admin.headers.Cookie.split('=');
      await context.addCookies([{ name: cookie, value, url: box.url }]);
    }
    try {
      await steps(page);
    } catch (error) {
      throw new Error(`${page.url()}: ${error.message}; faults: ${faults.join('; ')}`, { cause: error });
    }
    assert.deepEqual(refusals ? faults.filter((fault) => !refusal.test(fault)) : faults, []);
    await context.close();
  });
}

const go = (page, place) => visit(page, box.url, place);

/** The page as it stands now is accessible. */
async function examine(page) {
  await settled(page);
  assert.deepEqual(await findings(page), [], page.url());
}

const jpegFile = (bytes, name = 'photo.jpg') => ({ name, mimeType: 'image/jpeg', buffer: Buffer.from(bytes) });
/* The name of a button with an icon begins with the icon's. */
const button = (place, name) => place.getByRole('button', { name: new RegExp(`^([a-z-]+ )?${name.replace(/[.?]/g, '\\$&')}$`) });
const toast = (page, text) => page.locator('.ant-message').getByText(text).waitFor();

async function match(photo) {
  const answer = await admin.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(photo), group_name: 'default_group' });
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json;
}

async function takePhoto(page, place) {
  await button(place, 'Camera').click();
  const camera = page.getByRole('dialog', { name: 'Photo from this computer’s camera' });
  await page.waitForFunction(() => document.querySelector('video')?.videoWidth > 0);
  await button(camera, 'Take the photo').click();
  await camera.waitFor({ state: 'hidden' });
}

/** Compare, photo and everybody: the verdict about a photo. */
async function ask(page, photo, verdict) {
  await go(page, '/compare');
  await page.getByText('Photo and everybody').click();
  await page.locator('.compare-side input[type=file]').setInputFiles(jpegFile(photo));
  await page.locator('.compare-side').getByText(/photo/i).first().waitFor();
  await button(page.locator('.toolbar'), 'Compare').click();
  await page.getByRole('alert').getByText(verdict).waitFor();
}

journey(
  'from the set-up link to the first recognition, with this browser’s camera',
  async (page) => {
    await page.goto(`${box.url}/`);
    await page.getByText(/printed a set-up link/).waitFor();
    await page.goto(`${box.url}/#/setup?token=${setupToken(box)}`);
    await page.reload();
    await page.getByLabel('Password', { exact: true }).fill('short');
    await page.getByLabel('The same again').fill('short');
    await button(page, 'Set the password').click();
    await page.locator('.ant-form-item-explain-error').first().waitFor();
    await examine(page);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByLabel('The same again').fill(password);
    await button(page, 'Set the password').click();

    await page.getByRole('heading', { name: 'First steps' }).waitFor();
    assert.doesNotMatch(page.url(), /token/);
    await page.getByLabel('Name of the box').fill('North gate');
    await button(page, 'Save and go on').click();
    await button(page, 'Use this browser’s camera').click();
    await button(page, 'Add a person').click();
    const form = page.getByRole('dialog', { name: 'New person' });
    await takePhoto(page, form);
    await form.getByText('A good photo').waitFor();
    await form.getByLabel('Name').fill('Ada Lovelace');
    await form.getByLabel('Id', { exact: true }).fill('1001');
    await button(form, 'Save').click();
    await page.getByText('1 people are enrolled').waitFor();
    await examine(page);
    await page.locator('.welcome-step').getByRole('button', { name: 'Go on' }).click();
    await takePhoto(page, page.locator('.welcome-step'));
    await button(page, 'Who is this?').click();
    await page.getByText('That is Ada Lovelace').waitFor();
    await examine(page);
    await button(page, 'To the dashboard').click();
    await page.locator('.passage').getByText('Ada Lovelace').waitFor();
    await page.getByText('North gate').first().waitFor();

    await button(page, 'Account').click();
    await page.getByText('Log out').click();
    await page.getByRole('heading', { name: /Log in$/ }).waitFor();
    await page.getByLabel('Name').fill('admin');
    await page.getByLabel('Password').fill('not the password');
    await button(page, 'Log in').click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Password').fill(password);
    await button(page, 'Log in').click();
    await page.getByRole('navigation').waitFor();
  },
  { stranger: true, refusals: true },
);

journey('a person is added by file, noticed when added twice, passes, and is deleted', async (page) => {
  await go(page, '/people?add=1');
  const form = page.getByRole('dialog', { name: 'New person' });
  await form.locator('input[type=file]').setInputFiles(path.join(samples, 'sample1.jpg'));
  await form.getByText('A good photo').waitFor();
  await form.getByText(/3 faces; the largest one counts/).waitFor();
  await form.getByLabel('Name').fill('Grace Hopper');
  await form.getByLabel('Id', { exact: true }).fill('1002');
  await button(form, 'Save').click();
  await page.getByRole('cell', { name: '1002' }).waitFor();
  await examine(page);
  const stored = (await admin.get('/SophonFogSys/api/users?identity_id=1002&need_reg_photo=false')).json.data.identities_list[0];
  assert.equal(stored.info.name, 'Grace Hopper');
  assert.equal(stored.info.face_ids.length, 1);
  assert.deepEqual(stored.group_name, ['default_group']);

  await button(page, 'Add a person').click();
  await form.locator('input[type=file]').setInputFiles(path.join(samples, 'sample1.jpg'));
  await form.getByText(/Looks like Grace Hopper, 1002/).waitFor();
  await button(form, 'Cancel').click();

  // The live feed and the day's figure follow without a reload.
  await go(page, '/');
  const passages = page.locator('.passage').filter({ hasText: 'Grace Hopper' });
  const figure = page.locator('.figure').filter({ hasText: 'Passes today' });
  const before = Number(/\d+/.exec(await figure.innerText())[0]);
  assert.equal(await passages.count(), 0);
  assert.equal((await match(sampleBytes(1))).identity_id, '1002');
  await passages.waitFor();
  assert.equal(await passages.count(), 1);
  await go(page, '/welcome');
  await go(page, '/');
  await figure.getByText(String(before + 1), { exact: true }).waitFor();

  await go(page, '/people');
  await page.getByRole('row', { name: /Grace Hopper/ }).getByRole('checkbox').check();
  await button(page, 'Delete').click();
  await button(page.getByRole('dialog'), 'Delete').click();
  await page.getByRole('row', { name: /Grace Hopper/ }).waitFor({ state: 'detached' });
});

journey('an import with three bad files, and another try', async (page) => {
  const table = ['id,name,group_name,photo', '2001,Ann,default_group,ann.jpg', '2002,Ben,night shift,ben.jpg', '2003,Cleo,,torn.jpg', '2004,Dan,,wall.jpg'];
  const archive = zip({
    'people.csv': table.join('\n'),
    'ann.jpg': folk[1].photo,
    'ben.jpg': folk[2].photo,
    'torn.jpg': 'no picture',
    'wall.jpg': encode(blank(320, 320)),
  });
  await go(page, '/people');
  await button(page, 'Import').click();
  const dialog = page.getByRole('dialog', { name: 'Import people' });
  await dialog.locator('input[type=file]').setInputFiles({ name: 'people.zip', mimeType: 'application/zip', buffer: archive });
  await dialog.getByLabel('How strictly photos are judged').click();
  await page.getByTitle('Any face').click();
  await examine(page);
  await button(dialog, 'Import').click();
  await page.getByText('4 files: 1 enrolled, 3 failed').waitFor();

  // The box keeps what became of each file.
  await page.reload();
  await button(page, 'Imports').click();
  const panel = page.getByRole('dialog', { name: 'Imports' });
  await panel.getByText('4 files: 1 enrolled, 3 failed').click();
  const outcome = (file) => panel.getByRole('row', { name: file });
  await outcome('ben.jpg').getByText(/night shift/).waitFor();
  await outcome('torn.jpg').getByText(/not a picture/).waitFor();
  await outcome('wall.jpg').getByText(/no face/).waitFor();
  await examine(page);

  assert.equal((await admin.post('/SophonFogSys/api/groups', { group_name: 'night shift', description: '' })).status, 200);
  await button(panel, 'Try the failed ones again').click();
  await panel.getByText('4 files: 2 enrolled, 2 failed').waitFor();
  await outcome('ben.jpg').waitFor({ state: 'detached' });
  await panel.getByText('All', { exact: true }).click();
  await outcome('ben.jpg').getByText('new').waitFor();
  await go(page, '/people');
  await page.locator('main').getByRole('cell', { name: '2002' }).waitFor();
  assert.equal((await match(folk[2].other)).identity_id, '', 'not of the group that was asked about');
  assert.equal((await match(folk[1].other)).identity_id, '2001');
});

journey('an FTP camera: what the page shows is what its owner types into it', async (page) => {
  await go(page, '/devices?add=1');
  const form = page.getByRole('dialog', { name: 'New device' });
  await form.getByLabel('Name').fill('Lobby');
  await form.locator('#device_key').fill('192.168.77.1');
  await examine(page);
  await button(form, 'Save').click();
  const account = page.getByRole('dialog', { name: 'Type this into the camera' });
  const shown = async (label) => (await account.getByRole('row', { name: label }).locator('td').innerText()).trim();
  const [host, port, user, secret, directory] = [await shown('FTP server'), await shown('Port'), await shown('User'), await shown('Password'), await shown('Folder')];
  await examine(page);
  await button(account, 'Noted').click();
  await page.getByRole('heading', { name: 'Lobby' }).waitFor();

  const target = `ftp://${host}:${port}${path.posix.join('/', directory, 'shot.jpg')}`;
  const picture = path.join(folder, 'shot.jpg');
  writeFileSync(picture, folk[1].other);
  await until(async () => (await run('curl', ['-sS', '-T', picture, '--user', `${user}:${secret}`, '--ftp-create-dirs', target])).code === 0, `an upload to ${target}`);
  await go(page, '/records');
  const row = page.getByRole('button', { name: 'Show the record' }).filter({ hasText: 'Lobby' });
  await until(async () => {
    await page.reload();
    await settled(page);
    return (await row.count()) === 1;
  }, 'the record of the upload');
  await row.click();
  await page.locator('.record').getByText('Lobby').waitFor();
  await examine(page);
});

journey('a video camera, with a picture of it before it is saved', async (page) => {
  const film = makeFilm(path.join(folder, 'hall.ts'), { seconds: 4, actors: [{ photo: folk[1].photo, from: 0, to: 4, at: [0.4, 0.5, 0.6, 0.5], height: 300 }] });
  const cameras = await RtspServer.start({ '/hall': { file: film } });
  await go(page, '/devices?add=2');
  const form = page.getByRole('dialog', { name: 'New device' });
  await form.getByLabel('Name').fill('Hall');
  await form.locator('#device_key').fill(cameras.url('/nothing'));
  await button(form, 'Test').click();
  await form.getByRole('alert').waitFor();
  await form.locator('#device_key').fill(cameras.url('/hall'));
  await button(form, 'Test').click();
  const frame = form.getByRole('img', { name: 'A picture of the camera' });
  await frame.waitFor();
  await frame.evaluate((image) => image.decode());
  assert.equal(await frame.evaluate((image) => image.naturalWidth), 640);
  await examine(page);
  await button(form, 'Save').click();
  const card = page.locator('.device').filter({ hasText: 'Hall' });
  await card.getByText('online').waitFor();
  await go(page, '/live');
  await page.locator('.live').getByText('Ann').first().waitFor();
  await page.goto(`${box.url}/#/devices`);
  await button(page, 'Delete Hall').click();
  await button(page.getByRole('dialog'), 'Delete').click();
  await card.waitFor({ state: 'detached' });
  await cameras.stop();
}, { refusals: true });

journey('a door relay gives a test pulse', async (page) => {
  const relay = await modbusRelay();
  await go(page, '/devices');
  await button(page, 'Edit Lobby').click();
  const form = page.getByRole('dialog', { name: 'Lobby' });
  await form.getByText('Door relay').click();
  await form.getByLabel('Relay address').fill(relay.host);
  await form.getByLabel('Language').click();
  await page.getByTitle('modbus').click();
  await form.locator('#netRelay_net_port').fill(String(relay.port));
  await form.getByLabel('Channel of the door').fill('3');
  await examine(page);
  await button(form, 'Test pulse, 1 s').click();
  await until(() => relay.log.length === 2, 'the pulse');
  assert.deepEqual(relay.log.map(({ first, on }) => [first, on]), [[2, [true]], [2, [false]]]);
  await button(form, 'Save').click();
  await form.waitFor({ state: 'hidden' });
  await page.locator('.device').filter({ hasText: 'Lobby' }).getByText(relay.host).waitFor();
  relay.close();
});

journey('a record is found, and “not this person” is remembered', async (page) => {
  // Eve's template has something of a stranger, who passes in her place.
  const feature = async (photo) => (await admin.post('/SophonFace/api/detect', { image_base64_str: base64(photo), with_feature: true })).json.data[0].feature;
  const [own, other] = [await feature(folk[3].photo), await feature(folk[4].photo)];
  const eve = { identity_id: '3001', group_name: 'default_group', reg_photo: '', import_mode: true, feature: own.map((v, i) => 0.75 * v + 0.5 * other[i]), info: { name: 'Eve' } };
  assert.equal((await admin.post('/SophonFogSys/api/users', eve)).status, 200);
  const mistaken = await match(folk[4].photo);
  assert.equal(mistaken.identity_id, '3001');

  await go(page, '/records');
  await page.getByPlaceholder('Name').fill('Eve');
  await page.waitForURL(/name=Eve/);
  await until(async () => (await page.locator('.record-row').filter({ hasNotText: 'Eve' }).count()) === 0, 'nobody else to be shown');
  await page.getByRole('button', { name: 'Show the record of Eve' }).click();
  await examine(page);
  await button(page, 'Not this person').click();
  await page.getByText('This face will not be taken for Eve any more.').waitFor();
  await button(page, 'Confirm').click();
  await toast(page, 'Remembered');
  assert.equal((await match(folk[4].other)).identity_id, '');
  assert.equal((await match(folk[3].photo)).identity_id, '3001');
  const said = (await admin.get('/SophonFace/api/events?identity_id=3001')).json.data;
  assert.ok(said.some(({ _id }) => _id === mistaken.event_id), 'what was said stays said');
});

journey('another threshold counts at once', async (page) => {
  await ask(page, folk[0].other, 'This is Ada Lovelace');
  await examine(page);
  await go(page, '/settings');
  const threshold = page.locator('.ant-form-item').filter({ has: page.locator('code', { hasText: /^recognition\.threshold$/ }) });
  await threshold.getByRole('switch').click();
  await threshold.getByRole('spinbutton').fill('0.999');
  await button(page, 'Save').click();
  await toast(page, 'Saved');
  await examine(page);
  await ask(page, folk[0].other, /Nobody who is enrolled|Perhaps/);
  await go(page, '/settings');
  await threshold.getByRole('switch').click();
  await button(page, 'Save').click();
  await toast(page, 'Saved');
  await ask(page, folk[0].other, 'This is Ada Lovelace');
});

journey('the platform is connected, and the page says so', async (page) => {
  const broker = await RabbitMq.start();
  const platform = await Platform.start({ broker: broker.fields({ queue: 'journey', uploadQueue: 'journey-results' }) });
  await go(page, '/settings?tab=platform');
  await page.getByText('not connected to any platform').waitFor();
  await page.locator('#setting-cloud\\.dev_sno').fill(platform.devSno);
  await page.locator('#setting-cloud\\.login_url').fill(platform.loginUrl);
  await button(page, 'Save').click();
  await page.getByText('connected', { exact: true }).waitFor();
  await examine(page);
  await go(page, '/');
  await page.locator('.ant-card').filter({ hasText: 'Platform' }).getByText('connected', { exact: true }).waitFor();
  await platform.connect(broker.url);
  await platform.send({ method: 'delete_users', messageId: 'm1', userid_list: ['nobody'], extend_params: {} });
  assert.equal((await platform.result('m1')).success, true);
  await admin.put('/api/settings', { 'cloud.dev_sno': '', 'cloud.login_url': '' });
  await platform.stop();
  await broker.stop();
}, { refusals: true, skip: missing ?? (haveRabbitMq ? undefined : 'rabbitmq-server is not installed') });

journey('everything goes into a backup, is wiped, and comes back', async (page) => {
  await go(page, '/settings?tab=backup');
  const card = (title) => page.locator('.ant-card').filter({ has: page.getByText(title, { exact: true }) });
  await card('Backup').getByLabel('Password of the backup').fill(backupPassword);
  await button(page, 'Make a backup').click();
  await page.getByText(/^Made .* MB$/).waitFor();
  await examine(page);
  const file = path.join(folder, 'box.backup');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()]);
  await download.saveAs(file);

  await go(page, '/settings?tab=storage');
  await page.getByLabel('Everything: people, events and the settings').check();
  await button(page, 'Wipe …').click();
  const warning = page.getByRole('dialog', { name: 'This can’t be undone' });
  await warning.getByLabel('Type WIPE to confirm').fill('WIPE');
  await button(warning, 'Delete for good').click();
  await toast(page, 'Wiped');
  await go(page, '/people');
  await page.getByText('Nobody is enrolled yet').waitFor();

  await go(page, '/settings?tab=backup');
  await card('Restore').locator('input[type=file]').setInputFiles(file);
  await card('Restore').getByLabel('Password of the backup').fill(backupPassword);
  await button(page, 'Look into it').click();
  const found = page.getByRole('dialog', { name: 'This is in the backup' });
  await found.getByRole('row', { name: 'Box' }).getByText('North gate').waitFor();
  await examine(page);
  const loaded = page.waitForEvent('load');
  await button(found, 'Restore now').click();
  await loaded; // the page begins anew with the box
  await go(page, '/people');
  await page.getByRole('cell', { name: '1001' }).waitFor();
  assert.equal((await match(folk[0].other)).identity_id, '1001');
}, { refusals: true });
