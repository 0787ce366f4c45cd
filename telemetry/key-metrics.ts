/**
 * The age of the signing keys, read when somebody scrapes and at most every half minute. A database that does not answer takes the numbers away:
 * an old one would say that all is well.
 */
import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { KeyAge } from '../db/key-ages.ts';

const FRESH_FOR_MS = 30_000;

/** Every worker tells the same numbers: take the maximum over processes. */
export function exposeKeyAges(
  registry: Registry,
  read: () => Promise<readonly KeyAge[]>,
  freshForMs = FRESH_FOR_MS,
): { readonly refresh: () => Promise<void> } {
  const age = new Gauge({
    name: 'latchkey_signing_key_age_seconds',
    help: 'How long the key that signs now has been signing, by purpose: of the tenant whose key is oldest.',
    labelNames: ['purpose'],
    registers: [registry],
  });
  let readAt = Number.NEGATIVE_INFINITY;
  return {
    refresh: async () => {
      if (performance.now() - readAt < freshForMs) return;
      readAt = performance.now();
      const ages = await read().catch((): readonly KeyAge[] => []);
      age.reset();
      for (const { purpose, oldestSeconds } of ages) age.set({ purpose }, oldestSeconds);
    },
  };
}
