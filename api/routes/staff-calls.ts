/**
 * A call between staff and customer that proves both sides: the app shows who is on the line and why, the customer approves with his passkey, and
 * the member of staff sees with what. It is a step-up like any other, attributed to whoever asked; nothing is told over the line itself.
 */
import { appendAudit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import { provingDevice } from '../../db/devices.ts';
import { readReceipt } from '../../db/receipts.ts';
import { createStepUp } from '../../db/step-up-create.ts';
import { openRequest } from '../../db/step-up-sealed.ts';
import { readStepUp, type StepUpRecord } from '../../db/step-up.ts';
import { ACTION_TYPES } from '../../domain/action-types.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { flawOf } from '../../domain/text-flaws.ts';
import { statusOf } from '../../domain/step-up-status.ts';
import { startStepUp } from '../step-ups/start.ts';
import type { ApiServices } from '../dependencies.ts';
import { isoTime } from '../iso-time.ts';
import { CallCustomerParams, CallParams, CallView, StartCallBody } from '../schemas/staff-calls.ts';
import { ReceiptQuery, ReceiptView } from '../schemas/receipts.ts';
import { withheld } from '../step-ups/receipt-copy.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp, StaffCaller } from '../types.ts';

const tags = ['staff'];

export function registerStaffCallRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerStart(app, services);
  registerReading(app, services);
  registerReceipt(app, services);
}

function registerStart(app: LatchkeyApp, services: ApiServices): void {
  const { database, idempotency, newId } = services;
  const config = {
    operationId: 'startCall',
    problems: [
      'not_found',
      'customer_on_hold',
      'step_up_pending',
      'step_ups_paused',
      'temporal_unavailable',
    ],
  } as const;
  const schema = {
    summary: 'Have a caller prove in the app who he is',
    description:
      'The app shows the member of staff and the case. For the same case it takes the place of the request before.',
    tags,
    params: CallCustomerParams,
    body: StartCallBody,
    response: { 201: CallView },
  };
  const url = '/staff/customers/:customerId/calls';
  app.post(url, { config, schema }, async (request, reply) => {
    const { tenantId } = request.tenant;
    const { customerId } = request.params;
    const { caseReference } = request.body;
    const caller = callerOf(request, 'staff');
    const agent = shownNameOf(caller);
    const finish = async (stepUpId: string) => {
      await startStepUp(services, await callOf(services, { tenantId, stepUpId }));
      return await answer(services, { tenantId, stepUpId }, caller);
    };
    const call = await idempotency.run(request, {
      work: async (claim) => {
        const stepUpId = newId('ceremony');
        await database.tenant(tenantId, async (tx) => {
          await createStepUp(tx, services, {
            tenantId,
            stepUpId,
            requester: { kind: 'staff', id: caller.staffId },
            requesterName: agent,
            customerId,
            action: { type: 'verified_call', agent, case: caseReference },
            reference: caseReference,
            atLeast: 'latchkey:3',
          });
          await claim.settle(tx, stepUpId);
        });
        return { reference: stepUpId, answer: await finish(stepUpId) };
      },
      replay: finish,
    });
    return await reply.code(201).send(call);
  });
}

function registerReading(app: LatchkeyApp, services: ApiServices): void {
  const config = { operationId: 'getCall', problems: ['step_up_not_found'] } as const;
  const schema = {
    summary: 'See whether a caller has proved himself',
    tags,
    params: CallParams,
    response: { 200: CallView },
  };
  app.get('/staff/calls/:stepUpId', { config, schema }, (request) => {
    const { tenantId } = request.tenant;
    const { stepUpId } = request.params;
    return answer(services, { tenantId, stepUpId }, callerOf(request, 'staff'));
  });
}

