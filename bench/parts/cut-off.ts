/** A cut-off while 64 connections refresh sessions of that very customer, against one while nobody does: it must not wait for them. */
import type { Bed } from '../bed.ts';
import { openLine } from '../http-line.ts';
import { runClosed } from '../load.ts';
import type { Operation } from '../load.ts';
import { createMachine } from '../machine.ts';
import { cutOffs, refreshes } from '../operations.ts';
import { insertSessions, seedPhones } from '../people.ts';
import type { Phone } from '../people.ts';
import { median, percentile } from '../statistics.ts';
import { withoutErrors } from './part.ts';
import type { Bench, Part } from './part.ts';

const CONNECTIONS = 64;
const CUT_OFFS = { full: 100, quick: 20 } as const;
const SETTLE_MS = 150;

export const cutOff: Part = async (bench) => {
  const { bed, size } = bench;
  const count = size.isQuick ? CUT_OFFS.quick : CUT_OFFS.full;
  const customers = await seedPhones(bed, 2 * count + 1, { haveSessions: false });
  const keys = (await bench.phones()).slice(0, CONNECTIONS);
  let turn = 0;
  const next = () => customers[turn] ?? fail();
  const signals = cutOffs(bed, await createMachine(bed), () => next().customerId);
  const [idle, loaded]: [number[], number[]] = [[], []];
  for (; turn < customers.length; turn += 1) {
    const phones = await openSessions(bed, next(), keys);
    const isUnderLoad = turn % 2 === 0;
    const took = await timeOne(bench, signals, isUnderLoad ? phones : []);
    // The first opens connections and fills caches.
    if (turn > 0) (isUnderLoad ? loaded : idle).push(took);
  }
  const [calm, busy] = [percentile(idle, 0.99), percentile(loaded, 0.99)];
  return [
    {
      figure: 'cut-off while 64 connections refresh that customer, p99',
      measured: `${busy.toFixed(1)} ms (median ${median(loaded).toFixed(1)})`,
      baseline: `${calm.toFixed(1)} ms idle (median ${median(idle).toFixed(1)})`,
      value: busy / calm,
      unit: 'ratio',
      target: { bound: 'at most', value: 5 },
      seen: { idle, loaded },
    },
  ];
};

function fail(): never {
  throw new TypeError('each turn has its customer');
}

/** A session for each key, all of one customer's device. */
async function openSessions(bed: Bed, customer: Phone, keys: readonly Phone[]): Promise<Phone[]> {
  const phones = keys.map(({ key }) => ({ ...customer, key, customerId: customer.customerId }));
  await insertSessions(bed, phones);
  return phones;
}

/** How long the cut-off of this turn's customer takes while the phones refresh as fast as they can. */
async function timeOne(
  { bed }: Bench,
  signals: Operation,
  phones: readonly Phone[],
): Promise<number> {
  const ending = new AbortController();
  const load =
    phones.length === 0
      ? undefined
      : runClosed(pooled(bed, phones), {
          port: bed.port,
          connections: CONNECTIONS,
          seconds: 30,
          signal: ending.signal,
        });
  const line = await openLine(bed.port);
  await new Promise((resolve) => {
    setTimeout(resolve, SETTLE_MS);
  });
  signals.prepare(1);
  const { request, landed } = signals.next();
  const beganAt = performance.now();
  const answer = await line.send(request);
  const took = performance.now() - beganAt;
  ending.abort();
  if (load !== undefined) withoutErrors('refresh', await load);
  line.close();
  if (!landed(answer)) throw new Error(`a cut-off failed: ${answer.body}`);
  return took;
}

/** More refreshes than one of 64 phones makes until the cut-off is answered: signed then, they would cost PostgreSQL its core. */
const PROOFS_EACH = 24;

/** One request of a phone at a time; after the cut-off each is refused, as it has to be. */
function pooled(bed: Bed, phones: readonly Phone[]): Operation {
  const free = phones.map((phone) => {
    const operation = refreshes(bed, () => phone);
    operation.prepare(PROOFS_EACH);
    return operation;
  });
  return {
    name: 'refresh',
    prepare: () => undefined,
    next: () => {
      const phone = free.pop() ?? fail();
      const { request, landed } = phone.next();
      return {
        request,
        landed: (answer) => {
          free.push(phone);
          return landed(answer) || answer.status === 400 || answer.status === 403;
        },
      };
    },
  };
}
