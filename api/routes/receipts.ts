/**
 * Receipts: for the customer who approved, for the client that asked, and the public halves of the keys that verify them, for anybody and for ever.
 * It makes none: the worker does, after the approval.
 */
import { readReceipt } from '../../db/receipts.ts';
import { receiptKeys } from '../../db/receipt-keys.ts';
import type { ReceiptKey } from '../../db/receipt-keys.ts';
import { stepUpOfRequester } from '../../db/step-up.ts';
import { isReadOnly } from '../../domain/auth-strength.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { ownStepUp } from '../step-ups/own-step-up.ts';
import { withheld } from '../step-ups/receipt-copy.ts';
import type { ApiServices } from '../dependencies.ts';
import { StepUpParams } from '../schemas/customer-step-ups.ts';
import { ReceiptKeyList, ReceiptQuery, ReceiptView } from '../schemas/receipts.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

const CACHED_SECONDS = 60;
/** Anybody may ask, and a key is seldom new. */
const REMEMBERED_MS = 2_000;
const problems = ['step_up_not_found', 'step_up_not_approved', 'receipt_pending'] as const;
const of = { params: StepUpParams, querystring: ReceiptQuery, response: { 200: ReceiptView } };

export function registerReceiptRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerKeys(app, services);
  registerReceipts(app, services);
}

function registerKeys(app: LatchkeyApp, { database, clock }: ApiServices): void {
  const known = new Map<
    string,
    { readonly keys: Promise<readonly ReceiptKey[]>; untilMs: number }
  >();
  const keysOf = (tenantId: string): Promise<readonly ReceiptKey[]> => {
    const found = known.get(tenantId);
    if (found !== undefined && clock.nowMs() < found.untilMs) return found.keys;
    const keys = database.tenant(tenantId, (tx) => receiptKeys(tx, tenantId));
    known.set(tenantId, { keys, untilMs: clock.nowMs() + REMEMBERED_MS });
    keys.catch(() => known.delete(tenantId));
    return keys;
  };
  app.get(
    '/.well-known/receipt-keys.json',
    {
      schema: {
        summary: 'The keys that verify receipts, all there ever were',
        tags: ['discovery'],
        response: { 200: ReceiptKeyList },
      },
      config: { operationId: 'receiptKeys' },
    },
    async (request, reply) => {
      const { tenantId, issuer } = request.tenant;
      const keys = await keysOf(tenantId);
      reply.header('cache-control', `public, max-age=${String(CACHED_SECONDS)}`);
      return {
        issuer,
        keys: keys.map(({ keyId, publicJwk, validFrom, validUntil }) => ({
          ...publicJwk,
          kid: keyId,
          use: 'sig' as const,
          alg: 'ES256' as const,
          validFrom: validFrom.toISOString(),
          validUntil: validUntil?.toISOString() ?? null,
        })),
      };
    },
  );
}

function registerReceipts(app: LatchkeyApp, services: ApiServices): void {
  const { database } = services;
  const own = { summary: 'Get the receipt of what one approved', tags: ['step-up'], ...of };
  app.get(
    '/auth/step-ups/:stepUpId/receipt',
    { schema: own, config: { operationId: 'getOwnReceipt', problems } },
    async (request) => {
      const { tenantId } = request.tenant;
      // A device that may only read sees no personal text.
      const isMasked = isReadOnly(callerOf(request, 'customer').acr);
      const receipt = await database.tenant(tenantId, async (tx) =>
        readReceipt(tx, services, await ownStepUp(tx, request, request.params.stepUpId)),
      );
      return isMasked || request.query.text === 'withheld' ? withheld(receipt) : receipt;
    },
  );

  const asked = {
    summary: 'Get the receipt of what was asked for',
    tags: ['step-up requester'],
    ...of,
  };
  app.get(
    '/step-ups/:stepUpId/receipt',
    { schema: asked, config: { operationId: 'getReceipt', problems } },
    async (request) => {
      const { tenantId } = request.tenant;
      const { clientId } = callerOf(request, 'machine');
      const { stepUpId } = request.params;
      const receipt = await database.tenant(tenantId, async (tx) => {
        const requester = { kind: 'client', id: clientId } as const;
        const record = await stepUpOfRequester(tx, { tenantId, stepUpId, requester });
        if (record === undefined) throw new LatchkeyError('step_up_not_found');
        return await readReceipt(tx, services, record);
      });
      return request.query.text === 'withheld' ? withheld(receipt) : receipt;
    },
  );
}