function registerReceipt(app: LatchkeyApp, services: ApiServices): void {
  const { database } = services;
  const config = {
    operationId: 'getCallReceipt',
    problems: ['step_up_not_found', 'step_up_not_approved', 'receipt_pending'],
  } as const;
  const schema = {
    summary: 'Get the receipt of one’s own verified call',
    description:
      'For the member of staff who made the call, and nobody else. Each reading is noted.',
    tags,
    params: CallParams,
    querystring: ReceiptQuery,
    response: { 200: ReceiptView },
  };
  app.get('/staff/calls/:stepUpId/receipt', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const { stepUpId } = request.params;
    const { staffId } = callerOf(request, 'staff');
    const receipt = await database.tenant(tenantId, async (tx) => {
      const call = await readCall(tx, { tenantId, stepUpId });
      if (call.requester.id !== staffId) throw new LatchkeyError('step_up_not_found');
      const found = await readReceipt(tx, services, call);
      await auditLook(tx, { call, staffId, action: 'staff.call_receipt_read' });
      return found;
    });
    return request.query.text === 'withheld' ? withheld(receipt) : receipt;
  });
}

const MAX_AGENT = ACTION_TYPES.verified_call.members.agent.maxLength;

/**
 * Name and number, so that the customer can hold the person on the line to both; a name is as its owner wrote it in the directory: one that could say
 * more than who is on the line is not shown to a customer.
 */
function shownNameOf({ name, employeeId }: Pick<StaffCaller, 'name' | 'employeeId'>): string {
  const shown = [`${name}, ${employeeId}`, name].find(
    (text) => flawOf(text, MAX_AGENT) === undefined,
  );
  return shown ?? employeeId.slice(0, MAX_AGENT);
}

interface Subject {
  readonly tenantId: string;
  readonly stepUpId: string;
}

async function callOf({ database }: ApiServices, subject: Subject): Promise<StepUpRecord> {
  return await database.tenant(subject.tenantId, (tx) => readCall(tx, subject));
}

/** What is no call is no business of staff here. */
async function readCall(tx: Tx, subject: Subject): Promise<StepUpRecord> {
  const record = await readStepUp(tx, subject);
  if (record?.requester.kind !== 'staff') throw new LatchkeyError('step_up_not_found');
  return record;
}

async function answer(
  services: ApiServices,
  subject: Subject,
  { staffId }: Pick<StaffCaller, 'staffId'>,
): Promise<CallView> {
  return await services.database.tenant(subject.tenantId, async (tx) => {
    const call = await readCall(tx, subject);
    // Whoever asked looks every few seconds; a colleague's look is worth a line.
    if (call.requester.id !== staffId)
      await auditLook(tx, { call, staffId, action: 'staff.call_viewed' });
    return await viewOf(tx, services, call);
  });
}

async function auditLook(
  tx: Tx,
  {
    call: { tenantId, stepUpId, customerId },
    staffId,
    action,
  }: { readonly call: StepUpRecord; readonly staffId: string; readonly action: string },
): Promise<void> {
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'staff', id: staffId },
    action,
    subject: { kind: 'step_up', id: stepUpId },
    customerId,
    ceremonyId: stepUpId,
  });
}

async function viewOf(
  tx: Tx,
  tools: Pick<ApiServices, 'personalData'>,
  call: StepUpRecord,
): Promise<CallView> {
  const { tenantId, approvedAtMs, approvedDeviceId, nowMs } = call;
  const { reference } = await openRequest(tx, tools, call);
  const hasProved = approvedAtMs !== null && approvedDeviceId !== null;
  const device = hasProved
    ? await provingDevice(tx, { tenantId, deviceId: approvedDeviceId })
    : undefined;
  return {
    stepUpId: call.stepUpId,
    customerId: call.customerId,
    caseReference: reference,
    status: statusOf(call),
    createdAt: isoTime(call.createdAtMs),
    approveBy: isoTime(call.approveByMs),
    approvedAt: isoTime(approvedAtMs),
    provedSecondsAgo:
      approvedAtMs === null ? null : Math.max(0, Math.floor((nowMs - approvedAtMs) / 1000)),
    method: hasProved ? 'passkey' : null,
    deviceName: device?.name ?? null,
    deviceTrustedSince: isoTime(device?.trustedAtMs ?? null),
  };
}
