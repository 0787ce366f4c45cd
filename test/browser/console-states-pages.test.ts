/**
 * Every page of the console, found by following its own links as each role does: axe finds nothing serious by WCAG 2.2 AA in light and dark, and no
 * page is wider than its screen, at both sizes. A page that is linked from anywhere is looked at here without being named.
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { placeOf } from '../../console/operations/address.ts';
import type { Place } from '../../console/operations/address.ts';
import type { DemoPersonId } from '../../runtime/staff-people.ts';
import { seriousFindings } from './both-schemes.ts';
import { ConsoleBed } from './console-bed.ts';
import type { StaffMember } from './operations-driver.ts';
import { NARROW, WIDE } from './stage-driver.ts';

/** A kind of page that is missing here does not compile; one that nobody links to is not reached, and fails. */
const KINDS: Record<Place['kind'], true> = {
  home: true,
  runbook: true,
  customers: true,
  customer: true,
  call: true,
  recoveries: true,
  recovery: true,
  approvals: true,
  audit: true,
  'works-now': true,
};

/** Ten pages, four looks each, on a machine that does other things besides. */
const WALK_MS = 240_000;

let bed: ConsoleBed;
/** By anybody. */
const reached = new Set<string>();

beforeAll(async () => {
  bed = await ConsoleBed.open();
  const ana = await bed.staff('ana', '/recoveries');
  const customerId = await bed.customer();
  await bed.caseBy(ana, customerId);
  // A case that is held and a customer on hold: pages with something on them.
  await bed.fraud(customerId);
  await bed.leave();
});
afterAll(() => bed?.close());
afterEach(() => bed.leave());

/** Where the page leads to within the console, each kind of page once: `/customers/cus_…` for any customer. */
async function linksOf({ page }: StaffMember): Promise<readonly (readonly [string, string])[]> {
  const hrefs = await page
    .locator('a[href^="/"]:not([download])')
    .evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''));
  return hrefs
    .filter((href) => placeOf(href) !== undefined)
    .map((href) => [href.replace(/_[0-9a-f]{32}/g, '_…'), href] as const);
}

/** Once what it asks for has come. */
async function settled({ page }: StaffMember): Promise<void> {
  await page.locator('h1').first().waitFor({ state: 'attached' });
  await page.locator('[aria-busy=true], .spinner').first().waitFor({ state: 'detached' });
}

async function walk(staff: StaffMember, judge: (shape: string) => Promise<void>) {
  const known = new Map<string, string>([['/', '/']]);
  // A map goes on to what is added on the way.
  for (const [shape, path] of known) {
    await staff.goTo(path);
    await settled(staff);
    await judge(shape);
    for (const [linked, href] of await linksOf(staff))
      if (!known.has(linked)) known.set(linked, href);
  }
  for (const path of known.values()) reached.add(placeOf(path)?.kind ?? 'none of ours');
}

async function lookedAt({ page }: StaffMember, shape: string): Promise<readonly string[]> {
  const findings: string[] = [];
  for (const size of [WIDE, NARROW]) {
    await page.setViewportSize(size);
    const say = (what: string) => findings.push(`${shape}, ${String(size.width)} wide: ${what}`);
    for (const finding of await seriousFindings(page, ['target-size'])) say(finding);
    const isWide = await page.evaluate('document.documentElement.scrollWidth > window.innerWidth');
    if (isWide === true) say('wider than its screen');
  }
  return findings;
}

it.each<DemoPersonId>(['sione', 'aida', 'amir'])(
  'every page that %s finds is fit for everybody',
  async (person) => {
    const staff = await bed.staff(person);
    const findings: string[] = [];
    await walk(staff, async (shape) => {
      findings.push(...(await lookedAt(staff, shape)));
    });
    expect(findings).toEqual([]);
  },
  WALK_MS,
);

it('and a page that is not is found out', async () => {
  const staff = await bed.staff('ana', '/customers');
  await settled(staff);
  // By its object model: the page's policy takes no style out of markup.
  await staff.page.evaluate(() => {
    const add = (name: string, text: string, style: Partial<CSSStyleDeclaration>) => {
      const element = document.createElement(name);
      element.textContent = text;
      Object.assign(element.style, style);
      document.querySelector('main')?.append(element);
    };
    const small = { display: 'inline', width: '9px', height: '9px', padding: '0', border: '0' };
    add('button', 'x', small);
    add('button', 'x', small);
    add('p', 'hard to read', { width: '999px', color: '#888', background: '#999' });
  });
  const findings = (await lookedAt(staff, 'a bad page')).join('\n');
  for (const finding of ['target-size', 'color-contrast', 'wider than its screen'])
    expect(findings).toContain(finding);
});

it('and those were all the pages there are', () => {
  expect([...reached].toSorted((a, b) => a.localeCompare(b))).toEqual(
    Object.keys(KINDS).toSorted((a, b) => a.localeCompare(b)),
  );
});
