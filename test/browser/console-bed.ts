/** What the tests of the console's states share: a stack, people at the door in browsers of their own, customers, and cases that were opened at the desk. */
import { randomBytes } from 'node:crypto';
import type postgres from 'postgres';
import type { Browser } from 'playwright-core';
import { vi } from 'vitest';
import { buildPages, stateOfPages } from '../../cli/pages.ts';
import type { DemoPersonId } from '../../runtime/staff-people.ts';
import { fraudEngine, openRows } from '../setup/faults.ts';
import { launchBrowser } from '../setup/programs/browser.ts';
import { enrollPhone } from '../setup/software-phone.ts';
import { startTestStack } from '../setup/stack.ts';
import type { TestStack } from '../setup/stack.ts';
import { StaffMember } from './operations-driver.ts';
import { WIDE } from './stage-driver.ts';

/** On a machine that does other things besides. */
export const PATIENCE = { timeout: 30_000 };

type Size = typeof WIDE;

export class ConsoleBed {
  readonly stack: TestStack;
  readonly rows: postgres.Sql;
  readonly #browser: Browser;
  #people: StaffMember[] = [];

  private constructor(stack: TestStack, browser: Browser) {
    this.stack = stack;
    this.rows = openRows(stack);
    this.#browser = browser;
  }

  static async open(): Promise<ConsoleBed> {
    if ((await stateOfPages()) !== 'current') await buildPages();
    const [stack, browser] = await Promise.all([startTestStack(), launchBrowser()]);
    return new ConsoleBed(stack, browser);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.rows.end();
    await this.stack.stop();
  }

  /** Closes the browsers of one test. @throws Error with what they complained about */
  async leave(): Promise<void> {
    const complaints = this.#people.flatMap((person) => person.complaints);
    for (const person of this.#people) await person.close();
    this.#people = [];
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
  }

  /** Before the door. */
  async stranger(size: Size = WIDE): Promise<StaffMember> {
    const staff = await StaffMember.open(this.#browser, this.stack.operationsUrl, size);
    this.#people.push(staff);
    return staff;
  }

  /** Logged in at the door. */
  async staff(person: DemoPersonId, path?: string, size: Size = WIDE): Promise<StaffMember> {
    const staff = await this.stranger(size);
    await staff.logIn(person);
    if (path !== undefined) await staff.goTo(path);
    return staff;
  }

  /** Nothing of whom is young, so that one contact is enough. */
  async customer(): Promise<string> {
    const { customerId } = await enrollPhone(this.stack);
    await this.rows`update contact set created_at = created_at - interval '90 days', proved_at = proved_at - interval '90 days'
      where customer_id = ${customerId}`;
    await this.rows`update device set created_at = created_at - interval '90 days', trusted_at = trusted_at - interval '90 days'
      where customer_id = ${customerId}`;
    return customerId;
  }

  /** Opened by whoever is logged in there, after calling back, and joined by a new phone. Answers its address, once it waits for the person. */
  async caseBy(staff: StaffMember, customerId?: string): Promise<string> {
    const whose = customerId ?? (await this.customer());
    const path = `/customers/${whose}/recoveries`;
    const proof = { method: 'call_back', reference: `switch-${randomBytes(4).toString('hex')}` };
    const { recoveryId } = await staff.tells(path, { report: 'broken', proof });
    if (recoveryId === undefined) throw new Error('no case was opened');
    await this.rows`update recovery set client_id = 'demo-app', jkt = ${randomBytes(32).toString('base64url')}
      where recovery_id = ${recoveryId}`;
    await this.reaches(recoveryId, 'identity');
    return `/recoveries/${recoveryId}`;
  }

  /** The same, with evidence on its record, so that it waits for two people. */
  async reviewBy(staff: StaffMember): Promise<string> {
    const path = await this.caseBy(staff);
    await staff.tells(`${path}/evidence`, { method: 'branch', evidenceId: 'branch-12' });
    await this.reaches(recoveryOf(path), 'review');
    return path;
  }

  async reaches(recoveryId: string, state: string): Promise<void> {
    await vi.waitFor(async () => {
      const [row] = await this.rows`select state from ceremony where ceremony_id = ${recoveryId}`;
      if (row?.['state'] !== state) throw new Error(`it is ${String(row?.['state'])}`);
    }, PATIENCE);
  }

  async customerOf(path: string): Promise<string> {
    const [row] = await this.rows<{ customerId: string }[]>`
      select customer_id as "customerId" from ceremony where ceremony_id = ${recoveryOf(path)}`;
    return row?.customerId ?? '';
  }

  async fraud(customerId: string): Promise<void> {
    await fraudEngine(this.stack).call({
      method: 'POST',
      path: '/fraud/signals',
      body: { customerId, reason: 'account_takeover' },
    });
  }
}

export const recoveryOf = (path: string): string => path.slice('/recoveries/'.length);

export const button = (staff: StaffMember, name: string) =>
  staff.page.getByRole('button', { name, exact: true });
export const inDialog = (staff: StaffMember, name: string) =>
  staff.page.locator('.dialog').getByRole('button', { name, exact: true });
