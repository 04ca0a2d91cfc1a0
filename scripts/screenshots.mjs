// Pictures of every page of the console, in both languages, light and dark, on a desktop and a phone, with people and
// cameras in them: build/screenshots/zh-dark-phone/people.png and so on. To see what a change looks like.
//
//   node scripts/screenshots.mjs [-p PAGE] [LOOK...]     a look: en-light-desktop, zh-dark-phone, …; none: all eight
//
// Needs what the end-to-end tests need (`make test STAGES=e2e` once), and a font with Chinese letters (fonts-noto-cjk).
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
process.env.AIBOX_BIN ??= path.join(root, 'build/release');
const { Browser, settled, visit, webcamOf } = await import('../tests/e2e/lib/browser.mjs');
const { Stage } = await import('./stage.mjs');

const tabs = ['recognition', 'doors', 'reports', 'platform', 'storage', 'access', 'backup', 'box', 'network', 'logs', 'all'];
/** Places of the console by the name of their picture. */
const places = {
  dashboard: '/',
  'welcome-name': '/welcome',
  'welcome-camera': '/welcome?step=1',
  'welcome-person': '/welcome?step=2',
  'welcome-see': '/welcome?step=3',
  live: '/live',
  people: '/people',
  'people-add': '/people?add=1',
  person: '/people/10086',
  groups: '/groups',
  permissions: '/groups?tab=permissions',
  devices: '/devices',
  'device-ftp': '/devices?add=1',
  'device-video': '/devices?add=2',
  records: '/records',
  strangers: '/strangers',
  record: '/records?event=EVENT',
  compare: '/compare',
  ...Object.fromEntries(tabs.map((tab) => [`settings-${tab}`, `/settings?tab=${tab}`])),
  api: '/api',
};

const looks = ['en', 'zh'].flatMap((language) => ['light', 'dark'].flatMap((theme) => ['desktop', 'phone'].map((screen) => [language, theme, screen].join('-'))));
const words = process.argv.slice(2);
const only = words[0] === '-p' ? words.splice(0, 2)[1] : undefined;
const unknown = words.find((word) => !looks.includes(word));
if (unknown) {
  console.error(`screenshots: no look is called ${unknown}; there are: ${looks.join(', ')}`);
  process.exit(2);
}
const wanted = words.length > 0 ? words : looks;

async function shoot(stage, browser, look, { entrance }) {
  const [language, theme, screen] = look.split('-');
  const folder = path.join(root, 'build/screenshots', look);
  mkdirSync(folder, { recursive: true });
  const { page, context } = await browser.open(stage.url, { locale: language === 'zh' ? 'zh-CN' : 'en-GB', dark: theme === 'dark', phone: screen === 'phone' });
  const take = async (name) => {
    if (only && !name.startsWith(only)) return;
    await settled(page);
    await page.waitForTimeout(700); // pictures and curves
    await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
  };
  try {
    if (entrance) {
      await page.goto(`${stage.url}${stage.setupLink}`);
      await page.locator('form').waitFor();
      await take('setup');
      return;
    }
    await page.goto(`${stage.url}/`);
    await page.locator('form').waitFor();
    await take('login');
    await page.goto(`${stage.url}/pad`);
    await page.locator('form').waitFor();
    await take('pad-pairing');
    await context.addCookies([stage.cookie]);
    for (const [name, place] of Object.entries(places)) {
      if (only && !name.startsWith(only)) continue;
      await page.goto('about:blank'); // each begins afresh
      await visit(page, stage.url, place.replace('EVENT', stage.event));
      await take(name);
    }
    if (!only || 'greeter'.startsWith(only)) {
      await page.goto(`${stage.url}/greeter?dwell=60&columns=2`);
      await page.locator('.greeter-idle').waitFor();
      for (const i of [0, 4]) if (stage.folk[i + 1]) await stage.show(stage.folk[i].other, '10.1.1.6');
      await page.locator('.guest').first().waitFor();
      await take('greeter');
    }
    if (!only || 'pad'.startsWith(only)) {
      const { code } = (await stage.ask('post', '/api/devices/lobby/pad_code', {})).data;
      await page.goto(`${stage.url}/pad`);
      await page.locator('input').fill(code);
      await page.keyboard.press('Enter');
      await page.locator('video').waitFor();
      await page.waitForTimeout(2500); // until it has seen somebody
      await take('pad');
    }
  } finally {
    await context.close();
  }
}

for (const language of ['en', 'zh']) {
  const mine = wanted.filter((look) => look.startsWith(language));
  if (mine.length === 0) continue;
  const stage = await Stage.start(language);
  const browser = await Browser.start([webcamOf(stage.folk[0].other, path.join(stage.folder, 'webcam.y4m'))]);
  try {
    for (const look of mine) await shoot(stage, browser, look, { entrance: true });
    await stage.cast();
    for (const look of mine) {
      await shoot(stage, browser, look, { entrance: false });
      console.log(`build/screenshots/${look}`);
    }
  } finally {
    await browser.stop();
    await stage.stop();
  }
}
