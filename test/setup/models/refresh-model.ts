/** A model of refresh in a few lines: what a session's row must hold, and what showing a token must answer, by the table of SECURITY.md section 2. */
import { expect } from 'vitest';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import type { Policy } from '../../../domain/policy.ts';
import type { TestApi } from '../api.ts';
import type { Answer, Phone } from '../callers.ts';
import type { Banker } from '../login-bed.ts';

const IDLE_MS = 600_000;
const ABSOLUTE_MS = 1_500_000;
const MAX_REDELIVERIES = 5;
const MAX_TROUBLED = 3;

export const MODEL_POLICY: Policy = {
  ...DEFAULT_POLICY,
  session: {
    ...DEFAULT_POLICY.session,
    idleSeconds: IDLE_MS / 1000,
    absoluteSeconds: ABSOLUTE_MS / 1000,
  },
};

export interface Family {
  readonly tokens: readonly string[];
  readonly isLive: boolean;
  readonly isCutOff: boolean;
  /** Of the request that made the last token; undefined when it named none. */
  readonly lastId: string | undefined;
  readonly redeliveries: number;
  readonly troubled: number;
  readonly startedMs: number;
  readonly seenMs: number;
}

export interface Model {
  nowMs: number;
  family: Family | undefined;
}

export interface Real {
  readonly api: TestApi;
  readonly banker: Banker;
  readonly thief: Phone;
  sessionId: string | undefined;
}

export function isUsable({ nowMs, family }: Model): boolean {
  if (family === undefined || !family.isLive || family.isCutOff) return false;
  return nowMs < family.seenMs + IDLE_MS && nowMs < family.startedMs + ABSOLUTE_MS;
}

/** Shows one token and says what must come of it, by the table. */
export function expected(model: Model, shown: number, requestId: string | undefined) {
  const { family } = model;
  if (family === undefined || !isUsable(model)) return { code: 'session_ended' } as const;
  const current = family.tokens.length - 1;
  if (shown < current - 1) return { code: 'refresh_reused' } as const;
  if (shown === current) {
    const troubled = family.redeliveries > 0 ? family.troubled + 1 : 0;
    const asksForPasskey = family.lastId === undefined && troubled >= MAX_TROUBLED;
    return asksForPasskey
      ? ({ code: 'refresh_token_invalid' } as const)
      : ({ rotates: troubled } as const);
  }
  if (requestId !== family.lastId) return { code: 'refresh_superseded' } as const;
  return family.redeliveries < MAX_REDELIVERIES
    ? ({ redelivers: true } as const)
    : ({ code: 'refresh_token_invalid' } as const);
}

export function rotated(
  { nowMs }: Model,
  family: Family,
  answer: Answer,
  lastId: string | undefined,
  troubled: number,
): Family {
  expect(answer.status).toBe(200);
  const token = String(answer.body.refresh_token);
  expect(family.tokens).not.toContain(token);
  return {
    ...family,
    tokens: [...family.tokens, token],
    lastId,
    redeliveries: 0,
    troubled,
    seenMs: nowMs,
  };
}

export function must(actual: unknown, wanted: object): void {
  expect(actual).toMatchObject(wanted);
}

export async function compare({ family }: Model, real: Real): Promise<void> {
  if (family === undefined) return;
  const rows = await real.api.inTenant(
    async (tx) =>
      await tx`
      select session_id, status, generation, redeliveries, troubled from session
      where customer_id = ${real.banker.customerId} and (status = 'live' or session_id = ${real.sessionId ?? ''})`,
  );
  expect([...rows]).toEqual([
    {
      sessionId: real.sessionId,
      status: family.isLive ? 'live' : 'ended',
      generation: family.tokens.length - 1,
      redeliveries: family.redeliveries,
      troubled: family.troubled,
    },
  ]);
}
