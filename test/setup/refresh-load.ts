/** Phones that refresh without a pause, at two replicas by turns, and use each new access token at the other one; what was refused is kept. */
import { randomBytes } from 'node:crypto';
import type { TestApi } from './api.ts';
import { createCaller } from './callers.ts';
import type { Caller } from './callers.ts';
import { createBanker, logIn, refresh } from './login-bed.ts';

const READ = '/auth/me';

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly atMs: number;
}

export interface RefreshLoad {
  readonly refreshed: () => number;
  readonly refusedRefreshes: readonly Refusal[];
  readonly refusedReads: readonly Refusal[];
  /** The key ids that access tokens were signed by, the newest last. */
  readonly keyIds: readonly string[];
  readonly sessionIds: readonly string[];
  stop(): Promise<void>;
}

export async function startRefreshLoad(
  replicas: readonly [TestApi, TestApi],
  phones: number,
): Promise<RefreshLoad> {
  const refusedRefreshes: Refusal[] = [];
  const refusedReads: Refusal[] = [];
  const keyIds: string[] = [];
  const sessionIds: string[] = [];
  let refreshed = 0;
  let isStopping = false;

  const live = async (callers: readonly [Caller, Caller], first: string) => {
    let token = first;
    for (let turn = 0; !isStopping; turn += 1) {
      const [here, there] = turn % 2 === 0 ? callers : [callers[1], callers[0]];
      const requestId = randomBytes(9).toString('base64url');
      const answer = await refresh(here, token, { requestId });
      if (answer.status !== 200) {
        refusedRefreshes.push(refusalOf(answer));
        return;
      }
      refreshed += 1;
      token = String(answer.body.refresh_token);
      there.accessToken = String(answer.body.access_token);
      const keyId = keyIdOf(there.accessToken);
      if (keyIds.at(-1) !== keyId && !keyIds.includes(keyId)) keyIds.push(keyId);
      const read = await there.get(READ);
      if (read.status !== 200) refusedReads.push(refusalOf(read));
    }
  };

  const lives = await Promise.all(
    Array.from({ length: phones }, async () => {
      const banker = await createBanker(replicas[0]);
      const { body } = await logIn(banker, banker.phone);
      sessionIds.push(String(body.session_id));
      const { key } = banker.phone;
      const callers = [
        await createCaller(replicas[0], { key }),
        await createCaller(replicas[1], { key }),
      ] as const;
      return { callers, first: String(body.refresh_token) };
    }),
  );
  const running = lives.map(({ callers, first }) => live(callers, first));
  return {
    refreshed: () => refreshed,
    refusedRefreshes,
    refusedReads,
    keyIds,
    sessionIds,
    stop: async () => {
      isStopping = true;
      await Promise.all(running);
    },
  };
}

export function keyIdOf(token: string): string {
  const [header = ''] = token.split('.');
  // Written by the API under test.
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as { kid: string };
  return kid;
}

function refusalOf({ status, body }: { readonly status: number; readonly body: unknown }): Refusal {
  // Problems carry a code, OAuth's errors too.
  const { code, error } = body as { readonly code?: string; readonly error?: string };
  return { status, code: code ?? error ?? '', atMs: performance.now() };
}
