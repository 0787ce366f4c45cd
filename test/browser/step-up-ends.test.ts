/**
 * Requests that end while the customer looks at them, whoever ends them: replaced, taken back, out of time; and one that comes while another is still to be
 * stopped. The payments service asks as in production; the rest is a real browser against the real stack. Photographed light and dark.
 */
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../adapters/clock.ts';
import { DEMO_PAYMENTS_CLIENT } from '../../db/bootstrap.ts';
import { createRequester } from '../../runtime/demo-requester.ts';
import type { Requester } from '../../runtime/demo-requester.ts';
import { DEMO_PAYMENTS_KEY } from '../../runtime/demo-secrets.ts';
import { MachineClient } from '../../runtime/machine-client.ts';
import { openCustomerStage, shootBothSizes, STAGE_PATIENCE_MS } from './customer-stage.ts';
import type { CustomerStage } from './customer-stage.ts';
import type { StageDriver } from './stage-driver.ts';

let opened: CustomerStage;
let stage: StageDriver;
let rows: postgres.Sql;
let requester: Requester;

beforeAll(async () => {
  opened = await openCustomerStage();
  ({ stage } = opened);
  const { database, issuer } = opened.stack;
  rows = postgres(database.superuserUrl, { max: 1, onnotice: () => undefined });
  const client = new MachineClient({
    issuer,
    clientId: DEMO_PAYMENTS_CLIENT,
    key: DEMO_PAYMENTS_KEY,
    scope: 'step-ups:payment',
    clock: systemClock,
  });
  requester = createRequester(client);
}, STAGE_PATIENCE_MS);

afterAll(async () => {
  await rows?.end();
  await opened?.close();
});

/** Of the only customer there is. Answers the step-up's id. */
async function ask(amount: string, reference: string): Promise<string> {
  const [session] = await rows<{ customerId: string; sessionId: string }[]>`
    select customer_id as "customerId", session_id as "sessionId" from session where status = 'live'`;
  if (session === undefined) throw new Error('the customer is logged out');
  const action = {
    type: 'payment',
    amount,
    currency: 'NZD',
    payee: { name: 'Mere Roofing Ltd', account: '12-3456-0789012-00' },
    reference: 'Roof',
  };
  const asked = { ...session, action, reference, locale: 'en' };
  const { status, body } = await requester.ask(asked, randomUUID());
  expect({ status, body }).toMatchObject({ status: 201 });
  return String(body['stepUpId']);
}

async function isAskedFor(amount: string): Promise<void> {
  await stage.sees('Demo Bank payments asks you');
  await stage.sees(`${amount} NZD`);
}

/** As if the time to answer had been over for as long as the sweeper leaves to a workflow. */
async function letItsTimePass(stepUpId: string): Promise<void> {
  await rows`
    update ceremony set created_at = created_at - interval '1 hour', deadline = deadline - interval '1 hour',
      step_deadline = step_deadline - interval '1 hour'
    where ceremony_id = ${stepUpId}`;
}

describe('a request on the screen', () => {
  it(
    'is replaced by a newer one of the same reference, which is a button away',
    async () => {
      const reference = randomUUID();
      await ask('400.00', reference);
      await isAskedFor('400.00');
      await ask('500.00', reference);
      await stage.sees('Replaced by a newer request');
      await shootBothSizes(stage, 'superseded');
      await stage.press('Show the newer one');
      await isAskedFor('500.00');
      await stage.press('It is me, but do not do it');
      await stage.sees('Not approved');
      await stage.press('Done');
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
  );

  it(
    'is taken back by whoever asked',
    async () => {
      const stepUpId = await ask('400.00', randomUUID());
      await isAskedFor('400.00');
      await requester.cancel(stepUpId);
      await stage.sees('Withdrawn');
      await stage.sees('Whoever asked has taken it back. The payment was not made.');
      await shootBothSizes(stage, 'withdrawn');
      await stage.press('Done');
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
  );

  it(
    'runs out of time',
    async () => {
      const stepUpId = await ask('400.00', randomUUID());
      await isAskedFor('400.00');
      await letItsTimePass(stepUpId);
      await stage.phone
        .getByText('It was not approved in time. The payment was not made.')
        .waitFor({ timeout: 90_000 });
      await shootBothSizes(stage, 'out-of-time');
      await stage.press('Done');
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
  );

  it(
    'is announced above an approved payment that can still be stopped, and opens from there',
    async () => {
      await stage.payStory('Changed after');
      await stage.settles();
      await stage.press('Pay 400.00 NZD');
      await isAskedFor('400.00');
      await stage.press('Approve');
      await stage.sees('Approved, not carried out yet');
      await ask('500.00', randomUUID());
      await stage.sees('The bank asks you something else');
      await shootBothSizes(stage, 'asked-besides');
      await stage.press('Look at it');
      await isAskedFor('500.00');
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
  );
});
