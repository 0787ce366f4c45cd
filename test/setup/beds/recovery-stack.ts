/**
 * Recoveries over HTTP on a ceremony's stack: the SDK on new phones, owners with an old one, and the liveness vendor as a list that a test looks into
 * and whose signed results it sends.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { Context } from '@temporalio/activity';
import postgres from 'postgres';
import { vi } from 'vitest';
import { createLivenessActivities } from '../../../activities/liveness.ts';
import { createRecoveryActivities } from '../../../activities/recovery.ts';
import { newId } from '../../../adapters/random.ts';
import type { RecoveryAdvance } from '../../../db/recovery-moves.ts';
import { ringRecovery } from '../../../db/recovery.ts';
import { createRecoveryStore } from '../../../db/recovery-store.ts';
import type { Policy } from '../../../domain/policy.ts';
import type { LivenessChecker } from '../../../domain/ports.ts';
import type { RecoverySubject } from '../../../domain/recovery.ts';
import { DEMO_LIVENESS_SECRET } from '../../../runtime/demo-secrets.ts';
import { createLatchkey, type Latchkey } from '../../../sdk/client.ts';
import type { RecoveryAsked, RecoveryView } from '../../../sdk/recovery-types.ts';
import { SoftwareAuthenticator } from '../authenticator.ts';
import type { Answer } from '../callers.ts';
import { createBanker, type Banker } from '../login-bed.ts';
import { memoryStore } from '../memory-store.ts';
import { colleague, said, type Run } from '../recoveries.ts';
import { randomPhone } from '../somebody.ts';
import type { TestActivities } from '../temporal/test-temporal.ts';
import { CeremonyStack, openStackGround } from './ceremony-stack.ts';

const PATIENCE = { timeout: 30_000, interval: 25 };

type Check = Parameters<LivenessChecker['startSession']>[0];

export interface Owner extends Banker {
  readonly number: string;
  readonly email: string;
}

export interface NewPhone {
  readonly latchkey: Latchkey;
  readonly store: ReturnType<typeof memoryStore>;
  /** Requests whose answers are lost on the way back; each is counted off. */
  loseAnswers(count: number): void;
  /** As after the app was closed: the same store, nothing in memory. */
  restarted(): NewPhone;
}

export class RecoveryStack extends CeremonyStack {
  readonly checks: Check[] = [];
  /** Awaited inside the workflow task that makes a move, before the row moves. */
  beforeMove: (move: RecoveryAdvance) => Promise<void> = () => Promise.resolve();
  readonly run: Run = (work) => this.api.inTenant(work);

  static async start(policy?: Policy): Promise<RecoveryStack> {
    const stack = new RecoveryStack(await openStackGround({ policy }));
    await stack.startUp();
    return stack;
  }

  protected override activities(): TestActivities {
    const { database, deps, publicUrl, clock } = this.api;
    const rows = createRecoveryStore(database, deps);
    const advance: typeof rows.advance = async (move) => {
      await this.beforeMove(move);
      return await rows.advance(move);
    };
    const store = { ...rows, advance };
    const checker: LivenessChecker = {
      startSession: (check) => {
        this.checks.push(check);
        return Promise.resolve({
          vendorSession: `session-${check.reference}`,
          clientParameters: { sessionId: `session-${check.reference}` },
          expiresAtMs: clock.nowMs() + check.expiresInSeconds * 1000,
        });
      },
      // It tells by webhook.
      readResult: () => Promise.resolve({ status: 'pending' }),
    };
    return {
      ceremonies: createRecoveryActivities({ store }),
      vendors: createLivenessActivities({
        store,
        checker,
        vendorId: 'signed-http',
        callbackUrl: () => Promise.resolve(`${publicUrl}/vendors/liveness/results`),
        // As a worker's: what waits is called off when the worker stops.
        heartbeat: {
          beat: (details) => {
            Context.current().heartbeat(details);
          },
          pause: (milliseconds) => Context.current().sleep(milliseconds),
        },
        nowMs: () => clock.nowMs(),
      }),
    };
  }

  protected override deliverAfield(): Promise<void> {
    return Promise.reject(new Error('no recovery pushes or calls back'));
  }

