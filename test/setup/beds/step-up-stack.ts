/**
 * Step-ups over HTTP on real rows and real workflows: the API, a worker and the relay in one process, with the SMS supplier as a list and the risk
 * engine as a word. Who asks is written by the store that a requester's route uses; what the customer's phone sends is signed for real.
 */
import { Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { SignJWT } from 'jose';
import { vi } from 'vitest';
import { createReceiptActivities } from '../../../activities/receipt.ts';
import { createStepUpActivities } from '../../../activities/step-up.ts';
import { systemClock } from '../../../adapters/clock.ts';
import { newId } from '../../../adapters/random.ts';
import { startStepUp } from '../../../api/step-ups/start.ts';
import type { AppDependencies } from '../../../api/dependencies.ts';
import { messageFacts } from '../../../db/messages.ts';
import { createOutboxPort } from '../../../db/outbox-port.ts';
import { backoffMs } from '../../../db/outbox.ts';
import { createReconciliationPort } from '../../../db/reconciliation-port.ts';
import { createStepUp } from '../../../db/step-up-create.ts';
import type { NewStepUp } from '../../../db/step-up-create.ts';
import { createStepUpStore } from '../../../db/step-up-store.ts';
import { LatchkeyError } from '../../../domain/errors.ts';
import type { Policy } from '../../../domain/policy.ts';
import type { Risk, RiskEngine } from '../../../domain/ports.ts';
import { createDeliveries } from '../../../relay/deliveries.ts';
import { createMessageDelivery } from '../../../relay/messages.ts';
import { startRelay } from '../../../relay/relay.ts';
import { createTemporalGateway } from '../../../temporal/client.ts';
import { createDataConverter } from '../../../temporal/data-converter.ts';
import { startWorkerGroup } from '../../../temporal/worker-group.ts';
import type { WorkerGroup } from '../../../temporal/worker-group.ts';
import { buildWorkflows } from '../../../temporal/workflow-bundle.ts';
import { startTestApi } from '../api.ts';
import type { TestApi } from '../api.ts';
import type { Spoil } from '../authenticator.ts';
import type { Answer, Phone } from '../callers.ts';
import type { Banker } from '../login-bed.ts';
import { TEST_PAYLOAD_KEYS } from '../payload-keys.ts';
import type { KeyPair } from '../proof.ts';
import { quietTemporal } from '../temporal/quiet-temporal.ts';
import { createRelayTally } from '../relay-tally.ts';
import { payment } from '../step-ups.ts';
import { TemporalSwitch } from '../temporal/temporal-switch.ts';
import { createTestNamespace } from '../temporal.ts';

const PATIENCE = { timeout: 30_000, interval: 25 };

export const CONTEXT = { onCall: false, screenShared: false, accessibilityService: false };

/** What is wrong with an approval that is otherwise right. */
export interface SpoiltApproval extends Spoil {
  readonly approval?: {
    readonly typ?: string;
    readonly alg?: string;
    readonly payload?: Readonly<Record<string, unknown>>;
    readonly key?: KeyPair;
    /** Signs, then changes the text. */
    readonly text?: (signature: string) => string;
  };
}

export class StepUpStack {
  readonly api: TestApi;
  readonly temporal: TemporalSwitch;
  readonly messages: { readonly to: string; readonly text: string }[] = [];
  /** `silent`: the engine does not answer. */
  risk: Risk | 'silent' = 'low';
  readonly #stop: () => Promise<void>;
  readonly #startWorkers: () => Promise<WorkerGroup>;
  #workers: WorkerGroup | undefined;

  private constructor(parts: {
    readonly api: TestApi;
    readonly temporal: TemporalSwitch;
    readonly stop: () => Promise<void>;
    readonly startWorkers: () => Promise<WorkerGroup>;
  }) {
    this.api = parts.api;
    this.temporal = parts.temporal;
    this.#stop = parts.stop;
    this.#startWorkers = parts.startWorkers;
  }

  static async start({ policy }: { readonly policy?: Policy } = {}): Promise<StepUpStack> {
    quietTemporal();
    const { address, namespace } = await createTestNamespace();
    const connection = await Connection.connect({ address });
    const native = await NativeConnection.connect({ address });
    const dataConverter = createDataConverter({ namespace, keys: TEST_PAYLOAD_KEYS });
    const gateway = { connection, namespace, dataConverter, identity: 'test-client' };
    const temporal = new TemporalSwitch(createTemporalGateway({ ...gateway, clock: systemClock }));
    const riskEngine: RiskEngine = {
      evaluate: () =>
        stack.risk === 'silent'
          ? Promise.reject(new LatchkeyError('vendor_unavailable'))
          : Promise.resolve(stack.risk),
    };
    const dependencies: Partial<AppDependencies> = { riskEngine };
    const given = policy === undefined ? {} : { policy };
    const api = await startTestApi({ temporal: temporal.gateway, dependencies, ...given });
    const workflows = await buildWorkflows();
    const startWorkers = () =>
      startWorkerGroup({
        connection: native,
        namespace,
        workflows,
        dataConverter,
        identity: 'test-worker',
        buildId: undefined,
        log: { error: () => undefined },
        activities: {
          sessions: {},
          ceremonies: createStepUpActivities({
            store: createStepUpStore(api.database, api.deps),
            risk: riskEngine,
          }),
          revocations: {},
          // What a receipt says is its own tests' business.
          vendors: createReceiptActivities({ store: { seal: () => Promise.resolve(null) } }),
        },
      });
    const stack = new StepUpStack({
      api,
      temporal,
      startWorkers,
      stop: async () => {
        await relay.stop();
        await stack.stopWorkers();
        await native.close();
        await connection.close();
        await api.close();
      },
    });
    const relay = stack.#startRelay();
    await stack.startWorkers();
    return stack;
  }

  async startWorkers(): Promise<void> {
    this.#workers = await this.#startWorkers();
  }

  async stopWorkers(): Promise<void> {
    this.#workers?.shutdown();
    await this.#workers?.stopped;
    this.#workers = undefined;
  }

  close(): Promise<void> {
    return this.#stop();
  }

  #startRelay() {
    const { database, personalData, otpCodes } = this.api.deps;
    const keep = (message: { to: string; text: string }) => {
      this.messages.push({ to: message.to, text: message.text });
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
          sms: { send: keep },
          email: { send: keep },
        }),
        deliverPush: () => Promise.resolve(),
        deliverCallback: () => Promise.resolve(),
      }),
    });
  }

  /** As a requester's route does, then waits until the customer may open it. */
  async ask(
    { customerId }: Pick<Banker, 'customerId'>,
    request: Partial<NewStepUp> = {},
  ): Promise<string> {
    const { api } = this;
    const { stepUp } = await api.inTenant((tx) =>
      createStepUp(tx, api.deps, {
        tenantId: api.tenantId,
        stepUpId: newId('ceremony'),
        requester: { kind: 'client', id: 'demo-payments' },
        requesterName: 'Payments',
        customerId,
        action: payment('400.00'),
        reference: newId('request'),
        ...request,
      }),
    );
    if (stepUp === undefined) throw new Error('this needs an approval');
    await startStepUp({ temporal: this.temporal.gateway }, stepUp);
    await this.reaches(stepUp.stepUpId, 'open');
    return stepUp.stepUpId;
  }

  async reaches(stepUpId: string, state: string): Promise<void> {
    await vi.waitFor(async () => {
      const found = await this.stateOf(stepUpId);
      if (found !== state) throw new Error(`${found} instead of ${state}`);
    }, PATIENCE);
  }

  async stateOf(stepUpId: string): Promise<string> {
    const [row] = await this.api.inTenant(
      (tx) => tx<{ state: string }[]>`select state from ceremony where ceremony_id = ${stepUpId}`,
    );
    return row?.state ?? 'missing';
  }

  /** The newest code that the number was sent, once one has come. */
  async codeTo(number: string): Promise<string> {
    return await vi.waitFor(() => {
      const code = this.codesTo(number).at(-1);
      if (code === undefined) throw new Error('no code came');
      return code;
    }, PATIENCE);
  }

  codesTo(number: string): readonly string[] {
    return this.messages
      .filter(({ to }) => to === number)
      .flatMap(({ text }) => /\b(\d{6})\b/.exec(text)?.[1] ?? []);
  }
}

