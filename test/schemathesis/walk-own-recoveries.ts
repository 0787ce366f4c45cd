/** Every success of a recovery at the public door: given up, objected to on the old phone, gone through to the end, and disputed by the link of a notice. */
import type postgres from 'postgres';
import { vi } from 'vitest';
import type { RecoveryState } from '../../sdk/recovery-types.ts';
import { createSoftwarePhone, enrollPhone, messagesTo } from '../setup/software-phone.ts';
import type { SoftwarePhone } from '../setup/software-phone.ts';
import type { TestStack } from '../setup/stack.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };
const CODE = /(\d{6})/;
const LINK = /recover\.html#demo\.([A-Za-z0-9_-]{40,})/;
const STOP = /recover\.html#demo\.stop\.([A-Za-z0-9_-]+)/;

interface Walk {
  readonly stack: TestStack;
  readonly owner: SoftwarePhone;
  readonly rows: postgres.Sql;
}

export async function recoverByPhone(stack: TestStack, rows: postgres.Sql): Promise<void> {
  const owner = await enrollPhone(stack);
  const { customerId } = owner;
  await rows`update contact set created_at = created_at - interval '90 days', proved_at = proved_at - interval '90 days'
    where customer_id = ${customerId}`;
  await rows`update device set created_at = created_at - interval '90 days', trusted_at = trusted_at - interval '90 days'
    where customer_id = ${customerId}`;
  await owner.latchkey.logIn();
  const walk = { stack, owner, rows };
  await giveUp(walk);
  await object(walk);
  await recover(walk);
  const token = await found(walk, STOP, 0);
  await post(stack, '/recovery-objections', { token });
}

async function giveUp(walk: Walk): Promise<void> {
  const phone = createSoftwarePhone(walk.stack);
  await phone.latchkey.recovery.cancel(await begin(walk, phone));
}

/** The contact answers by the link; the owner sees the case on the old phone, and ends it. */
async function object({ stack, owner, ...walk }: Walk): Promise<void> {
  const { recovery } = createSoftwarePhone(stack).latchkey;
  const sent = messagesTo(stack, owner.email).length;
  const asked = { report: 'broken', locale: 'en', email: owner.email } as const;
  const { requestId, checkNumber } = await recovery.start(asked);
  const token = await found({ stack, owner, ...walk }, LINK, sent);
  await post(stack, '/recovery-links', { token, checkNumber });
  await recovery.request(requestId);
  await owner.latchkey.logIn();
  const [open] = await owner.latchkey.ownRecoveries.list();
  await owner.latchkey.ownRecoveries.object(open?.recoveryId ?? '');
}

/** The policy asks for nobody and for no time here: who approves is the desk's walk. */
async function recover(walk: Walk): Promise<void> {
  const phone = createSoftwarePhone(walk.stack);
  const { recovery } = phone.latchkey;
  const recoveryId = await begin(walk, phone);
  await walk.rows`update recovery set people_required = 0, cooling_floor_seconds = 0 where recovery_id = ${recoveryId}`;
  await recovery.beginLiveness(recoveryId);
  await reaches(phone, recoveryId, 'cooling');
  await walk.owner.latchkey.logIn();
  await walk.owner.latchkey.ownRecoveries.shorten(recoveryId);
  await reaches(phone, recoveryId, 'rebind');
  await recovery.createPasskey(recoveryId, { name: 'New phone', platform: 'web' });
}

async function begin(walk: Walk, { latchkey: { recovery } }: SoftwarePhone): Promise<string> {
  const { stack, owner } = walk;
  const sent = messagesTo(stack, owner.email).length;
  const asked = { report: 'broken', locale: 'en', email: owner.email } as const;
  const { requestId } = await recovery.start(asked);
  const { recoveryId = '' } = await recovery.submitCode(requestId, await found(walk, CODE, sent));
  await vi.waitFor(async () => {
    const { state } = await recovery.view(recoveryId);
    if (state !== 'identity') throw new Error(`${state} instead of identity`);
  }, PATIENCE);
  return recoveryId;
}

async function reaches(
  { latchkey: { recovery } }: SoftwarePhone,
  recoveryId: string,
  state: RecoveryState,
): Promise<void> {
  await vi.waitFor(async () => {
    const view = await recovery.view(recoveryId);
    if (view.state !== state) throw new Error(`${view.state} instead of ${state}`);
  }, PATIENCE);
}

/** In the newest message to the owner that has it, of those after the first so many. */
async function found(
  { stack, owner }: Pick<Walk, 'stack' | 'owner'>,
  pattern: RegExp,
  after: number,
): Promise<string> {
  return await vi.waitFor(() => {
    const texts = messagesTo(stack, owner.email).slice(after);
    const [, value] = pattern.exec(texts.findLast((text) => pattern.test(text)) ?? '') ?? [];
    if (value === undefined) throw new Error('no such message has come');
    return value;
  }, PATIENCE);
}

/** As a page does: no key, no cookie. */
async function post({ issuer }: TestStack, path: string, body: object): Promise<void> {
  const answer = await fetch(`${issuer}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
}