  /** A customer whom nothing changed about for ninety days, so that policy asks for no more than it must. */
  async owner(): Promise<Owner> {
    const number = randomPhone();
    const email = `${randomBytes(6).toString('hex')}@example.test`;
    const banker = await createBanker(this.api, { number });
    const { tenantId, deps } = this.api;
    const { customerId } = banker;
    await this.run(async (tx) => {
      for (const [kind, value] of [
        ['phone', number],
        ['email', email],
      ] as const) {
        const target = { tenantId, customerId, purpose: `contact.${kind}` };
        await tx`update contact set blind_index = ${deps.personalData.blindIndex(tenantId, kind, value)},
            sealed_value = ${await deps.personalData.seal(tx, target, value)},
            created_at = created_at - interval '90 days', proved_at = proved_at - interval '90 days'
          where customer_id = ${customerId} and kind = ${kind}`;
      }
      await tx`update device set created_at = created_at - interval '90 days', trusted_at = trusted_at - interval '90 days'
        where customer_id = ${customerId}`;
      const personId = newId('person');
      await tx`insert into person (tenant_id, person_id, identity_index, evidence_id)
        values (${tenantId}, ${personId}, ${randomBytes(32)}, ${newId('request')})`;
      await tx`update customer set person_id = ${personId} where customer_id = ${customerId}`;
    });
    return { ...banker, number, email };
  }

  newPhone(store = memoryStore()): NewPhone {
    const { api } = this;
    const authenticator = new SoftwareAuthenticator(api.publicUrl);
    let toLose = 0;
    const latchkey = createLatchkey({
      issuer: `${api.publicUrl}${api.prefix}`,
      clientId: 'demo-app',
      store,
      nowMs: () => api.clock.nowMs(),
      pause: () => new Promise((resolve) => setImmediate(resolve)),
      fetch: async (input, init) => {
        const answer = await this.#inject(input, init);
        if (toLose > 0 && answer.status !== 401) {
          toLose -= 1;
          throw new TypeError('the answer was lost');
        }
        return answer;
      },
      webauthn: {
        create: (creation) => Promise.resolve(authenticator.register(creation)),
        get: (request) => Promise.resolve(authenticator.authenticate(request)),
      },
      alone: (work) => work(),
      tabs: { post: () => undefined, listen: () => undefined },
    });
    return {
      latchkey,
      store,
      loseAnswers: (count) => {
        toLose = count;
      },
      restarted: () => this.newPhone(store),
    };
  }

