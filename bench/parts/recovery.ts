/**
 * Recovery as a contact centre and a stranger feel it: a page of the queue with 10,000 cases open, by every filter that it has; and what asking about
 * a customer's address takes against asking about nobody's, over 1,000 calls a round that take turns: an answer that is slower for one tells who banks
 * here.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { systemClock } from '../../adapters/clock.ts';
import { createDpopNonces } from '../../api/proofs/dpop-nonce.ts';
import { DEMO_APP_CLIENT } from '../../db/bootstrap.ts';
import { findFreePort } from '../../runtime/ports.ts';
import type { Bed } from '../bed.ts';
import { openLine } from '../http-line.ts';
import type { HttpAnswer, HttpLine } from '../http-line.ts';
import { createKey, makeProof } from '../proofs.ts';
import { median, percentile } from '../statistics.ts';
import type { Bench, Part, Row } from './part.ts';
import { seedAddresses, seedDesk } from './recovery-ground.ts';
import type { Desk } from './recovery-ground.ts';

/** As many as look at the queue in the same moment. */
const LOOKERS = 4;
const PAGES = { full: 100, quick: 40 } as const;
const CALLS = 1_000;
const WARM_UP = 40;
/** Not a divisor of the page's default: the second page begins in the middle of something. */
const LIMIT = 50;

export const recovery: Part = async (bench) => {
  const { bed, say } = bench;
  const customers = await bench.phones();
  const door = await findFreePort();
  await bed.startApi({
    LATCHKEY_OPERATIONS_PORT: String(door),
    LATCHKEY_OPERATIONS_URL: `http://localhost:${String(door)}`,
    LATCHKEY_STAFF: STAFF,
  });
  try {
    const desk = await seedDesk(bed, customers);
    say(`${String(customers.length)} open cases`);
    const queue = await queueRow(bench, door, desk);
    const addresses = await seedAddresses(bed, customers.slice(0, CALLS / 2));
    return [queue, ...(await requestRows(bench, addresses))];
  } finally {
    await bed.startApi();
  }
};

/** Nobody logs in: the session is written into its table. Its issuer is asked for all the same. */
const STAFF = JSON.stringify({
  demo: {
    issuer: 'https://staff.example',
    clientId: 'bench',
    clientSecret: 'bench',
    rolesClaim: 'roles',
    employeeClaim: 'employee_id',
    roles: {
      agent: ['agent'],
      supervisor: ['supervisor'],
      auditor: ['auditor'],
      administrator: ['administrator'],
    },
  },
});

async function queueRow(bench: Bench, door: number, desk: Desk): Promise<Row> {
  const { bed, size, say } = bench;
  const page = (query: string) =>
    `GET ${bed.prefix}/staff/recoveries?limit=${String(LIMIT)}${query} HTTP/1.1\r\nhost: localhost:${String(door)}\r\ncookie: ${desk.cookie}\r\n\r\n`;
  const lines = await Promise.all(Array.from({ length: LOOKERS }, () => openLine(door)));
  const [line] = lines;
  if (line === undefined) throw new TypeError('somebody looks');
  const first = await queueOf(line, page(''));
  const filters: Readonly<Record<string, string>> = {
    'no filter': '',
    'second page': `&cursor=${first.next ?? ''}`,
    ...Object.fromEntries(
      ['contact', 'identity', 'review', 'cooling', 'rebind', 'held'].map((state) => [
        state,
        `&state=${state}`,
      ]),
    ),
    mine: '&mine=yes',
    overdue: '&overdue=yes',
    'second person': '&secondPerson=yes',
    'one customer': `&customerId=${desk.customerId}`,
  };
  const pages = size.isQuick ? PAGES.quick : PAGES.full;
  const p95s: Record<string, number[]> = {};
  // The first round is not measured: it warms what every later one finds warm.
  for (let round = 0; round <= size.rounds; round += 1)
    for (const [name, query] of Object.entries(filters)) {
      const { recoveries } = await queueOf(line, page(query));
      if (recoveries.length === 0) throw new Error(`the queue is empty: ${name}`);
      const took = await looked(lines, page(query), pages);
      if (round > 0) (p95s[name] ??= []).push(percentile(took, 0.95));
    }
  for (const one of lines) one.close();
  const worst = Object.entries(p95s)
    .map(([name, rounds]) => ({ name, p95: median(rounds) }))
    .toSorted((a, b) => b.p95 - a.p95);
  for (const { name, p95 } of worst) say(`queue, ${name}: p95 ${p95.toFixed(1)} ms`);
  const { name = '', p95: value = Number.NaN } = worst[0] ?? {};
  return {
    figure: `a page of the queue, 10,000 cases open, ${String(LOOKERS)} at once, slowest filter (${name}), p95`,
    measured: `${value.toFixed(1)} ms`,
    baseline: `no filter ${median(p95s['no filter'] ?? []).toFixed(1)} ms`,
    value,
    unit: 'ms',
    target: { bound: 'at most', value: 100 },
    seen: p95s,
  };
}

