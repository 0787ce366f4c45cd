/** A page looked at twice, light and dark: by a camera, and by axe. It leaves the page light. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';

const SCHEMES = ['light', 'dark'] as const;
type Scheme = (typeof SCHEMES)[number];

async function inBothSchemes(page: Page, look: (scheme: Scheme) => Promise<void>): Promise<void> {
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme });
    await look(colorScheme);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

/** Two pictures, `<path>-light.png` and `<path>-dark.png`. */
export async function shootBothSchemes(page: Page, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await inBothSchemes(page, async (scheme) => {
    await page.screenshot({ path: `${path}-${scheme}.png`, animations: 'disabled' });
  });
}

/** Everything that axe calls serious or critical on what stands there now; empty when all is well. */
export async function seriousFindings(
  page: Page,
  /** By name, those that axe leaves out by itself: `target-size` is WCAG 2.2's. */
  moreRules: readonly string[] = [],
): Promise<readonly string[]> {
  const rules = Object.fromEntries(moreRules.map((rule) => [rule, { enabled: true }]));
  const found: string[] = [];
  await inBothSchemes(page, async (scheme) => {
    const { violations } = await new AxeBuilder({ page }).options({ rules }).analyze();
    for (const { id, impact, nodes } of violations) {
      if (impact !== 'serious' && impact !== 'critical') continue;
      for (const { target, failureSummary } of nodes)
        found.push(`${scheme} ${id}: ${target.join(' ')} ${failureSummary ?? ''}`);
    }
  });
  return found;
}
