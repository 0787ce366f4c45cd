/**
 * The Nexus operation `stepUp`: whoever calls it proves the request by its JWS, gets the step-up of that request and waits for its answer. A second
 * caller attaches to the first one's wait, a late one is told what is stored; cancelling the operation takes the step-up back. What a caller's
 * headers, endpoint or namespace say proves nothing here.
 */
import { WorkflowIdReusePolicy } from '@temporalio/client';
import { ApplicationFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { startWorkflow, WorkflowRunOperationHandler } from '@temporalio/nexus';
import {
  HandlerError,
  HandlerStartOperationResult,
  OperationError,
  serviceHandler,
  type OperationHandler,
  type ServiceHandler,
  type StartOperationContext,
} from 'nexus-rpc';
import { Value } from 'typebox/value';
import { systemClock } from '../adapters/clock.ts';
import { newId } from '../adapters/random.ts';
import { verifyRequesterJws } from '../api/proofs/requester-jws.ts';
import { readCompactJws } from '../api/proofs/compact-jws.ts';
import { RequestStepUpBody } from '../api/schemas/step-ups.ts';
import { requestStepUp } from '../api/step-ups/request.ts';
import type { StepUpAnswerStore } from '../db/step-up-answers.ts';
import { ERRORS, LatchkeyError } from '../domain/errors.ts';
import { stepUpAnswerId } from '../domain/ids.ts';
import { isAnswered } from '../domain/step-up-status.ts';
import { tenantUrl } from '../domain/tenant-url.ts';
import { NEXUS_QUEUE } from '../temporal/nexus-worker.ts';
import {
  latchkeyService,
  type StepUpOperationInput,
  type StepUpOperationResult,
} from '../temporal/nexus-service.ts';
import { WORKFLOW_TASK_TIMEOUT_MS } from '../temporal/queues.ts';
import type { WorkerParts } from './parts.ts';

const MAX_JWS = 4096;

type Started = HandlerStartOperationResult<StepUpOperationResult>;
type Parts = Pick<WorkerParts, 'database' | 'gateway' | 'personalData'> & {
  readonly configuration: Pick<WorkerParts['configuration'], 'mode' | 'http'>;
  readonly log: Pick<WorkerParts['log'], 'error'>;
};

export function createStepUpService(parts: Parts, answers: StepUpAnswerStore): ServiceHandler {
  return serviceHandler(latchkeyService, { stepUp: new StepUpOperation(parts, answers) });
}

class StepUpOperation implements OperationHandler<StepUpOperationInput, StepUpOperationResult> {
  readonly #parts: Parts;
  readonly #answers: StepUpAnswerStore;

  constructor(parts: Parts, answers: StepUpAnswerStore) {
    this.#parts = parts;
    this.#answers = answers;
  }

  async start(context: StartOperationContext, input: StepUpOperationInput): Promise<Started> {
    try {
      return await this.#start(context, input);
    } catch (error) {
      throw this.#toNexusError(error);
    }
  }

  /** The answering workflow hears of it, and takes the step-up back. */
  async cancel(...args: Parameters<OperationHandler<never, never>['cancel']>): Promise<void> {
    await waiting.cancel(...args);
  }

  async #start(context: StartOperationContext, input: StepUpOperationInput): Promise<Started> {
    const { configuration, database, gateway: temporal, personalData } = this.#parts;
    const { request, jws } = readInput(input);
    const { tenantId, issuer } = await this.#tenantOf(jws);
    const takesDemoKeys = configuration.mode === 'development';
    const signed = { tenantId, issuer, jws, request, takesDemoKeys };
    const { client, stepUpId } = await verifyRequesterJws({ database, clock: systemClock }, signed);
    const deps = { database, temporal, personalData, newId };
    const asked = await requestStepUp(deps, { tenantId, stepUpId, client, request });
    if (asked.status === 'not_required') return HandlerStartOperationResult.sync(NOT_REQUIRED);
    const stored = await this.#stored(tenantId, stepUpId);
    if (stored !== undefined) return HandlerStartOperationResult.sync(stored);
    return await this.#wait(context, { tenantId, stepUpId });
  }

  async #wait(
    context: StartOperationContext,
    { tenantId, stepUpId }: { readonly tenantId: string; readonly stepUpId: string },
  ): Promise<Started> {
    try {
      const handler = new WorkflowRunOperationHandler<undefined, StepUpOperationResult>((started) =>
        startWorkflow(started, 'stepUpAnswer', {
          workflowId: stepUpAnswerId(tenantId, stepUpId),
          taskQueue: NEXUS_QUEUE,
          workflowIdConflictPolicy: 'USE_EXISTING',
          workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
          workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
          args: [{ tenantId, id: stepUpId }],
          staticSummary: 'Answer to whoever awaits a step-up',
        }),
      );
      return await handler.start(context, undefined);
    } catch (error) {
      // It has been answered a moment ago, or its wait was called off: the row says which.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      const stored = await this.#stored(tenantId, stepUpId);
      if (stored === undefined) throw new LatchkeyError('temporal_unavailable', { cause: error });
      return HandlerStartOperationResult.sync(stored);
    }
  }

  /** undefined while the customer has still to answer. */
  async #stored(tenantId: string, stepUpId: string): Promise<StepUpOperationResult | undefined> {
    const reading = await this.#answers.read({ tenantId, stepUpId });
    if (reading === undefined) return undefined;
    const { status } = reading.answer;
    return isAnswered(status) ? { ...reading.answer, status } : undefined;
  }

  /** Whom the JWS says it is for; its signature is checked by whoever reads more of it. */
  async #tenantOf(jws: string): Promise<{ tenantId: string; issuer: string }> {
    const audience = readCompactJws(jws, MAX_JWS)?.payload['aud'];
    const { configuration, database } = this.#parts;
    for (const { tenantId, slug } of await database.tenants()) {
      const issuer = tenantUrl(configuration.http, slug);
      if (audience === `${issuer}/step-ups`) return { tenantId, issuer };
    }
    throw new LatchkeyError('invalid_client_assertion');
  }

  /** Only codes leave. A part that is down is tried again by Temporal; whatever was refused is not. */
  #toNexusError(error: unknown): Error {
    if (error instanceof HandlerError || error instanceof OperationError) return error;
    const code = error instanceof LatchkeyError ? error.code : 'internal_error';
    const { status, public: isPublic } = ERRORS[code];
    if (code === 'internal_error')
      this.#parts.log.error({ err: error }, 'a step-up operation failed');
    const message = isPublic ? code : 'internal_error';
    if (status === 401) return new HandlerError('UNAUTHENTICATED', message);
    if (status === 403) return new HandlerError('UNAUTHORIZED', message);
    if (status >= 500) return new HandlerError('UNAVAILABLE', message, { retryableOverride: true });
    const cause = ApplicationFailure.create({ message, type: message, nonRetryable: true });
    return new OperationError('failed', message, { cause });
  }
}

/** For its cancel alone: the token says which workflow. */
const waiting = new WorkflowRunOperationHandler<never, never>(() => {
  throw new TypeError('starts nothing');
});

const NOT_REQUIRED: StepUpOperationResult = {
  status: 'not_required',
  stepUpId: null,
  acr: null,
  receiptId: null,
};

/** As strictly as the API reads a body. @throws LatchkeyError invalid_request */
function readInput(input: unknown): { request: RequestStepUpBody; jws: string } {
  if (typeof input !== 'object' || input === null) throw new LatchkeyError('invalid_request');
  const { request, jws, ...rest } = input as Readonly<Record<string, unknown>>;
  const isRight =
    typeof jws === 'string' &&
    Object.keys(rest).length === 0 &&
    Value.Check(RequestStepUpBody, request);
  if (!isRight) throw new LatchkeyError('invalid_request');
  return { request, jws };
}
