/**
 * A person at the stage: a page with a virtual authenticator, hands for phone, desks and inbox on wide and narrow screens, and a camera.
 * It waits for what it sees and decides nothing.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, CDPSession, Locator, Page } from 'playwright-core';
import type { TestStack } from '../setup/stack.ts';
import { seriousFindings, shootBothSchemes } from './both-schemes.ts';

const SHOTS = fileURLToPath(new URL('../../test-results/stage/', import.meta.url));
const TABS_BELOW = 1080;
const PATIENCE_MS = 30_000;
/** A worker bundles its workflows before it is up. */
const PART_PATIENCE_MS = 90_000;

export const WIDE = { width: 1280, height: 800 };
export const NARROW = { width: 390, height: 844 };

export type Pane = 'Phone' | 'Behind it' | 'Inbox';

export class StageDriver {
  readonly page: Page;
  readonly phone: Locator;
  /** What the browser complained about: refused by the content security policy, or thrown. */
  readonly complaints: string[] = [];
  readonly #context: BrowserContext;
  readonly #cdp: CDPSession;
  readonly #authenticatorId: string;
  readonly #address: string;
  #width: number;
  #shots = 0;

  private constructor(opened: {
    context: BrowserContext;
    page: Page;
    cdp: CDPSession;
    authenticatorId: string;
    address: string;
    width: number;
  }) {
    this.page = opened.page;
    this.phone = opened.page.locator('.phone');
    this.#context = opened.context;
    this.#cdp = opened.cdp;
    this.#authenticatorId = opened.authenticatorId;
    this.#address = opened.address;
    this.#width = opened.width;
    this.page.on('pageerror', (error) => this.complaints.push(error.message));
    this.page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) this.complaints.push(message.text());
    });
  }

  static async open(
    browser: Browser,
    { publicUrl, stageControl }: Pick<TestStack, 'publicUrl' | 'stageControl'>,
    viewport: { readonly width: number; readonly height: number },
  ): Promise<StageDriver> {
    const context = await browser.newContext({ viewport, reducedMotion: 'reduce' });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    const address = `${publicUrl}/?control=${new URL(stageControl.url).port}`;
    const { width } = viewport;
    const driver = new StageDriver({ context, page, cdp, authenticatorId, address, width });
    await page.goto(address);
    return driver;
  }

  async close(): Promise<void> {
    await this.#context.close();
  }

  /** As if the app were started again. */
  async restart(): Promise<void> {
    await this.page.goto(this.#address);
  }

  /** Whether the person shows face or finger; who does not cannot pass the passkey's prompt. */
  async verifiesUser(isUserVerified: boolean): Promise<void> {
    const authenticatorId = this.#authenticatorId;
    await this.#cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
  }

  async resize(viewport: { readonly width: number; readonly height: number }): Promise<void> {
    this.#width = viewport.width;
    await this.page.setViewportSize(viewport);
  }

  /** What a password manager that synchronises does: this person's passkeys are on the other's device too. */
  async sharePasskeysWith(other: StageDriver): Promise<void> {
    const authenticatorId = this.#authenticatorId;
    const { credentials } = await this.#cdp.send('WebAuthn.getCredentials', { authenticatorId });
    for (const credential of credentials)
      await other.#cdp.send('WebAuthn.addCredential', {
        authenticatorId: other.#authenticatorId,
        credential,
      });
  }

  async look(pane: Pane): Promise<void> {
    if (this.#width < TABS_BELOW) await this.page.getByRole('tab', { name: pane }).click();
  }

  async sees(words: string): Promise<void> {
    await this.look('Phone');
    await this.phone.getByText(words).first().waitFor();
  }

  async press(name: string): Promise<void> {
    await this.look('Phone');
    await this.phone.getByRole('button', { name, exact: true }).click();
  }

  /** Waits until the phone has done what it was told: until then it takes no other order. */
  async settles(): Promise<void> {
    await this.look('Phone');
    await this.phone.locator('[aria-busy=true]').waitFor({ state: 'detached' });
  }

  async pressBehind(name: string): Promise<void> {
    await this.look('Behind it');
    await this.page.getByRole('button', { name, exact: true }).click();
  }

  /** Chooses a story, which opens its desk. */
  async story(
    name:
      | 'Enroll'
      | 'Lost network'
      | 'Fraud button'
      | 'Pay'
      | 'Verified call'
      | 'Risky login'
      | 'Lost phone',
  ): Promise<void> {
    await this.page.getByRole('radio', { name, exact: true }).click();
  }

  /** Chooses one of the stories about a payment. */
  async payStory(name: string): Promise<void> {
    await this.story('Pay');
    await this.page.getByRole('radio', { name, exact: true }).click();
  }

  async desk(
    name: 'Break it' | 'Identity vendor' | 'Fraud desk' | 'Payments' | 'Agent' | 'Recovery',
  ): Promise<void> {
    await this.look('Behind it');
    await this.page.getByRole('tab', { name, exact: true }).click();
  }

  /** Waits until the part is said to be in that state. */
  async partIs(name: 'Line to the phone' | 'Worker' | 'Temporal', state: string): Promise<void> {
    await this.look('Behind it');
    const part = this.page.getByRole('listitem', { name, exact: true });
    await part.locator('.tag', { hasText: state }).waitFor({ timeout: PART_PATIENCE_MS });
  }

  async type(label: string, text: string): Promise<void> {
    await this.phone.getByLabel(label).fill(text);
  }

  async identityVendor(behaviour: 'Verifies' | 'Stays silent' | 'Refuses'): Promise<void> {
    await this.look('Behind it');
    await this.page.locator('.segment', { hasText: behaviour }).click();
    await this.page.locator('.segment[data-selected]', { hasText: behaviour }).waitFor();
  }

  /** Taps the newest message's code as soon as a message of that channel is the newest; it stands in the phone then. */
  async takeCodeFrom(channel: 'sms' | 'email'): Promise<void> {
    await this.look('Inbox');
    await this.page
      .locator(`.message[data-channel=${channel}]`)
      .first()
      .locator('.use-code')
      .click();
    await this.look('Phone');
  }

  async timelineSays(words: string): Promise<void> {
    await this.look('Behind it');
    await this.page.locator('.timeline').getByText(words).first().waitFor();
  }

  /** Light and dark, into test-results/stage/. */
  async shoot(name: string): Promise<void> {
    this.#shots += 1;
    const number = String(this.#shots).padStart(2, '0');
    await shootBothSchemes(this.page, join(SHOTS, `${String(this.#width)}-${number}-${name}`));
  }

  /** Everything that axe calls serious or critical on what stands there now, light and dark; empty when all is well. */
  seriousFindings(): Promise<readonly string[]> {
    return seriousFindings(this.page);
  }
}
