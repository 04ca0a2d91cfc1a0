// Makes the pictures of the README: docs/console.png, the dashboard, and docs/console.webp, a walk through the console.
// The people are those of the sample pictures; every face is blurred.
//
//   node scripts/recording.mjs        after `make build` and `make test STAGES=e2e` (which installs Chromium and packages)
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
process.env.AIBOX_BIN ??= path.join(root, 'build/release');
const { Browser, settled, visit } = await import('../tests/e2e/lib/browser.mjs');
const { Stage } = await import('./stage.mjs');

const width = 960; // of the recording

/** Frames, each with the time that it is shown. */
class Recording {
  constructor(page) {
    this.page = page;
    this.folder = mkdtempSync(path.join(os.tmpdir(), 'aibox-recording-'));
    this.frames = [];
  }

  async frame(seconds) {
    const file = path.join(this.folder, `${String(this.frames.length).padStart(4, '0')}.png`);
    await this.page.screenshot({ path: file });
    this.frames.push({ file, seconds });
  }

  /** What moves by itself, `n` frames of it. */
  async moving(n, seconds = 0.2) {
    for (let i = 0; i < n; i++) {
      await this.frame(seconds);
      await this.page.waitForTimeout(seconds * 1000);
    }
  }

  /** A hand goes to where something is clicked. */
  async click(locator) {
    await locator.scrollIntoViewIfNeeded();
    const { x, y, width: w, height: h } = await locator.boundingBox();
    await this.page.evaluate(
      ([left, top]) => {
        const hand = document.querySelector('#hand') ?? document.body.appendChild(Object.assign(document.createElement('div'), { id: 'hand' }));
        Object.assign(hand.style, { left: `${left - 12}px`, top: `${top - 12}px` });
      },
      [x + w / 2, y + h / 2],
    );
    await this.frame(0.6);
    await locator.click();
    await this.page.evaluate(() => document.querySelector('#hand')?.remove());
    await settled(this.page);
  }

  save(file) {
    const list = path.join(this.folder, 'list.txt');
    const lines = this.frames.map(({ file: each, seconds }) => `file '${each}'\nduration ${seconds}`);
    writeFileSync(list, `${lines.join('\n')}\nfile '${this.frames.at(-1).file}'\n`);
    const coder = ['-c:v', 'libwebp_anim', '-quality', '60', '-compression_level', '6', '-loop', '0'];
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'concat', '-safe', '0', '-i', list, '-fps_mode', 'vfr', '-vf', `scale=${width}:-2`, ...coder, file]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const stage = await Stage.start('en');
const browser = await Browser.start();
try {
  await stage.cast();
  const { page, context } = await browser.open(stage.url);
  await context.addCookies([stage.cookie]);
  await page.addInitScript(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(
      'img, canvas, video { filter: blur(7px); }' +
        '.live canvas, .live img, .live video, .picture-frame img, .record-scene, .record-scene img, .device-picture { filter: blur(24px) !important; }' +
        '#hand { position: fixed; z-index: 9999; width: 24px; height: 24px; border-radius: 50%; background: rgb(22 104 220 / 45%); pointer-events: none; }',
    );
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  });
  const recording = new Recording(page);
  const menu = (name) => page.getByRole('navigation').getByText(name, { exact: true });

  await visit(page, stage.url, '/');
  await page.locator('.passage').first().waitFor();
  await page.waitForTimeout(1500); // pictures and curves
  await page.screenshot({ path: path.join(root, 'docs/console.png') });

  await recording.frame(1.5);
  for (const i of [1, 3, 0]) {
    await stage.show(stage.folk[i].photo, i % 2 ? '10.1.1.6' : '10.1.1.5');
    await page.waitForTimeout(1200);
    await recording.frame(1.2);
  }
  await recording.click(menu('Live'));
  await page.waitForTimeout(2000);
  await recording.moving(10);
  await recording.click(menu('People'));
  await recording.frame(1);
  await recording.click(page.getByRole('button', { name: /Add a person$/ }));
  const form = page.getByRole('dialog', { name: 'New person' });
  await recording.frame(0.8);
  await form.locator('input[type=file]').setInputFiles({ name: 'new.jpg', mimeType: 'image/jpeg', buffer: stage.folk.at(-1).photo });
  await form.locator('.verdict .good, .verdict .bad').waitFor();
  await recording.frame(1.5);
  await form.getByLabel('Name').fill('Mira');
  await form.getByLabel('Id', { exact: true }).fill('10091');
  await recording.frame(0.8);
  await recording.click(form.getByRole('button', { name: 'Save' }));
  await page.getByRole('row', { name: /Mira/ }).waitFor();
  await recording.frame(1.2);
  await recording.click(menu('Records'));
  await stage.show(stage.folk.at(-1).other, '10.1.1.5');
  await page.reload();
  await settled(page);
  await recording.frame(1);
  await recording.click(page.getByRole('button', { name: 'Show the record of' }).first());
  await page.waitForTimeout(800);
  await recording.frame(2);
  await recording.click(menu('Devices'));
  await page.waitForTimeout(800);
  await recording.frame(2);
  recording.save(path.join(root, 'docs/console.webp'));
} finally {
  await browser.stop();
  await stage.stop();
}
