/** Every success of step-ups, on both sides: a payment of a high value that is used, one refused, one taken back, and a login that needs more. */
import { expect, vi } from 'vitest';
import type postgres from 'postgres';
import { systemClock } from '../../adapters/clock.ts';
import { DEMO_PAYMENTS_KEY } from '../../runtime/demo-secrets.ts';
import { MachineClient } from '../../runtime/machine-client.ts';
import { neededProofOf } from '../../sdk/login-step-up.ts';
import { codeSentTo, messagesTo } from '../setup/software-phone.ts';
import type { SoftwarePhone } from '../setup/software-phone.ts';
import type { TestStack } from '../setup/stack.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };
const CONTEXT = { onCall: false, screenShared: false, accessibilityService: false };

interface Walk {
  readonly stack: TestStack;
  readonly phone: SoftwarePhone;
  readonly rows: postgres.Sql;
}

/** The phone is logged in before and after. */
export async function answerStepUps(walk: Walk): Promise<void> {
  const { stack, phone } = walk;
  const { stepUps } = phone.latchkey;
  const { customerId } = await phone.latchkey.me();
  const payments = new MachineClient({
    issuer: stack.issuer,
    clientId: 'demo-payments',
    key: DEMO_PAYMENTS_KEY,
    scope: 'step-ups:payment',
    clock: systemClock,
  });
  const post = (path: string, body: object) => payments.call({ method: 'POST', path, body });
  const ask = async (amount: string): Promise<string> => {
    const body = { customerId, action: paymentOf(amount), reference: `walk-${amount}` };
    const answer = await post('/step-ups', body);
    // The schema of the operation says so.
    const { stepUpId } = (await answer.json()) as { stepUpId: string };
    await vi.waitFor(async () => {
      expect(await stateOf(walk, stepUpId)).toBe('open');
    }, PATIENCE);
    return stepUpId;
  };
  const high = await ask('40000.00');
  await stepUps.list();
  await stepUps.view(high);
  const before = codesBefore(walk);
  await stepUps.approve(await stepUps.open(high, { locale: 'en', context: CONTEXT }));
  await endCoolDown(walk, high);
  await codeSentTo(stack, phone.number, before + 1);
  await stepUps.resendCode(high);
  await stepUps.submitCode(high, await codeSentTo(stack, phone.number, before + 2));
  await vi.waitFor(async () => {
    await stepUps.receipt(high);
  }, PATIENCE);
  await payments.call({ method: 'GET', path: `/step-ups/${high}/receipt` });
  await payments.call({ method: 'GET', path: `/step-ups/${high}` });
  await post(`/step-ups/${high}/consume`, { action: paymentOf('40000.01') });
  await post(`/step-ups/${high}/consume`, { action: paymentOf('40000.00') });
  await post('/step-ups', { customerId, action: paymentOf('1.00'), reference: 'walk-small' });
  const refused = await ask('400.00');
  await post('/step-ups', { customerId, action: paymentOf('500.00'), reference: 'walk-500' });
  await post(`/step-ups/${refused}/consume`, { action: paymentOf('400.00') });
  // Neither side has a receipt of what was not approved.
  await payments.call({ method: 'GET', path: `/step-ups/${refused}/receipt` });
  await expect(stepUps.receipt(refused)).rejects.toMatchObject({ code: 'step_up_not_approved' });
  await stepUps.deny(refused, 'declined');
  await post(`/step-ups/${refused}/consume`, { action: paymentOf('400.00') });
  await post(`/step-ups/${await ask('410.00')}/cancel`, {});
  await logInWithCode(walk);
}

function paymentOf(amount: string) {
  const payee = { name: 'Mere Kahu', account: '12-3456-7890123-00' };
  return { type: 'payment', amount, currency: 'NZD', payee };
}

/** Codes that the number was sent so far. */
function codesBefore({ stack, phone }: Walk): number {
  return messagesTo(stack, phone.number).filter((text) => /\b\d{6}\b/.test(text)).length;
}

/** At a risk that the stage sets: the key that is refused goes on with the code. */
async function logInWithCode(walk: Walk): Promise<void> {
  const { stack, phone } = walk;
  await setRisk(stack, 'high');
  const before = codesBefore(walk);
  const refusal: unknown = await phone.latchkey.logIn().catch((error: unknown) => error);
  await setRisk(stack, 'low');
  const { stepUpId = '' } = neededProofOf(refusal) ?? {};
  await codeSentTo(stack, phone.number, before + 1);
  await endCoolDown(walk, stepUpId);
  const { loginStepUps } = phone.latchkey;
  await loginStepUps.resendCode(stepUpId);
  await loginStepUps.view(stepUpId);
  const code = await codeSentTo(stack, phone.number, before + 2);
  await loginStepUps.submitCode(stepUpId, code);
  await loginStepUps.finish(stepUpId);
}

async function setRisk(stack: TestStack, logins: 'low' | 'high'): Promise<void> {
  await fetch(`${stack.stageControl.url}/risk/behaviour`, {
    method: 'POST',
    headers: { origin: stack.publicUrl },
    body: JSON.stringify({ logins }),
  });
}

async function endCoolDown({ rows }: Walk, stepUpId: string): Promise<void> {
  await rows`update step_attempt set resend_after = created_at where ceremony_id = ${stepUpId}`;
}

async function stateOf({ rows }: Walk, stepUpId: string): Promise<string | undefined> {
  const [row] = await rows<
    { state: string }[]
  >`select state from ceremony where ceremony_id = ${stepUpId}`;
  return row?.state;
}
