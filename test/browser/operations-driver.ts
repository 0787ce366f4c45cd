/** A member of the staff at the operations door: a browser of their own, hands for the directory's login page, and a camera. It decides nothing. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { DemoPersonId } from '../../runtime/staff-people.ts';
import { DEMO_PEOPLE } from '../../runtime/staff-people.ts';
import { seriousFindings, shootBothSchemes } from './both-schemes.ts';

const SHOTS = fileURLToPath(new URL('../../test-results/operations/', import.meta.url));
const PATIENCE_MS = 30_000;

export class StaffMember {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the browser complained about: refused by the content security policy, or thrown. */
  readonly complaints: string[] = [];
  readonly #door: string;
  readonly #width: number;

  private constructor(page: Page, door: string, width: number) {
    this.page = page;
    this.context = page.context();
    this.#door = door;
    this.#width = width;
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) this.complaints.push(message.text());
    });
  }

  static async open(
    browser: Browser,
    door: string,
    viewport: { readonly width: number; readonly height: number },
  ): Promise<StaffMember> {
    const context = await browser.newContext({ viewport, reducedMotion: 'reduce' });
    context.setDefaultTimeout(PATIENCE_MS);
    return new StaffMember(await context.newPage(), door, viewport.width);
  }

  async goTo(path: string): Promise<void> {
    await this.page.goto(`${this.#door}${path}`);
  }

  async sees(words: string | RegExp): Promise<void> {
    await this.page.getByText(words).first().waitFor();
  }

  /** From the landing page, over the directory, and back. */
  async logIn(person: DemoPersonId): Promise<void> {
    await this.goTo('/');
    await this.page.getByRole('link', { name: 'Log in' }).click();
    await this.choose(person);
    await this.page.getByRole('button', { name: 'Log out' }).waitFor();
  }

  /** At the directory's login page. */
  async choose(person: DemoPersonId): Promise<void> {
    await this.page.getByRole('button', { name: DEMO_PEOPLE[person].name }).click();
  }

  /** What no page is wanted for, in this person's name: a request as the console makes it. Answers what came back. @throws Error when refused */
  async tells(path: string, body: object): Promise<{ readonly recoveryId?: string }> {
    const { status, text } = await this.page.evaluate(
      async ([address, sent]) => {
        const answer = await fetch(address, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'idempotency-key': crypto.randomUUID(),
          },
          body: sent,
        });
        return { status: answer.status, text: await answer.text() };
      },
      [`/t/demo/staff${path}`, JSON.stringify(body)] as const,
    );
    if (status >= 300) throw new Error(`${path}: ${String(status)} ${text}`);
    return JSON.parse(text) as { readonly recoveryId?: string };
  }

  async logOut(): Promise<void> {
    await this.page.getByRole('button', { name: 'Log out' }).click();
    await this.sees('You have logged out.');
  }

  /** Light and dark, into test-results/operations/. */
  async shoot(name: string): Promise<void> {
    await shootBothSchemes(this.page, join(SHOTS, `${String(this.#width)}-${name}`));
  }

  /** Everything that axe calls serious or critical on what stands there now, light and dark; empty when all is well. */
  seriousFindings(): Promise<readonly string[]> {
    return seriousFindings(this.page);
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}
