// A headless Chromium for the tests of the console. What its pages log, ask of other hosts, or are refused by their
// content security policy is noted.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

import { announce } from './leftovers.mjs';

const require = createRequire(new URL('../../package.json', import.meta.url));
const { chromium } = require('playwright-core');

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
