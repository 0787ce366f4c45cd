/**
 * The API, the workers and the relay in one process over a real PostgreSQL and Temporal's development server, with the inbox and the identity
 * vendor as lists that a test looks into. Stopping the workers or the gateway is how a test makes luck bad.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { RegistrationResponseJSON } from '@simplewebauthn/server';
import { SignJWT } from 'jose';
import { createEnrollmentActivities } from '../../../activities/enrollment.ts';
import { createIdentityActivities } from '../../../activities/identity.ts';
import { systemClock } from '../../../adapters/clock.ts';
import { newId } from '../../../adapters/random.ts';
import { spendChallenge } from '../../../db/challenges.ts';
import { createEnrollmentStore } from '../../../db/enrollment-store.ts';
import { messageFacts } from '../../../db/messages.ts';
import { createOutboxPort } from '../../../db/outbox-port.ts';
import { backoffMs } from '../../../db/outbox.ts';
import { createReconciliationPort } from '../../../db/reconciliation-port.ts';
import { LatchkeyError } from '../../../domain/errors.ts';
import type { Policy } from '../../../domain/policy.ts';
import type { IdentityVerifier } from '../../../domain/ports.ts';
import { createDeliveries } from '../../../relay/deliveries.ts';
import { createMessageDelivery } from '../../../relay/messages.ts';
import { createRelayTally } from '../relay-tally.ts';
import { startRelay } from '../../../relay/relay.ts';
import { DEMO_IDENTITY_SECRET } from '../../../runtime/demo-secrets.ts';
import { createTemporalGateway } from '../../../temporal/client.ts';
import { createDataConverter } from '../../../temporal/data-converter.ts';
import { startWorkerGroup } from '../../../temporal/worker-group.ts';
import type { WorkerGroup } from '../../../temporal/worker-group.ts';
import { buildWorkflows } from '../../../temporal/workflow-bundle.ts';
import { startTestApi } from '../api.ts';
import { createPhone } from '../callers.ts';
import type { TestApi } from '../api.ts';
import type { Answer, Phone } from '../callers.ts';
import { SoftwareAuthenticator } from '../authenticator.ts';
import type { Spoil } from '../authenticator.ts';
import { TEST_PAYLOAD_KEYS } from '../payload-keys.ts';
import { quietTemporal } from '../temporal/quiet-temporal.ts';
import { randomPhone, SOMEBODY } from '../somebody.ts';
import { TemporalSwitch } from '../temporal/temporal-switch.ts';
import { createTestNamespace } from '../temporal.ts';

type Check = Parameters<IdentityVerifier['startCheck']>[0];

export interface SentMessage {
  readonly to: string;
  readonly text: string;
}

export interface Enrollee {
  readonly phone: Phone;
  readonly authenticator: SoftwareAuthenticator;
  readonly number: string;
  readonly enrollmentId: string;
  readonly path: string;
}

export class EnrollmentStack {
  readonly api: TestApi;
  readonly temporal: TemporalSwitch;
  readonly connection: Connection;
  readonly namespace: string;
  readonly messages: SentMessage[] = [];
  readonly checks: Check[] = [];
  isVendorDown = false;
  readonly #stop: () => Promise<void>;
  readonly #startWorkers: () => Promise<WorkerGroup>;
  #workers: WorkerGroup | undefined;

  private constructor(parts: {
    api: TestApi;
    temporal: TemporalSwitch;
    connection: Connection;
    namespace: string;
    stop: () => Promise<void>;
    startWorkers: (stack: EnrollmentStack) => Promise<WorkerGroup>;
  }) {
    this.api = parts.api;
    this.temporal = parts.temporal;
    this.connection = parts.connection;
    this.namespace = parts.namespace;
    this.#stop = parts.stop;
    this.#startWorkers = () => parts.startWorkers(this);
  }

  static async start(policy?: Policy): Promise<EnrollmentStack> {
    quietTemporal();
    const { address, namespace } = await createTestNamespace();
    const connection = await Connection.connect({ address });
    const native = await NativeConnection.connect({ address });
    const dataConverter = createDataConverter({ namespace, keys: TEST_PAYLOAD_KEYS });
    const temporal = new TemporalSwitch(
      createTemporalGateway({
        connection,
        namespace,
        dataConverter,
        identity: 'test-client',
        clock: systemClock,
      }),
    );
    const api = await startTestApi({
      temporal: temporal.gateway,
      ...(policy === undefined ? {} : { policy }),
    });
    const workflows = await buildWorkflows();
    const startWorkers = (stack: EnrollmentStack) => {
      const store = createEnrollmentStore(api.database, { ...api.deps });
      return startWorkerGroup({
        connection: native,
        namespace,
        workflows,
        dataConverter,
        identity: 'test-worker',
        buildId: undefined,
        log: { error: () => undefined },
        activities: {
          sessions: {},
          ceremonies: createEnrollmentActivities({ store }),
          revocations: {},
          vendors: createIdentityActivities({
            store,
            verifier: { startCheck: (check) => stack.#startCheck(check) },
            callbackUrl: () => Promise.resolve(`${api.publicUrl}/callback`),
          }),
        },
      });
    };
    const stack = new EnrollmentStack({
      api,
      temporal,
      connection,
      namespace,
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
        deliverPush: () => Promise.reject(new Error('no enrollment pushes')),
        deliverCallback: () => Promise.reject(new Error('no enrollment calls back')),
      }),
    });
  }

  async #startCheck(check: Check): Promise<{ vendorReference: string }> {
    if (this.isVendorDown) throw new LatchkeyError('vendor_unavailable', { retryAfterSeconds: 1 });
    this.checks.push(check);
    return await Promise.resolve({ vendorReference: `v-${check.reference}` });
  }

  // What a phone does

  async begin(number = randomPhone(), given?: Phone): Promise<Enrollee> {
    const phone = given ?? (await createPhone(this.api));
    const answer = await phone.post('/auth/enrollments', { clientId: 'demo-app', phone: number });
    if (answer.status !== 202) throw new Error(JSON.stringify(answer.body));
    const enrollmentId = String(answer.body.enrollmentId);
    const authenticator = new SoftwareAuthenticator(this.api.publicUrl);
    const path = `/auth/enrollments/${enrollmentId}`;
    const enrollee = { phone, authenticator, number, enrollmentId, path };
    await this.until(enrollee, 'phone');
    return enrollee;
  }

  /** Looks until the state is reached; answers the view. */
  async until({ phone, path }: Pick<Enrollee, 'phone' | 'path'>, state: string): Promise<Answer> {
    const endsAtMs = performance.now() + 30_000;
    for (;;) {
      const answer = await phone.get(path);
      if (answer.body.state === state) return answer;
      if (performance.now() > endsAtMs)
        throw new Error(`not ${state}: ${JSON.stringify(answer.body)}`);
    }
  }

  /** Codes that were sent to an address, in order. */
  codesTo(to: string): readonly string[] {
    return this.messages
      .filter((message) => message.to === to)
      .flatMap(({ text }) => /\b(\d{6})\b/.exec(text)?.[1] ?? []);
  }

  /** Waits for the code at that position; the newest when left out. */
  async codeFor(to: string, position = -1): Promise<string> {
    const endsAtMs = performance.now() + 20_000;
    for (;;) {
      const code = this.codesTo(to).at(position);
      if (code !== undefined) return code;
      if (performance.now() > endsAtMs) throw new Error('no code came');
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async provePhone(enrollee: Enrollee): Promise<Answer> {
    const { phone, path, number } = enrollee;
    return await phone.post(`${path}/phone-code`, { code: await this.codeFor(number) });
  }

  async handInIdentity(
    { phone, path }: Enrollee,
    documentNumber = randomBytes(6).toString('hex'),
  ): Promise<Answer> {
    return await phone.post(`${path}/identity`, { ...SOMEBODY, documentNumber });
  }

  /** The check that the vendor was asked for last. */
  async checkOf(enrollee: Enrollee, since: number): Promise<Check> {
    const endsAtMs = performance.now() + 30_000;
    for (;;) {
      const check = this.checks[since];
      if (check !== undefined) return check;
      if (performance.now() > endsAtMs)
        throw new Error(`${enrollee.enrollmentId}: the vendor was not asked`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The vendor's signed call. */
  async callBack(
    body: object,
    spoil: { secret?: string; ageMs?: number; tamper?: string } = {},
  ): Promise<Answer> {
    const raw = JSON.stringify(body);
    const seconds = String(Math.floor((this.api.clock.nowMs() - (spoil.ageMs ?? 0)) / 1000));
    const signature = createHmac('sha256', spoil.secret ?? DEMO_IDENTITY_SECRET)
      .update(`${seconds}.${raw}`)
      .digest('hex');
    const response = await this.api.app.inject({
      method: 'POST',
      url: `${this.api.prefix}/vendors/identity/results`,
      headers: {
        'content-type': 'application/json',
        'latchkey-signature': `t=${seconds},v1=${signature}`,
      },
      payload: spoil.tamper ?? raw,
    });
    return {
      status: response.statusCode,
      headers: response.headers,
      body: JSON.parse(response.body) as unknown,
    };
  }

  async decide(
    { reference }: Pick<Check, 'reference'>,
    verdict: 'verified' | 'refused',
  ): Promise<Answer> {
    return await this.callBack({
      reference,
      vendorReference: `v-${reference}`,
      verdict,
      evidenceId: `evd-${reference}`,
    });
  }

  async proveIdentity(enrollee: Enrollee, documentNumber?: string): Promise<void> {
    const since = this.checks.length;
    await this.handInIdentity(enrollee, documentNumber);
    await this.decide(await this.checkOf(enrollee, since), 'verified');
    await this.until(enrollee, 'email');
  }

  async proveEmail(
    { phone, path }: Enrollee,
    email = `${newId('contact')}@example.test`,
  ): Promise<Answer> {
    const before = this.codesTo(email).length;
    await phone.post(`${path}/email`, { email });
    return await phone.post(`${path}/email-code`, { code: await this.codeFor(email, before) });
  }

  async to(enrollee: Enrollee, state: 'identity' | 'email' | 'passkey'): Promise<void> {
    await this.provePhone(enrollee);
    if (state === 'identity') return;
    await this.proveIdentity(enrollee);
    if (state === 'passkey') await this.proveEmail(enrollee);
  }

  /** The body that binds, right in everything that is not spoilt. */
  async passkeyBody(
    enrollee: Enrollee,
    spoil: Spoil & {
      approval?: { typ?: string; challenge?: string; sessionJkt?: string; isSessionKey?: boolean };
    } = {},
  ): Promise<{ credential: RegistrationResponseJSON; approvalKey: object; device: object }> {
    const { phone, path, authenticator } = enrollee;
    const answer = await phone.post(`${path}/passkey-options`, {});
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    const { options, approvalChallenge } = answer.body;
    const { approval = {} } = spoil;
    const key = approval.isSessionKey === true ? phone.key : phone.approvalKey;
    const proof = await new SignJWT({
      challenge: approval.challenge ?? approvalChallenge,
      sessionJkt: approval.sessionJkt ?? phone.jkt,
    })
      .setProtectedHeader({ alg: 'ES256', typ: approval.typ ?? 'latchkey-approval-key+jwt' })
      .sign(key.privateKey);
    return {
      credential: authenticator.register(options, spoil),
      approvalKey: { jwk: key.publicJwk, proof },
      device: { name: 'Test phone', platform: 'web' },
    };
  }

  async bind(enrollee: Enrollee): Promise<Answer> {
    return await enrollee.phone.post(`${enrollee.path}/passkey`, await this.passkeyBody(enrollee));
  }

  /** The whole way, to an active customer. */
  async enroll(enrollee: Enrollee, documentNumber?: string): Promise<Answer> {
    await this.provePhone(enrollee);
    await this.proveIdentity(enrollee, documentNumber);
    await this.proveEmail(enrollee);
    return await this.bind(enrollee);
  }

  /** As another grant would have done it. */
  async spendChallengeOf(credential: RegistrationResponseJSON): Promise<void> {
    const text = Buffer.from(credential.response.clientDataJSON, 'base64url').toString('utf8');
    const { challenge } = JSON.parse(text) as { challenge: string };
    const hash = createHash('sha256').update(Buffer.from(challenge, 'base64url')).digest();
    await this.api.inTenant(async (tx) => {
      await spendChallenge(tx, hash, this.api.clock.nowMs() + 300_000);
    });
  }
}