interface Queue {
  readonly recoveries: readonly unknown[];
  readonly next?: string | null;
}

async function queueOf(line: HttpLine, request: string): Promise<Queue> {
  const answer = await line.send(request);
  if (answer.status !== 200) throw new Error(`the queue: ${answer.body}`);
  // The schema of the operation says so.
  return JSON.parse(answer.body) as Queue;
}

async function looked(
  lines: readonly HttpLine[],
  request: string,
  count: number,
): Promise<number[]> {
  const took: number[] = [];
  let left = count;
  const look = async (line: HttpLine) => {
    while (left > 0) {
      left -= 1;
      took.push(await timed(line, request, 200));
    }
  };
  await Promise.all(lines.map(look));
  return took;
}

async function timed(line: HttpLine, request: string, status: number): Promise<number> {
  const beganAt = performance.now();
  const answer: HttpAnswer = await line.send(request);
  const took = performance.now() - beganAt;
  if (answer.status !== status) throw new Error(`${String(answer.status)} ${answer.body}`);
  return took;
}

async function requestRows({ bed, size, say }: Bench, known: readonly string[]): Promise<Row[]> {
  const line = await openLine(bed.port);
  const rounds: { known: number[]; unknown: number[] }[] = [];
  for (let round = 0; round < size.rounds; round += 1) {
    const took = await askInTurns(bed, line, known);
    rounds.push(took);
    say(
      `known ${median(took.known).toFixed(2)} ms, unknown ${median(took.unknown).toFixed(2)} ms, p95 ${percentile(took.known, 0.95).toFixed(2)} and ${percentile(took.unknown, 0.95).toFixed(2)} ms`,
    );
    // What a contact may be asked about in an hour is not what is measured.
    await bed.sql`delete from number_limit`;
  }
  line.close();
  return [
    ratioRow('median', rounds, median),
    ratioRow('p95', rounds, (values) => percentile(values, 0.95)),
  ];
}

/** Each call from a new phone; in each pair a coin says who is first. */
async function askInTurns(
  bed: Bed,
  line: HttpLine,
  known: readonly string[],
): Promise<{ known: number[]; unknown: number[] }> {
  const ask = async (email: string) => {
    // Before it is timed: a proof costs more than what it is for.
    const request = recoveryRequest(bed, email);
    return await timed(line, request, 202);
  };
  const nobody = () => `${randomBytes(8).toString('hex')}@example.test`;
  for (let call = 0; call < WARM_UP; call += 1) await ask(nobody());
  const took = { known: [] as number[], unknown: [] as number[] };
  for (const email of known) {
    const isKnownFirst = randomBytes(1).readUInt8() % 2 === 0;
    if (isKnownFirst) took.known.push(await ask(email));
    took.unknown.push(await ask(nobody()));
    if (!isKnownFirst) took.known.push(await ask(email));
  }
  return took;
}

function recoveryRequest({ kms, prefix, port, publicUrl }: Bed, email: string): string {
  const path = `${prefix}/recovery-requests`;
  const nonce = createDpopNonces(kms, systemClock).current();
  const proof = makeProof(createKey(), { htm: 'POST', htu: `${publicUrl}${path}`, nonce });
  const body = JSON.stringify({ clientId: DEMO_APP_CLIENT, report: 'lost', email });
  return `POST ${path} HTTP/1.1\r\nhost: localhost:${String(port)}\r\ncontent-type: application/json\r\ncontent-length: ${String(Buffer.byteLength(body))}\r\nidempotency-key: ${randomUUID()}\r\ndpop: ${proof}\r\n\r\n${body}`;
}

/** Whichever of the two is slower tells as much. */
function ratioRow(
  name: string,
  rounds: readonly { readonly known: readonly number[]; readonly unknown: readonly number[] }[],
  of: (values: readonly number[]) => number,
): Row {
  const known = rounds.map((round) => of(round.known));
  const unknown = rounds.map((round) => of(round.unknown));
  const ratio = median(known.map((value, round) => value / (unknown[round] ?? Number.NaN)));
  return {
    figure: `asking to recover, a customer's address against nobody's, ${String(CALLS)} calls in turns, ${name}`,
    measured: `${median(known).toFixed(2)} ms`,
    baseline: `${median(unknown).toFixed(2)} ms for nobody's`,
    value: Math.max(ratio, 1 / ratio),
    unit: 'ratio',
    target: { bound: 'at most', value: 1.1 },
    seen: { known, unknown },
  };
}
