/**
 * An honest phone: the SDK as it is, with the key and the passkey of an enrolled customer, over a network that the test can take answers from. It
 * can be switched off and on again; then only what it stored is left.
 */
import { createLatchkey } from '../../../../sdk/client.ts';
import type { Latchkey } from '../../../../sdk/client.ts';
import { LatchkeyProblem } from '../../../../sdk/problem.ts';
import type { TestApi } from '../../api.ts';
import { APP, createBanker } from '../../login-bed.ts';
import type { Banker } from '../../login-bed.ts';
import { memoryStore } from '../../memory-store.ts';

export interface HonestPhone {
  readonly banker: Banker;
  /** The app that runs now. */
  app(): Latchkey;
  /** Another one over the same store. */
  restart(): Latchkey;
}

export async function createHonestPhone(
  api: TestApi,
  network: {
    readonly fetch: typeof fetch;
    readonly nowMs: () => number;
    /** What it waits for before it tries again; nothing when left out. */
    readonly pause?: () => Promise<void>;
  },
): Promise<HonestPhone> {
  const banker = await createBanker(api);
  const store = memoryStore();
  const { privateKey, publicJwk, jkt } = banker.phone.key;
  await store.set('session-key', { privateKey, jwk: publicJwk, jkt, level: 'software' });
  const launch = () =>
    createLatchkey({
      issuer: `${api.publicUrl}${api.prefix}`,
      clientId: APP,
      store,
      webauthn: {
        create: () => Promise.reject(new Error('it is enrolled')),
        get: (request) => Promise.resolve(banker.authenticator.authenticate(request)),
      },
      pause: () => Promise.resolve(),
      alone: oneAtATime(),
      tabs: { post: () => undefined, listen: () => undefined },
      ...network,
    });
  let running = launch();
  return { banker, app: () => running, restart: () => (running = launch()) };
}

function oneAtATime(): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

/** As a person taps again while there is no line. @throws what was decided against him */
export async function untilHeard<T>(call: () => Promise<T>, taps = 50): Promise<T> {
  for (let tap = 1; ; tap += 1) {
    try {
      return await call();
    } catch (error) {
      const isUnheard = error instanceof LatchkeyProblem && error.isUndecided;
      if (!isUnheard || tap >= taps) throw error;
    }
  }
}