/** As the app opens it. */
export async function openIt(
  phone: Phone,
  stepUpId: string,
  changes: { readonly context?: Partial<typeof CONTEXT>; readonly locale?: string } = {},
): Promise<Answer> {
  const { locale = 'en' } = changes;
  const context = { ...CONTEXT, ...changes.context };
  return await phone.post(`/auth/step-ups/${stepUpId}/open`, { locale, context });
}

/** Both signatures over what was opened, right in everything that is not spoilt. */
export async function approvalBody(
  { authenticator }: Pick<Banker, 'authenticator'>,
  phone: Pick<Phone, 'approvalKey'>,
  {
    opened,
    issuer,
    spoil = {},
  }: {
    readonly opened: Answer;
    readonly issuer: string;
    readonly spoil?: SpoiltApproval;
  },
): Promise<{ readonly assertion: object; readonly approvalSignature: string }> {
  const { challenge, rpId, stepUpId } = opened.body as Readonly<Record<string, string>>;
  const { approval = {}, ...passkey } = spoil;
  const request = { challenge: challenge ?? '', rpId: rpId ?? '' };
  const assertion = authenticator.authenticate(request, passkey);
  const payload = { challenge, iss: issuer, stepUpId, ...approval.payload };
  // The canonical order of these three is that of their names.
  const signature = await new SignJWT(payload)
    .setProtectedHeader({ alg: 'ES256', typ: approval.typ ?? 'latchkey-approval+jwt' })
    .sign((approval.key ?? phone.approvalKey).privateKey);
  return { assertion, approvalSignature: approval.text?.(signature) ?? signature };
}
