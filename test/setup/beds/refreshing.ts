/** Customers who are logged in and refresh through the real app, and what the tables say of it. Temporal is down the whole time. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import type { Policy } from '../../../domain/policy.ts';
import { startTestApi } from '../api.ts';
import type { TestApi } from '../api.ts';
import { createBanker, logIn, refresh } from '../login-bed.ts';
import type { Banker } from '../login-bed.ts';

/** Short enough for a test to come to both ends. */
export const SHORT_SESSIONS: Policy = {
  ...DEFAULT_POLICY,
  session: { ...DEFAULT_POLICY.session, idleSeconds: 600, absoluteSeconds: 1500 },
};

export interface LoggedIn extends Banker {
  readonly sessionId: string;
  readonly token0: string;
}

interface Refreshed extends LoggedIn {
  /** In order. */
  readonly tokens: readonly string[];
  /** Of the last request. */
  readonly lastId: string;
}

interface Row {
  readonly status: string;
  readonly endReason: string | null;
  readonly generation: number;
  readonly redeliveries: number;
  readonly risk: string;
}

export const requestId = (): string => randomBytes(9).toString('base64url');

export const refusal = (code: string, status = 400, error = 'invalid_grant'): object => ({
  status,
  body: { error, code, error_description: expect.any(String) },
});

export class Refreshing {
  readonly api: TestApi;

  private constructor(api: TestApi) {
    this.api = api;
  }

  static async open(): Promise<Refreshing> {
    return new Refreshing(await startTestApi({ policy: SHORT_SESSIONS }));
  }

  close(): Promise<void> {
    return this.api.close();
  }

  async loggedIn(): Promise<LoggedIn> {
    const banker = await createBanker(this.api);
    const { body } = await logIn(banker, banker.phone);
    return { ...banker, sessionId: String(body.session_id), token0: String(body.refresh_token) };
  }

  /** A session that was refreshed so often. */
  async refreshed(times: number): Promise<Refreshed> {
    const banker = await this.loggedIn();
    const tokens = [banker.token0];
    let lastId = '';
    for (let round = 0; round < times; round += 1) {
      lastId = requestId();
      const { status, body } = await refresh(banker.phone, tokens.at(-1) ?? '', {
        requestId: lastId,
      });
      if (status !== 200) throw new Error(JSON.stringify(body));
      tokens.push(String(body.refresh_token));
    }
    return { ...banker, tokens, lastId };
  }

  async rowOf(sessionId: string): Promise<Row> {
    const [row] = await this.api.inTenant(
      async (tx) =>
        await tx<Row[]>`
        select status, end_reason, generation, redeliveries, risk from session where session_id = ${sessionId}`,
    );
    if (row === undefined) throw new Error('the session is there');
    return row;
  }

  /** Everything that a refresh could write, but the session's own row. */
  async traces(customerId: string): Promise<object | undefined> {
    const [row] = await this.api.inTenant(
      async (tx) =>
        await tx`
        select (select count(*)::integer from dpop_jti) as proofs,
          (select count(*)::integer from audit where customer_id = ${customerId}) as audit,
          (select count(*)::integer from outbox) as outbox,
          (select cut_off_seq from customer where customer_id = ${customerId}) as touched`,
    );
    return row;
  }

  async audited(customerId: string): Promise<string[]> {
    const rows = await this.api.inTenant(
      async (tx) =>
        await tx<{ action: string }[]>`
        select action from audit where customer_id = ${customerId} order by position`,
    );
    return rows.map(({ action }) => action);
  }
}
