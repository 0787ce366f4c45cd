/** Enrollments over HTTP on a ceremony's stack, with the identity vendor as a list that a test looks into, and what an enrolling phone does. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { RegistrationResponseJSON } from '@simplewebauthn/server';
import { SignJWT } from 'jose';
import { createEnrollmentActivities } from '../../../activities/enrollment.ts';
import { createIdentityActivities } from '../../../activities/identity.ts';
import { newId } from '../../../adapters/random.ts';
import { spendChallenge } from '../../../db/challenges.ts';
import { createEnrollmentStore } from '../../../db/enrollment-store.ts';
import { LatchkeyError } from '../../../domain/errors.ts';
import type { Policy } from '../../../domain/policy.ts';
import type { IdentityVerifier } from '../../../domain/ports.ts';
import { DEMO_IDENTITY_SECRET } from '../../../runtime/demo-secrets.ts';
import { createPhone } from '../callers.ts';
import type { Answer, Phone } from '../callers.ts';
import { SoftwareAuthenticator } from '../authenticator.ts';
import type { Spoil } from '../authenticator.ts';
import type { TestActivities } from '../temporal/test-temporal.ts';
import { CeremonyStack, openStackGround } from './ceremony-stack.ts';
import { randomPhone, SOMEBODY } from '../somebody.ts';

type Check = Parameters<IdentityVerifier['startCheck']>[0];

export interface Enrollee {
  readonly phone: Phone;
  readonly authenticator: SoftwareAuthenticator;
  readonly number: string;
  readonly enrollmentId: string;
  readonly path: string;
}

export class EnrollmentStack extends CeremonyStack {
  readonly checks: Check[] = [];
  isVendorDown = false;

  static async start(policy?: Policy): Promise<EnrollmentStack> {
    const stack = new EnrollmentStack(await openStackGround({ policy }));
    await stack.startUp();
    return stack;
  }

  protected override activities(): TestActivities {
    const { database, deps, publicUrl } = this.api;
    const store = createEnrollmentStore(database, { ...deps });
    return {
      ceremonies: createEnrollmentActivities({ store }),
      vendors: createIdentityActivities({
        store,
        verifier: { startCheck: (check) => this.#startCheck(check) },
        callbackUrl: () => Promise.resolve(`${publicUrl}/callback`),
      }),
    };
  }

  protected override deliverAfield(): Promise<void> {
    return Promise.reject(new Error('no enrollment pushes or calls back'));
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

  async provePhone(enrollee: Enrollee): Promise<Answer> {
    const { phone, path, number } = enrollee;
    return await phone.post(`${path}/phone-code`, { code: await this.codeTo(number) });
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
    return await phone.post(`${path}/email-code`, { code: await this.codeTo(email, before) });
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
