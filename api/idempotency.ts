/**
 * Idempotency-Key for operations that change something: the same key and request do the work once and answer its outcome again; another
 * request under that key is refused. What is kept is a digest and a reference, never an answer. Use:
 *
 *     return await services.idempotency.run(request, {
 *       work: async (claim) => {
 *         const logout = await database.tenant(tenantId, async (tx) => {
 *           const ended = await endSessions(tx, …);
 *           await claim.settle(tx, String(ended));      // with the work or not at all
 *           return ended;
 *         });
 *         return { reference: String(logout), answer: { ended: logout } };
 *       },
 *       replay: async (reference) => ({ ended: Number(reference) }),
 *     });
 */
import { createHash, createHmac } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Tx } from '../db/connection.ts';
import {
  claimIdempotencyKey,
  releaseIdempotencyKey,
  settleIdempotencyKey,
} from '../db/idempotency.ts';
import type { IdempotencyKey } from '../db/idempotency.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import type { JsonValue } from '../domain/canonical-json.ts';
import { ERRORS, LatchkeyError } from '../domain/errors.ts';
import { accessOf, needsIdempotencyKey } from './access.ts';
import type { AppDependencies } from './dependencies.ts';
import { singleHeader } from './frame/headers.ts';
import { judgeError } from './problems.ts';
import type { Caller } from './types.ts';

const FORM = /^[\x21-\x7e]{1,128}$/;
const SETTLED_STATUS = 200;

export interface IdempotencyClaimed {
  /**
   * Keeps the reference in the work's own transaction, so that both stand or neither.
   * @throws LatchkeyError conflict when another process took over meanwhile.
   */
  settle(tx: Tx, reference: string): Promise<void>;
  /** For Temporal: the same for the same caller, operation, subject and key; tells nothing of any (TEMPORAL.md, Updates). */
  updateId(subject: string): string;
}

export interface IdempotentWork<Answer> {
  /** `reference` finds the outcome again; it stands in a table, so it is no secret and no personal data. */
  readonly work: (
    claim: IdempotencyClaimed,
  ) => Promise<{ readonly reference: string; readonly answer: Answer }>;
  readonly replay: (reference: string) => Promise<Answer>;
}

export interface Idempotency {
  /** @throws LatchkeyError idempotency_key_reused, idempotency_in_progress, and what the work throws */
  run<Answer>(request: FastifyRequest, work: IdempotentWork<Answer>): Promise<Answer>;
}

/** The hook behind it: refuses a missing or misshapen key before the handler, for every operation that needs one. */
export function requireIdempotencyKey(request: FastifyRequest): void {
  const { operationId } = request.routeOptions.config;
  if (needsIdempotencyKey(operationId, request.method)) readKey(request);
}

export function createIdempotency({
  database,
  kms,
}: Pick<AppDependencies, 'database' | 'kms'>): Idempotency {
  return {
    run: async (request, { work, replay }) => {
      const { tenantId, policy } = request.tenant;
      const rawKey = readKey(request);
      const operation = operationOf(request);
      const caller = callerName(request.caller);
      const key: IdempotencyKey = { tenantId, caller, operation, keyHash: digest([rawKey]) };
      const claim = await claimIdempotencyKey(database, key, {
        bodyHash: requestDigest(request),
        keptSeconds: policy.idempotency.keptSeconds,
      });
      if (claim.kind === 'settled') return await replay(claim.reference);
      if (claim.kind === 'other_request') throw new LatchkeyError('idempotency_key_reused');
      if (claim.kind === 'in_progress')
        throw new LatchkeyError('idempotency_in_progress', { retryAfterSeconds: 1 });

      const { claimedAt } = claim;
      let isSettled = false;
      const settle = async (tx: Tx, reference: string) => {
        const args = { claimedAt, reference, status: SETTLED_STATUS };
        if (!(await settleIdempotencyKey(tx, key, args))) throw new LatchkeyError('conflict');
        isSettled = true;
      };
      const updateId = (subject: string) =>
        createHmac('sha256', kms.secret('update-id').key)
          .update(JSON.stringify([tenantId, subject, caller, operation, rawKey]))
          .digest('base64url');
      try {
        const { reference, answer } = await work({ settle, updateId });
        if (!isSettled) await database.tenant(tenantId, (tx) => settle(tx, reference));
        return answer;
      } catch (error) {
        const { status } = ERRORS[judgeError(error).code];
        await release(database, key, { claimedAt, status });
        throw error;
      }
    },
  };
}

/** Best effort: what could not be released is taken over after a while. */
async function release(
  database: AppDependencies['database'],
  key: IdempotencyKey,
  args: { readonly claimedAt: string; readonly status: number },
): Promise<void> {
  try {
    await database.tenant(key.tenantId, (tx) => releaseIdempotencyKey(tx, key, args));
  } catch (error) {
    if (!(error instanceof LatchkeyError)) throw error;
  }
}

function readKey(request: FastifyRequest): string {
  const key = singleHeader(request, 'idempotency-key', 'idempotency_key_missing');
  if (key === undefined || !FORM.test(key)) throw new LatchkeyError('idempotency_key_missing');
  return key;
}

function operationOf(request: FastifyRequest): string {
  const { operationId } = request.routeOptions.config;
  if (operationId === undefined || accessOf(operationId) === undefined)
    throw new TypeError('an idempotent operation is a row of the access matrix');
  return operationId;
}

function callerName(caller: Caller): string {
  switch (caller.kind) {
    case 'machine':
    case 'service':
      return `machine:${caller.clientId}`;
    case 'customer':
      // One key has one session after another, of one customer after another: none may be told what another did.
      return `customer:${caller.sessionId}`;
    case 'staff':
      // The person: who had to log in anew meanwhile repeats under the next session.
      return `staff:${caller.staffId}`;
    case 'key':
    case 'client':
      return `${caller.kind}:${caller.jkt}`;
    case 'public':
    case 'vendor':
    case 'gateway':
    case 'unproved':
      throw new TypeError(`a ${caller.kind} caller has no name to keep keys under`);
  }
}

/** Over body and path: the same key for another ceremony is another request. */
function requestDigest(request: FastifyRequest): Uint8Array {
  // Both were validated by the operation's schema, and JSON made the body.
  const body = (request.body ?? null) as JsonValue;
  const parameters = (request.params ?? null) as JsonValue;
  return digest([canonicalJson(body), canonicalJson(parameters)]);
}

function digest(parts: readonly string[]): Uint8Array {
  return createHash('sha256').update(JSON.stringify(parts)).digest();
}
