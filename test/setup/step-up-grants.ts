/**
 * The three grants of a step-up that a stop of the customer must overtake (SECURITY.md section 1): keys, code and use, each just before it happens,
 * and the one rule that holds for every stop.
 */
import { expect } from 'vitest';
import type { Tx } from '../../db/connection.ts';
import { consumeStepUp } from '../../db/step-up-consume.ts';
import { statusOf } from '../../domain/step-up-status.ts';
import { play } from './postgres/interleaving.ts';
import type { Actor } from './postgres/interleaving.ts';
import type { Race } from './postgres/race.ts';
import {
  approvalOf,
  approved,
  asked,
  drive,
  guess,
  insertStepUpCustomer,
  payment,
  PAYMENTS,
  proveKeys,
  read,
  sentCode,
  show,
  STEP_UP_TOOLS,
  submit,
} from './step-ups.ts';
import type { StepUpCustomer } from './step-ups.ts';

/** One step-up just before the grant that races. */
export interface ReadyStepUp {
  readonly customer: StepUpCustomer;
  readonly stepUpId: string;
  readonly amount: string;
  readonly submissionId: string;
}

interface StepUpGrant {
  readonly name: string;
  readonly prepare: (race: Race) => Promise<ReadyStepUp>;
  readonly work: (tx: Tx, ready: ReadyStepUp) => Promise<unknown>;
  readonly status: string;
}

export const STEP_UP_GRANTS: readonly StepUpGrant[] = [
  {
    name: 'approve',
    prepare: openAndSubmitted,
    work: (tx, { customer, stepUpId, submissionId }) =>
      drive(tx, customer, stepUpId, { event: 'keys_proved', submissionId }),
    status: 'approved',
  },
  {
    name: 'code',
    prepare: codeMatched,
    work: (tx, { customer, stepUpId }) => drive(tx, customer, stepUpId, { event: 'code_matched' }),
    status: 'approved',
  },
  { name: 'consume', prepare: approvedOne, work: use, status: 'consumed' },
];

export function newCustomer({ database, tenantId }: Race): Promise<StepUpCustomer> {
  return database.tenant(tenantId, (tx) => insertStepUpCustomer(tx, tenantId));
}

export async function openAndSubmitted(race: Race): Promise<ReadyStepUp> {
  const customer = await newCustomer(race);
  return await race.database.tenant(race.tenantId, async (tx) => {
    const stepUpId = await asked(tx, customer);
    await drive(tx, customer, stepUpId, { event: 'opened' });
    const payload = approvalOf(customer, await show(tx, customer, stepUpId));
    const handed = { step: 'step_up_approval', payload } as const;
    const submissionId = await submit(tx, customer, stepUpId, handed);
    return { customer, stepUpId, amount: '400.00', submissionId };
  });
}

async function codeMatched(race: Race): Promise<ReadyStepUp> {
  const customer = await newCustomer(race);
  const amount = '40000.00';
  return await race.database.tenant(race.tenantId, async (tx) => {
    const stepUpId = await asked(tx, customer, { action: payment(amount) });
    await drive(tx, customer, stepUpId, { event: 'opened' });
    await proveKeys(tx, customer, stepUpId, await show(tx, customer, stepUpId));
    await guess(tx, customer, stepUpId, await sentCode(tx, customer, stepUpId));
    return { customer, stepUpId, amount, submissionId: '' };
  });
}

export async function approvedOne(race: Race): Promise<ReadyStepUp> {
  const customer = await newCustomer(race);
  const stepUpId = await approved((work) => race.database.tenant(race.tenantId, work), customer);
  return { customer, stepUpId, amount: '400.00', submissionId: '' };
}

export async function use(tx: Tx, { customer, stepUpId, amount }: ReadyStepUp) {
  return await consumeStepUp(tx, STEP_UP_TOOLS, {
    tenantId: customer.tenantId,
    stepUpId,
    requester: PAYMENTS,
    action: payment(amount),
  });
}

export async function shown({ database, tenantId }: Race, { stepUpId }: ReadyStepUp) {
  return statusOf(await database.tenant(tenantId, (tx) => read(tx, tenantId, stepUpId)));
}

/** The stop always comes through; the grant only when it was committed before. `order` is one of play()'s, the grant its `a`. */
export async function expectNothingGrantedAfter(
  race: Race,
  { name, prepare, work, status }: StepUpGrant,
  stop: { readonly order: string; readonly name: string; actor(ready: ReadyStepUp): Actor },
): Promise<void> {
  const { order } = stop;
  const ready = await prepare(race);
  const before = await shown(race, ready);
  const grant = race.stage.actor(name, (tx) => work(tx, ready));
  const committed = await play(order, grant, stop.actor(ready));
  const isGranted = committed.includes(name);
  expect({ order, committed, shown: await shown(race, ready) }).toEqual({
    order,
    committed: isGranted ? [name, stop.name] : [stop.name],
    shown: isGranted ? status : before,
  });
}