  async #inject(input: RequestInfo | URL, init: RequestInit | undefined): Promise<Response> {
    const url = new URL(input instanceof Request ? input.url : input);
    const method = init?.method ?? 'GET';
    const { statusCode, headers, rawPayload } = await this.api.app.inject({
      method: method === 'POST' ? 'POST' : method === 'PUT' ? 'PUT' : 'GET',
      url: `${url.pathname}${url.search}`,
      headers: {
        ...Object.fromEntries(new Headers(init?.headers)),
        origin: this.api.publicUrl,
      },
      ...(typeof init?.body === 'string' ? { payload: init.body } : {}),
    });
    const given = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, String(value)]],
    );
    return new Response(rawPayload.length === 0 ? null : new Uint8Array(rawPayload), {
      status: statusCode,
      headers: given,
    });
  }

  /** Asks by e-mail and proves it by the code that came there. */
  async opened(phone: NewPhone, { email }: Owner, asked: Partial<RecoveryAsked> = {}) {
    const { recovery } = phone.latchkey;
    const before = this.codesTo(email).length;
    const { requestId } = await recovery.start({ report: 'broken', locale: 'en', email, ...asked });
    const { recoveryId } = await recovery.submitCode(requestId, await this.codeTo(email, before));
    if (recoveryId === undefined) throw new Error('the case is another phone’s');
    await this.reaches(recoveryId, 'identity');
    return recoveryId;
  }

  /** The vendor's session of the newest check, once the worker has it. */
  async check(phone: NewPhone, recoveryId: string): Promise<Check> {
    const begun = await phone.latchkey.recovery.beginLiveness(recoveryId);
    const attemptId = begun.liveness?.attemptId ?? '';
    await this.sees(phone, recoveryId, ({ liveness }) => liveness?.status === 'ready');
    const found = this.checks.find(({ reference }) => reference === attemptId);
    if (found === undefined) throw new Error('the vendor was not asked');
    return found;
  }

  async sees(
    phone: NewPhone,
    recoveryId: string,
    isDue: (view: RecoveryView) => boolean,
  ): Promise<RecoveryView> {
    const patience = AbortSignal.timeout(PATIENCE.timeout);
    return await phone.latchkey.recovery.waitUntil(recoveryId, isDue, patience);
  }

  /** The vendor's signed call, right in everything that is not changed. */
  async tell(
    { reference, caseId, newJkt }: Check,
    changes: Readonly<Record<string, unknown>> = {},
    spoil: { readonly secret?: string; readonly tamper?: string } = {},
  ): Promise<Answer> {
    const raw = JSON.stringify({
      reference,
      vendorSession: `session-${reference}`,
      caseId,
      newJkt,
      outcome: 'passed',
      livenessConfidence: 99,
      matchConfidence: 99,
      evidenceId: `evd-${reference}`,
      at: new Date(this.api.clock.nowMs()).toISOString(),
      ...changes,
    });
    const seconds = String(Math.floor(this.api.clock.nowMs() / 1000));
    const signature = createHmac('sha256', spoil.secret ?? DEMO_LIVENESS_SECRET)
      .update(`${seconds}.${raw}`)
      .digest('hex');
    const response = await this.api.app.inject({
      method: 'POST',
      url: `${this.api.prefix}/vendors/liveness/results`,
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

  /** Contact and person proved: people look at it now. */
  async proved(phone: NewPhone, owner: Owner): Promise<string> {
    const recoveryId = await this.opened(phone, owner);
    await this.tell(await this.check(phone, recoveryId));
    await this.reaches(recoveryId, 'review');
    return recoveryId;
  }

  /** As many people as it takes; it cools then. */
  async approved(recoveryId: string): Promise<void> {
    const { tenantId } = this.api;
    for (const employee of ['E1', 'E2']) {
      const person = await colleague(this.run, tenantId, `${employee}-${recoveryId.slice(-8)}`);
      await said(this.run, this.subject(recoveryId), person, { kind: 'approve' });
    }
    await this.reaches(recoveryId, 'cooling');
  }

  /** As if the time to object were over: the workflow is told to look. */
  async waitedOut(recoveryId: string): Promise<void> {
    await this.run(async (tx) => {
      await tx`update recovery set cooling_from = cooling_from - make_interval(secs => cooling_seconds + 1)
        where recovery_id = ${recoveryId}`;
      await ringRecovery(tx, this.subject(recoveryId));
    });
    await this.reaches(recoveryId, 'rebind');
  }

  /** As if the time of its link and code were over. */
  async expire(requestId: string): Promise<void> {
    const rows = postgres(this.api.testDatabase.superuserUrl, { max: 1 });
    await rows`update recovery_request set expires_at = now() - interval '1 second' where request_id = ${requestId}`;
    await rows.end();
  }

  subject(recoveryId: string): RecoverySubject {
    return { tenantId: this.api.tenantId, recoveryId };
  }

  /** What stood after `#` in the newest message to that address that has such a link. */
  async linkTo(to: string, pattern: RegExp): Promise<string> {
    return await vi.waitFor(() => {
      const text = this.messages.findLast((one) => one.to === to && pattern.test(one.text))?.text;
      const [, token] = pattern.exec(text ?? '') ?? [];
      if (token === undefined) throw new Error('no such link came');
      return token;
    }, PATIENCE);
  }

  /** Any browser: no key, no cookie. */
  async post(path: string, body: object): Promise<Answer> {
    const response = await this.api.app.inject({
      method: 'POST',
      url: `${this.api.prefix}${path}`,
      headers: { 'content-type': 'application/json', origin: this.api.publicUrl },
      payload: JSON.stringify(body),
    });
    return {
      status: response.statusCode,
      headers: response.headers,
      body: JSON.parse(response.body) as unknown,
    };
  }
}
