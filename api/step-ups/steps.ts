/** The steps of a step-up: both signatures, the code, another code. Taken by the customer's session, or by the key that began a login. */
import type { FastifyRequest } from 'fastify';
import type { Tx } from '../../db/connection.ts';
import type { StepUpRecord } from '../../db/step-up.ts';
import {
  REFUSED_STEP_UP_GUESSES,
  refusalOf,
  STEP_UP_EVENTS,
  type StepUpState,
} from '../../domain/step-up.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { takeStep, type CeremonyStep, type StepDependencies } from '../ceremonies/step.ts';

interface Step extends CeremonyStep {
  readonly states: readonly StepUpState[];
}

export const STEP_UP_STEPS = {
  approve: { step: 'step_up_approval', update: 'approveStepUp', states: ['open'] },
  code: { step: 'step_up', update: 'submitStepUpCode', states: ['second_factor'] },
  resendCode: { step: 'step_up_resend', update: 'resendStepUpCode', states: ['second_factor'] },
} as const satisfies Record<string, Step>;

/** Whose step-up it is to the caller, and what he is answered. */
export interface StepUpSide<Answer> {
  /** @throws LatchkeyError step_up_not_found for anybody else's */
  readonly own: (tx: Tx, request: FastifyRequest, stepUpId: string) => Promise<StepUpRecord>;
  readonly actor: (request: FastifyRequest) => string;
  readonly answer: (request: FastifyRequest, stepUpId: string) => Promise<Answer>;
}

export async function takeStepUpStep<Answer>(
  deps: StepDependencies,
  side: StepUpSide<Answer>,
  request: FastifyRequest,
  args: {
    readonly stepUpId: string;
    readonly step: Step;
    readonly prepare: () => object | Promise<object>;
  },
): Promise<Answer> {
  const { stepUpId, step, prepare } = args;
  return await takeStep(
    deps,
    {
      kind: 'step_up',
      own: side.own,
      refusal: stepUpRefusal,
      resends: (name) => (name === 'step_up_resend' ? 'step_up' : undefined),
      actor: (_record, asking) => side.actor(asking),
      refusedAs,
      answer: side.answer,
    },
    request,
    { ceremonyId: stepUpId, step, prepare },
  );
}

/** Why a step is not due; says which state it is in, so that an app can catch up. */
export function stepUpRefusal(record: StepUpRecord): LatchkeyError {
  const { state, outcome } = record;
  return new LatchkeyError(refusalOf(record), {
    extra: { state, ...(outcome === null ? {} : { outcome }) },
  });
}

/** What was said to a submission is said again. */
function refusedAs(outcome: string, { state }: StepUpRecord): LatchkeyError | undefined {
  const [fact, attemptsLeft] = outcome.split(':');
  const event = STEP_UP_EVENTS.find((known) => known === fact);
  const code = event === undefined ? undefined : REFUSED_STEP_UP_GUESSES[event];
  if (code === undefined) return undefined;
  return new LatchkeyError(code, {
    extra: { state, ...(attemptsLeft === undefined ? {} : { attemptsLeft: Number(attemptsLeft) }) },
  });
}
