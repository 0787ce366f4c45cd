/**
 * What the tests of a ceremony over HTTP stand on: the API, the workers and the relay in one process over a real PostgreSQL and Temporal's
 * development server, with the inbox as a list that a test looks into. A ceremony adds its activities, and what its phone does. Stopping the
 * workers or the gateway is how a test makes luck bad.
 */
import { vi } from 'vitest';
import { systemClock } from '../../../adapters/clock.ts';
import type { AppDependencies } from '../../../api/dependencies.ts';
import { messageFacts } from '../../../db/messages.ts';
import { createOutboxPort } from '../../../db/outbox-port.ts';
import { createObjectionLinks, createRecoveryLinks } from '../../../db/recovery-links.ts';
import { backoffMs } from '../../../db/outbox.ts';
import { createReconciliationPort } from '../../../db/reconciliation-port.ts';
import type { Policy } from '../../../domain/policy.ts';
import { createDeliveries } from '../../../relay/deliveries.ts';
import { requestMessage } from '../../../db/recovery-requests.ts';
import { createMessageDelivery } from '../../../relay/messages.ts';
import { createRecoveryRequestDelivery } from '../../../relay/recovery-requests.ts';
import { startRelay } from '../../../relay/relay.ts';
import type { WorkerGroup } from '../../../temporal/worker-group.ts';
import { startTestApi } from '../api.ts';
import type { TestApi } from '../api.ts';
import { createRelayTally } from '../relay-tally.ts';
import { TemporalSwitch } from '../temporal/temporal-switch.ts';
import { openTestTemporal } from '../temporal/test-temporal.ts';
import type { TestActivities, TestTemporal } from '../temporal/test-temporal.ts';

const PATIENCE = { timeout: 30_000, interval: 25 };

interface SentMessage {
  readonly to: string;
  readonly text: string;
}

export interface StackGround {
  readonly api: TestApi;
  readonly temporal: TemporalSwitch;
  readonly real: TestTemporal;
}

export interface StackOptions {
  readonly policy?: Policy | undefined;
  readonly dependencies?: Partial<AppDependencies>;
}

/** The servers and the API; nothing works on anything yet. */
export async function openStackGround({ policy, ...options }: StackOptions): Promise<StackGround> {
  const real = await openTestTemporal();
  const temporal = new TemporalSwitch(real.gateway);
  const given = policy === undefined ? {} : { policy };
  const api = await startTestApi({ temporal: temporal.gateway, ...options, ...given });
  return { api, temporal, real };
}

export abstract class CeremonyStack {
  readonly api: TestApi;
  readonly temporal: TemporalSwitch;
  readonly messages: SentMessage[] = [];
  readonly #real: TestTemporal;
  #workers: WorkerGroup | undefined;
  #relay: ReturnType<typeof startRelay> | undefined;

  protected constructor({ api, temporal, real }: StackGround) {
    this.api = api;
    this.temporal = temporal;
    this.#real = real;
  }

  get connection(): TestTemporal['connection'] {
    return this.#real.connection;
  }

  get namespace(): string {
    return this.#real.namespace;
  }

  protected abstract activities(): TestActivities;

  /** What the relay does with a push or a callback of this ceremony. */
  protected abstract deliverAfield(): Promise<void>;

  /** The relay and the workers. */
  protected async startUp(): Promise<void> {
    this.#relay = this.#startRelay();
    await this.startWorkers();
  }

  async startWorkers(): Promise<void> {
    this.#workers = await this.#real.work({ activities: this.activities() });
  }

  async stopWorkers(): Promise<void> {
    this.#workers?.shutdown();
    await this.#workers?.stopped;
    this.#workers = undefined;
  }

  async close(): Promise<void> {
    await this.#relay?.stop();
    await this.#real.close();
    await this.api.close();
  }

  /** Codes that were sent to an address, in order. */
  codesTo(address: string): readonly string[] {
    return this.messages
      .filter(({ to }) => to === address)
      .flatMap(({ text }) => /\b(\d{6})\b/.exec(text)?.[1] ?? []);
  }

  /** Waits for the code at that position; the newest when left out. */
  async codeTo(address: string, position = -1): Promise<string> {
    return await vi.waitFor(() => {
      const code = this.codesTo(address).at(position);
      if (code === undefined) throw new Error('no code came');
      return code;
    }, PATIENCE);
  }

  /** Waits for the ceremony's row to say it. */
  async reaches(ceremonyId: string, state: string): Promise<void> {
    await vi.waitFor(async () => {
      const found = await this.stateOf(ceremonyId);
      if (found !== state) throw new Error(`${found} instead of ${state}`);
    }, PATIENCE);
  }

  async stateOf(ceremonyId: string): Promise<string> {
    const [row] = await this.api.inTenant(
      (tx) => tx<{ state: string }[]>`select state from ceremony where ceremony_id = ${ceremonyId}`,
    );
    return row?.state ?? 'missing';
  }

  #startRelay() {
    const { database, personalData, otpCodes, kms } = this.api.deps;
    const links = createRecoveryLinks(kms);
    const objections = createObjectionLinks(kms);
    const keep = ({ to, text }: SentMessage) => {
      this.messages.push({ to, text });
      return Promise.resolve();
    };
    return startRelay({
      outbox: createOutboxPort(database, { claimer: 'test', leaseMs: 30_000 }),
      failPoint: () => undefined,
      backoffMs,
      metrics: createRelayTally(),
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      deliver: createDeliveries({
        calls: this.temporal.gateway,
        rows: createReconciliationPort(database),
        clock: systemClock,
        deliverMessage: createMessageDelivery({
          facts: (tenantId, channel, payload) =>
            database.tenant(tenantId, (tx) =>
              messageFacts(tx, personalData, { tenantId, channel, payload }),
            ),
          otpCodes,
          objectionLink: ({ tenantId, slug, recoveryId }) =>
            `/recover.html#${slug}.stop.${objections.make(tenantId, recoveryId)}`,
          sms: { send: keep },
          email: { send: keep },
        }),
        deliverRecoveryRequest: createRecoveryRequestDelivery({
          message: (tenantId, requestId) =>
            database.tenant(tenantId, (tx) =>
              requestMessage(tx, personalData, { tenantId, requestId }),
            ),
          otpCodes,
          link: ({ tenantId, slug, requestId }) =>
            `/recover.html#${slug}.${links.make(tenantId, requestId)}`,
          sms: { send: keep },
          email: { send: keep },
        }),
        deliverPush: () => this.deliverAfield(),
        deliverCallback: () => this.deliverAfield(),
        // What a receipt says is its own tests' business.
        sealReceipt: () => Promise.resolve(),
      }),
    });
  }
}
