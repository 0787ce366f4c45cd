/**
 * Two replicas of the API as processes of their own behind nginx, over one database, without Temporal's help and without a worker: the hot path
 * needs neither. A replica is killed with SIGKILL, at any moment or just before it would answer, and started again as whoever runs it would.
 */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { inject, vi } from 'vitest';
import { reachedMarker } from '../../../../adapters/fail-point.ts';
import { ABANDONED_AFTER } from '../../../../db/idempotency.ts';
import type { FailPointName } from '../../../../domain/fail-point.ts';
import { demoEnvironment } from '../../../../runtime/demo-environment.ts';
import { startApi } from '../../../../runtime/latchkey-processes.ts';
import type { ManagedProcess } from '../../../../runtime/managed-process.ts';
import { findFreePort, isPortTaken } from '../../../../runtime/ports.ts';
import { startTestApi } from '../../api.ts';
import type { TestApi } from '../../api.ts';
import { ONE_FACTOR, ROOMY_POLICY } from '../../demo-tenant.ts';
import { balanceOver, startNginx } from '../../programs/nginx.ts';
import type { Nginx } from '../../programs/nginx.ts';
import type { GatewayQuestion } from './cast.ts';
import { doorAt } from './wire.ts';
import type { Door } from './wire.ts';

const PATIENCE = { timeout: 60_000, interval: 20 };

export interface Replicas {
  /** In this process, over the same database: it seeds customers, and answers nobody. */
  readonly seeds: TestApi;
  readonly rows: postgres.Sql;
  /** To nginx. What a replica took with it to its grave throws. */
  readonly door: Door;
  readonly gateway: GatewayQuestion;
  /** -9, now. */
  kill(index: number): Promise<void>;
  /** Whichever replica comes to that place first kills itself there. */
  orderDeath(place: FailPointName): Promise<void>;
  /** How often one died at a moment, and at a place. */
  readonly deaths: { atAnyMoment: number; beforeAnswering: number };
  /** One of them listens. */
  oneListens(): Promise<void>;
  /** No statement is under way, of a dead one neither; call it when nobody calls. */
  quiet(): Promise<void>;
  /** Nobody holds an Idempotency-Key any more: who died with one has it for 30 s. */
  keysAreFree(): Promise<void>;
  stop(): Promise<void>;
}

export async function startReplicas(): Promise<Replicas> {
  const ports = [await findFreePort(), await findFreePort()];
  const nginx = await startNginx(balanceOver(ports));
  const publicUrl = `http://localhost:${String(nginx.port)}`;
  const seeds = await startTestApi({ publicUrl, policy: { ...ROOMY_POLICY, login: ONE_FACTOR } });
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-replicas-'));
  const order = join(folder, 'order');
  const rows = postgres(seeds.testDatabase.superuserUrl, { max: 2, onnotice: () => undefined });
  const deaths = { atAnyMoment: 0, beforeAnswering: 0 };
  const environment = { publicUrl, seeds, order };
  const replicas = await Promise.all(
    ports.map((port) =>
      Replica.start(port, environment, (wasOrdered) => {
        if (wasOrdered) deaths.beforeAnswering += 1;
        else deaths.atAnyMoment += 1;
      }),
    ),
  );
  return {
    seeds,
    rows,
    door: withoutTheLost(doorAt(publicUrl, seeds.prefix)),
    gateway: {
      htu: `${publicUrl}/bank/accounts`,
      headers: {
        'x-gateway-id': 'demo-bank',
        'x-original-method': 'GET',
        'x-original-uri': '/bank/accounts',
      },
    },
    kill: async (index) => {
      await replicas[index % replicas.length]?.kill();
    },
    orderDeath: async (place) => {
      await rm(reachedMarker(order), { force: true });
      await writeFile(`${order}.new`, `kill ${place}`);
      await rename(`${order}.new`, order);
    },
    deaths,
    oneListens: () => Promise.any(replicas.map((replica) => replica.listens())),
    quiet: async () => {
      await vi.waitFor(async () => {
        const busy = await rows`
          select 1 from pg_stat_activity where datname = current_database() and application_name = 'latchkey' and state <> 'idle'`;
        if (busy.length > 0) throw new Error('a statement is under way');
      }, PATIENCE);
    },
    keysAreFree: async () => {
      await vi.waitFor(async () => {
        const held = await rows`
          select 1 from idempotency
          where reference is null and status is null and created_at > latchkey_now() - ${ABANDONED_AFTER}::interval`;
        if (held.length > 0) throw new Error('a request is under way, or its replica died');
      }, PATIENCE);
    },
    stop: async () => {
      await Promise.all(replicas.map((replica) => replica.stop()));
      await stopRest({ nginx, rows, seeds, folder });
    },
  };
}

