// A headless Chromium for the tests of the console. What its pages log, ask of other hosts, or are refused by their
// content security policy is noted.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

import { announce } from './leftovers.mjs';

const require = createRequire(new URL('../../package.json', import.meta.url));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const programs = [process.env.AIBOX_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const chromiumProgram = programs.find((program) => program && existsSync(program));

const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
];

export class Browser {
  static async start(args = []) {
    const browser = new Browser();
    browser.chromium = await chromium.launch({ executablePath: chromiumProgram, headless: true, args: [...quiet, ...args] });
    browser.chromium.on('disconnected', announce('Chromium', () => browser.chromium.close()));
    return browser;
  }

  /**
   * A page of its own, as one visitor sees it. `faults` gathers what went wrong in it: errors in its console, exceptions,
   * requests to anybody but `origin`, and what its policy refused.
   */
  async open(origin, { locale = 'en-GB', dark = false, phone = false } = {}) {
    const context = await this.chromium.newContext({
      locale,
      colorScheme: dark ? 'dark' : 'light',
      viewport: phone ? { width: 390, height: 844 } : { width: 1280, height: 900 },
      hasTouch: phone,
    });
    const page = await context.newPage();
    const faults = [];
    page.on('pageerror', (error) => faults.push(`exception: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') faults.push(`${message.type()}: ${message.text()}`);
    });
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol) && url.origin !== origin) faults.push(`foreign request: ${url.origin}`);
    });
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    return { page, context, faults };
  }

  async stop() {
    await this.chromium.close();
  }
}

/** Waits until what the page was going to show stands there. */
export async function settled(page) {
  await page.waitForFunction(() => !document.querySelector('.loading'));
  await page.waitForFunction(() => document.getAnimations().every(({ effect }) => effect.getTiming().iterations === Infinity));
}

/** Goes to a place of the console, e.g. "/people?add=1". */
export async function visit(page, origin, place) {
  await page.goto(`${origin}/#${place}`);
  await page.locator('main').waitFor();
  await settled(page);
}

/** Serious findings of axe-core about how accessible the page is, e.g. "color-contrast: .tag". */
export async function findings(page) {
  await page.evaluate(axe); // not as a script of the page: its policy would refuse it
  // The library puts the button for tabs that find no room into the list of tabs, where axe wants nothing but tabs.
  const context = { exclude: ['.ant-tabs-nav:has(> .ant-tabs-nav-operations)'] };
  const { violations } = await page.evaluate((where) => window.axe.run(where, { resultTypes: ['violations'] }), context);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target.join(' ')} ${node.failureSummary ?? ''}`).join(' | ')}`);
}

/** What this computer's camera shall see, as an argument for Browser.start(): somebody (JPEG bytes) who moves a little. */
export function webcamOf(photo, film) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'aibox-webcam-'));
  try {
    const picture = path.join(folder, 'photo.jpg');
    writeFileSync(picture, photo);
    const filter = "scale=600:440:force_original_aspect_ratio=decrease,pad=720:480:-1:-1:gray,crop=640:480:x='20+20*mod(n,3)'";
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-loop', '1', '-i', picture, '-t', '2', '-r', '10', '-vf', filter, '-pix_fmt', 'yuv420p', film]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return `--use-file-for-fake-video-capture=${film}`;
}
