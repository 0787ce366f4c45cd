/** A lost phone as people go through it: the customer at the stage on two phones, the bank's people at the door, and somebody else's profile. */
import type { Browser, Page } from 'playwright-core';
import { vi } from 'vitest';
import { buildPages, stateOfPages } from '../../cli/pages.ts';
import type { DemoPersonId } from '../../runtime/staff-people.ts';
import { launchBrowser } from '../setup/programs/browser.ts';
import { startTestStack } from '../setup/stack.ts';
import type { TestStack } from '../setup/stack.ts';
import { StaffMember } from './operations-driver.ts';
import { StageDriver, WIDE } from './stage-driver.ts';
import { becomeCustomer } from './stage-walk.ts';

/** A whole case, with people in four browsers, on a machine that does other things besides. */
export const RECOVERY_PATIENCE_MS = 480_000;

const PATIENCE = { timeout: 60_000, interval: 100 };

export interface Contacts {
  readonly email: string;
  readonly phone: string;
}

export class RecoveryStage {
  readonly stack: TestStack;
  readonly #browser: Browser;
  readonly #closing: (() => Promise<void>)[] = [];
  readonly #complaints: (readonly string[])[] = [];

  private constructor(stack: TestStack, browser: Browser) {
    this.stack = stack;
    this.#browser = browser;
  }

  static async open(): Promise<RecoveryStage> {
    if ((await stateOfPages()) !== 'current') await buildPages();
    const [stack, browser] = await Promise.all([startTestStack(), launchBrowser()]);
    return new RecoveryStage(stack, browser);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.stack.stop();
  }

  /** Closes the browsers of one test. @throws Error with what they complained about */
  async leave(): Promise<void> {
    const complaints = this.#complaints.splice(0).flat();
    for (const close of this.#closing.splice(0)) await close();
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
  }

  /** A browser profile of its own, at the story. */
  async profile(): Promise<StageDriver> {
    const stage = await StageDriver.open(this.#browser, this.stack, WIDE);
    this.#closing.push(() => stage.close());
    this.#complaints.push(stage.complaints);
    await stage.sees('Set up the app');
    return stage;
  }

  /** Enrolled on the old phone, just now: whose contacts are new. */
  async newcomer(): Promise<{ readonly stage: StageDriver; readonly contacts: Contacts }> {
    const stage = await this.profile();
    await becomeCustomer(stage);
    const messages = this.stack.inbox.messages();
    const toOf = (wanted: string) => messages.findLast(({ channel }) => channel === wanted)?.to;
    await stage.story('Lost phone');
    return { stage, contacts: { email: toOf('email') ?? '', phone: toOf('sms') ?? '' } };
  }

  /** Enrolled on the old phone, for a year. */
  async owner(): Promise<{ readonly stage: StageDriver; readonly contacts: Contacts }> {
    const owner = await this.newcomer();
    await owner.stage.pressBehind('A year passes since enrollment');
    await owner.stage.page.getByRole('button', { name: 'A customer for a year' }).waitFor();
    return owner;
  }

  /** Logged in at the door, on that page. */
  async staff(person: DemoPersonId, path: string): Promise<StaffMember> {
    const staff = await StaffMember.open(this.#browser, this.stack.operationsUrl, WIDE);
    this.#closing.push(() => staff.close());
    this.#complaints.push(staff.complaints);
    await staff.logIn(person);
    await staff.goTo(path);
    return staff;
  }

  /** The case that the new phone's desk links to, as the door names it. */
  async caseOf(stage: StageDriver): Promise<string> {
    await stage.look('Behind it');
    const href = await stage.page.getByRole('link', { name: 'Open the case' }).getAttribute('href');
    return new URL(href ?? '').pathname;
  }

  /** The newest code that went there, after `count` before it. */
  async codeTo(to: string, after = 0): Promise<string> {
    return await vi.waitFor(() => {
      const codes = this.codesTo(to);
      const code = codes.at(-1);
      if (code === undefined || codes.length <= after) throw new Error('no code has come');
      return code;
    }, PATIENCE);
  }

  codesTo(to: string): readonly string[] {
    return this.stack.inbox
      .messages()
      .filter((message) => message.to === to)
      .flatMap(({ text }) => /\b(\d{6})\b/.exec(text)?.[1] ?? []);
  }
}

export async function showPhone(stage: StageDriver, which: 'Old phone' | 'New phone') {
  await stage.look('Phone');
  await stage.page.getByRole('radio', { name: which, exact: true }).click();
}

/** On the new phone, until the message is on its way. */
export async function askByEmail(
  stage: StageDriver,
  email: string,
  report = 'Lost',
): Promise<void> {
  await showPhone(stage, 'New phone');
  await stage.press('I lost my phone');
  await stage.phone.locator('.segment', { hasText: report }).click();
  await stage.type('E\u2011mail address', email);
  await stage.press('Send a message there');
  await stage.sees('Your check number');
}

/** With the code of the message. */
export async function proveContact(
  bed: RecoveryStage,
  stage: StageDriver,
  email: string,
  report?: string,
): Promise<void> {
  const before = bed.codesTo(email).length;
  await askByEmail(stage, email, report);
  await stage.type('Code from the message', await bed.codeTo(email, before));
  await stage.press('Confirm');
  await stage.sees('Show that it is you');
}

export async function provePerson(stage: StageDriver, button = 'Start the check') {
  await stage.press(button);
  await stage.sees('The bank looks at your case');
}

/** Asked, picked, sent. The page is drawn anew while the case moves. */
export async function decide(staff: StaffMember, act: string, reason: string): Promise<void> {
  await staff.page.getByRole('button', { name: act, exact: true }).click();
  const dialog = staff.page.locator('.dialog');
  await dialog.getByText(reason).click();
  await dialog.getByRole('button', { name: act, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

export async function approve(staff: StaffMember): Promise<void> {
  await decide(staff, 'Approve', 'The person is clearly the customer');
}

/** The app is closed and opened again, at the story. */
export async function reopen(stage: StageDriver): Promise<void> {
  await stage.restart();
  await stage.story('Lost phone');
  await showPhone(stage, 'New phone');
}

/** The newest link of that message in the stage's inbox, in a page of its own. */
export async function openLink(stage: StageDriver, to: string, name: string): Promise<Page> {
  await stage.look('Inbox');
  const message = stage.page.locator('.message', { hasText: to });
  const link = message.getByRole('link', { name }).first();
  const [page] = await Promise.all([stage.page.context().waitForEvent('page'), link.click()]);
  return page;
}

export async function letTimePass(stage: StageDriver): Promise<void> {
  await stage.sees('Time to object');
  await stage.pressBehind('The time to object passes');
  await stage.sees('Create your passkey');
}
