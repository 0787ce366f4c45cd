/**
 * What can happen to one customer's hold, as commands that drive db/approvals.ts and a model side by side: cut-offs, requests, approvals and
 * declines by four accounts (two of them one person's), roles that come and go, releases by the fraud engine, time.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { approveRelease, declineRelease, requestRelease } from '../../../db/approvals.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { listHolds } from '../../../db/staff-desk.ts';
import type { StaffRole } from '../../../domain/staff.ts';
import { cutOffCustomer, releaseCustomer } from '../customer.ts';
import { setRoles } from '../rows/staff-rows.ts';
import type { SeededStaff } from '../rows/staff-rows.ts';

const TTL_MS = 600_000;
/** Accounts 0 and 1 are one person's. */
const PERSONS = ['ana', 'ana', 'sione', 'ben'] as const;

interface Request {
  readonly approvalId: string;
  readonly by: number;
  readonly epoch: number;
  readonly leftMs: number;
  readonly isDecided: boolean;
}

export interface ApprovalModel {
  roles: StaffRole[];
  isHeld: boolean;
  epoch: number;
  releases: number;
  /** The latest. */
  request: Request | undefined;
}

export interface ApprovalReal {
  readonly database: Database;
  readonly clock: { nowMs: number };
  readonly tenantId: string;
  readonly customerId: string;
  readonly accounts: readonly SeededStaff[];
}

type Command = fc.AsyncCommand<ApprovalModel, ApprovalReal>;
type Step = (model: ApprovalModel, real: ApprovalReal, tx: Tx) => Promise<void>;

/** Whether the latest request could still be approved by somebody. */
function stands({ request, isHeld, epoch, roles }: ApprovalModel): boolean {
  return (
    request !== undefined &&
    !request.isDecided &&
    request.leftMs > 0 &&
    isHeld &&
    request.epoch === epoch &&
    ['agent', 'supervisor'].includes(roles[request.by] ?? '')
  );
}

function command(name: string, step: Step, check: (model: ApprovalModel) => boolean): Command {
  return {
    check,
    run: async (model, real) => {
      await real.database.tenant(real.tenantId, (tx) => step(model, real, tx));
      await compare(model, real);
    },
    toString: () => name,
  };
}

async function compare(model: ApprovalModel, real: ApprovalReal): Promise<void> {
  const { customerId } = real;
  const [row] = await real.database.tenant(
    real.tenantId,
    (tx) => tx`
      select security_epoch as epoch,
        (select count(*)::integer from hold h where h.customer_id = c.customer_id and h.status = 'active') as holds,
        (select count(*)::integer from approval a where a.customer_id = c.customer_id and a.status = 'approved') as approved
      from customer c where customer_id = ${customerId}`,
  );
  expect(row).toEqual({
    epoch: model.epoch,
    holds: model.isHeld ? 1 : 0,
    approved: model.releases,
  });
}

const ask: (by: number) => Step = (by) => async (model, real, tx) => {
  const { tenantId, customerId } = real;
  const staffId = real.accounts[by]?.staffId ?? '';
  const [hold] = await listHolds(tx, { tenantId, customerId, limit: 1 });
  const approvalId = newId('approval');
  const answer = await requestRelease(tx, {
    tenantId,
    holdId: hold?.holdId ?? '',
    approvalId,
    reason: 'false_alarm',
    staffId,
    ttlSeconds: TTL_MS / 1000,
  });
  if (stands(model)) {
    expect(answer).toEqual({ refused: 'approval_pending' });
    return;
  }
  expect(answer).toMatchObject({ approvalId });
  model.request = { approvalId, by, epoch: model.epoch, leftMs: TTL_MS, isDecided: false };
};

const approve: (by: number) => Step = (by) => async (model, real, tx) => {
  const { request } = model;
  const staffId = real.accounts[by]?.staffId ?? '';
  const decision = { tenantId: real.tenantId, approvalId: request?.approvalId ?? '', staffId };
  const answer = await approveRelease(tx, decision);
  const may =
    stands(model) &&
    model.roles[by] === 'supervisor' &&
    PERSONS[by] !== PERSONS[model.request?.by ?? by];
  expect({ answer, may: 'releasedAtMs' in answer }).toMatchObject({ may });
  // Whoever comes upon a request that fell notes it: it stays fallen, whatever comes back afterwards.
  if (request !== undefined && !stands(model)) model.request = { ...request, isDecided: true };
  if (!may) return;
  model.isHeld = false;
  model.releases += 1;
  model.request = undefined;
};

const decline: (by: number) => Step = (by) => async (model, real, tx) => {
  const { request } = model;
  const staffId = real.accounts[by]?.staffId ?? '';
  const decision = { tenantId: real.tenantId, approvalId: request?.approvalId ?? '', staffId };
  const answer = await declineRelease(tx, decision);
  if (stands(model)) expect(answer).toHaveProperty('holdId');
  if ('holdId' in answer && request !== undefined) model.request = { ...request, isDecided: true };
};

const isAsked = (model: ApprovalModel) => model.request !== undefined;
const mayAsk = (by: number) => (model: ApprovalModel) =>
  model.isHeld && ['agent', 'supervisor'].includes(model.roles[by] ?? '');

const cutOff = command(
  'cut off',
  async (model, { tenantId, customerId }, tx) => {
    await cutOffCustomer(tx, { tenantId, customerId });
    model.isHeld = true;
    model.epoch += 1;
  },
  () => true,
);

const releaseByMachine = command(
  'the fraud engine releases',
  async (model, { tenantId, customerId }, tx) => {
    await releaseCustomer(tx, { tenantId, customerId });
    model.isHeld = false;
  },
  (model) => model.isHeld,
);

const role = (by: number, now: StaffRole) =>
  command(
    `account ${String(by)} is ${now}`,
    async (model, real, tx) => {
      const account = real.accounts[by];
      if (account !== undefined) await setRoles(tx, account, [now]);
      model.roles = model.roles.with(by, now);
    },
    () => true,
  );

const wait = (ms: number) =>
  command(
    `wait ${String(ms)} ms`,
    async (model, real) => {
      real.clock.nowMs += ms;
      const { request } = model;
      if (request !== undefined) model.request = { ...request, leftMs: request.leftMs - ms };
    },
    () => true,
  );

const account = fc.integer({ min: 0, max: PERSONS.length - 1 });
const asks = (by: number) => command(`account ${String(by)} asks`, ask(by), mayAsk(by));
const approves = (by: number) => command(`account ${String(by)} approves`, approve(by), isAsked);

/** How each life begins. */
export const beginning: readonly Command[] = [cutOff, asks(0)];

export const approvalCommands = fc.commands(
  [
    fc.constant(cutOff),
    fc.constant(releaseByMachine),
    account.map(asks),
    account.map(asks),
    account.map(approves),
    account.map(approves),
    // The one who may, while the roles are what they were; and who asked first goes.
    fc.constant(approves(2)),
    fc.constant(role(0, 'auditor')),
    account.map((by) => command(`account ${String(by)} declines`, decline(by), isAsked)),
    fc
      .tuple(account, fc.constantFrom<StaffRole>('agent', 'supervisor', 'auditor'))
      .map(([by, now]) => role(by, now)),
    fc.constantFrom(1, TTL_MS - 1, TTL_MS).map(wait),
  ],
  { maxCommands: 20, size: 'max' },
);
