// Makes docs/console.png, the picture of the console in the README: a box with the people of the sample pictures, their
// faces blurred.
//
//   node scripts/screenshot.mjs        after `make build` and `make test STAGES=e2e` (which installs Chromium and packages)
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
process.env.AIBOX_BIN ??= path.join(root, 'build/release');
const { Box } = await import('../tests/e2e/lib/box.mjs');
const { Browser } = await import('../tests/e2e/lib/browser.mjs');
const { base64, people } = await import('../tests/e2e/lib/pictures.mjs');

const names = ['Ada', 'Lin Yue', 'Omar', 'Grace', 'Teresa'];
const box = await Box.start({ settings: { 'box.name': 'Main entrance' } });
const browser = await Browser.start();
try {
  const folk = await people(box, 6);
  await box.post('/SophonFogSys/api/WipeData', { wipe_options: { users: true, events: true } });
  await box.post('/SophonDevice/api/Devices', {
    devices_list: [
      { device_id: 'gate', device_name: 'Gate', device_key: '10.1.1.5', ep_type: '0', dedup_seconds: 0 },
      { device_id: 'lobby', device_name: 'Lobby', device_key: '10.1.1.6', ep_type: '4', dedup_seconds: 0 },
    ],
  });
  for (const [i, name] of names.entries())
    if (folk[i])
      await box.post('/SophonFogSys/api/users', { identity_id: String(10086 + i), group_name: 'default_group', reg_photo: base64(folk[i].photo), fiqa_level: 'no', info: { name } });
  for (const [i, { other }] of folk.entries())
    await box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(other), device_ip: i % 2 ? '10.1.1.6' : '10.1.1.5' });
  const { page } = await browser.open(box.url);
  await page.goto(`${box.url}/`);
  await page.locator('.passage').first().waitFor();
  await page.evaluate(() => document.querySelectorAll('img').forEach((image) => (image.style.filter = 'blur(7px)')));
  await page.waitForTimeout(1500); // pictures and curves
  mkdirSync(path.join(root, 'docs'), { recursive: true });
  await page.screenshot({ path: path.join(root, 'docs/console.png') });
} finally {
  await browser.stop();
  await box.stop();
}