async function stopRest(rest: {
  readonly nginx: Nginx;
  readonly rows: postgres.Sql;
  readonly seeds: TestApi;
  readonly folder: string;
}): Promise<void> {
  await rest.nginx.stop();
  await rest.rows.end();
  await rest.seeds.close();
  await rm(rest.folder, { recursive: true, force: true });
}

interface Surroundings {
  readonly publicUrl: string;
  readonly seeds: TestApi;
  readonly order: string;
}

class Replica {
  readonly #port: number;
  readonly #surroundings: Surroundings;
  readonly #onDeath: (wasOrdered: boolean) => void;
  #process: ManagedProcess | undefined;
  #isKilled = false;
  #isWanted = true;
  readonly #lines: string[] = [];

  private constructor(
    port: number,
    surroundings: Surroundings,
    onDeath: (wasOrdered: boolean) => void,
  ) {
    this.#port = port;
    this.#surroundings = surroundings;
    this.#onDeath = onDeath;
  }

  static async start(
    port: number,
    surroundings: Surroundings,
    onDeath: (wasOrdered: boolean) => void,
  ): Promise<Replica> {
    const replica = new Replica(port, surroundings, onDeath);
    await replica.#launch();
    await replica.listens();
    return replica;
  }

  async kill(): Promise<void> {
    this.#isKilled = true;
    await this.#process?.kill();
  }

  async listens(): Promise<void> {
    await vi.waitFor(async () => {
      if (!(await isPortTaken(this.#port)))
        throw new Error(`a replica does not listen: ${this.#lines.slice(-3).join(' ')}`);
    }, PATIENCE);
  }

  async stop(): Promise<void> {
    this.#isWanted = false;
    await this.#process?.kill();
  }

  async #launch(): Promise<void> {
    this.#isKilled = false;
    const adopt = () => Promise.resolve();
    const onLine = (_name: string, line: string) => this.#lines.push(line);
    const started = await startApi(
      { adopt, onLine },
      await environmentOf(this.#port, this.#surroundings),
    );
    this.#process = started;
    void started.exited.then(async () => {
      if (!this.#isWanted) return;
      this.#onDeath(!this.#isKilled);
      await this.#launch();
    });
  }
}

async function environmentOf(
  port: number,
  { publicUrl, seeds, order }: Surroundings,
): Promise<NodeJS.ProcessEnv> {
  const [operationsPort, metricsPort] = [await findFreePort(), await findFreePort()];
  const nowhere = 'http://127.0.0.1:9';
  const given = { ...process.env, LATCHKEY_FAIL_POINT: `@${order}`, LATCHKEY_LOG_LEVEL: 'warn' };
  return demoEnvironment(given, {
    databaseUrl: seeds.testDatabase.applicationUrl,
    databaseOwnerUrl: undefined,
    temporalAddress: inject('servers').temporal.address,
    temporalUiUpstream: undefined,
    operations: { port: operationsPort, url: `http://localhost:${String(operationsPort)}` },
    staffDirectory: undefined,
    publicUrl,
    apiPort: port,
    metricsPorts: { api: metricsPort, worker: metricsPort },
    stageControlUrl: publicUrl,
    smsUrl: nowhere,
    smtpUrl: 'smtp://127.0.0.1:9',
    identityUrl: nowhere,
  });
}

/** What nginx says of a replica that is gone is no answer; nor is what a replica says of a GET that nginx sent it again. */
function withoutTheLost(door: Door): Door {
  return {
    ...door,
    send: async (sent) => {
      const answer = await door.send(sent);
      const isOfNginx = [502, 504].includes(answer.status);
      const isSentAgain = sent.method === 'GET' && answer.body?.code === 'dpop_proof_replayed';
      if (isOfNginx || isSentAgain) throw new Error('the answer is lost');
      return answer;
    },
  };
}
