/** A headless Chromium for a browser test: found on this machine or, as root on Debian, installed once. */
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { ensureChromium } from '../../../runtime/browser.ts';

/** Call it in `beforeAll`, and `close()` in `afterAll`. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = await ensureChromium((line) => {
    process.stderr.write(`${line}\n`);
  });
  // Chromium's sandbox refuses root, which is who runs in a container.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return await chromium.launch({ executablePath, args });
}
