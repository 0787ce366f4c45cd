/**
 * Enrollment as an app walks it: start, each step, and going on after a restart with what was stored. A start whose answer was lost is
 * repeated under its first key, so that one customer never opens two. It must never keep a code or a name.
 */
import type { Http } from './http.ts';
import { newKey } from './http.ts';
import { deviceKey, proveApprovalKey } from './keys.ts';
import { LatchkeyProblem } from './problem.ts';
import type { Store } from './store.ts';
import type { EnrollmentView, IdentityDetails } from './types.ts';
import type { PublicKeyCredentialCreationOptionsJSON, WebAuthn } from './webauthn.ts';

const STARTING = 'enrollment-start';
const UNDER_WAY = 'enrollment';
export const INSTALLATION = 'installation';
const FIRST_LOOK_MS = 700;
const LONGEST_LOOK_MS = 3_000;

interface PendingStart {
  readonly idempotencyKey: string;
  readonly body: { readonly clientId: string; readonly phone: string; readonly locale: string };
}

/** What this installation became. */
export interface Installation {
  readonly customerId: string;
  readonly deviceId: string;
}

interface PasskeyOptions {
  readonly options: PublicKeyCredentialCreationOptionsJSON;
  readonly approvalChallenge: string;
}

export interface EnrollmentOptions {
  readonly clientId: string;
  readonly http: Http;
  readonly store: Store;
  readonly webauthn: WebAuthn;
  readonly pause: (ms: number) => Promise<void>;
}

export class Enrollment {
  readonly #options: EnrollmentOptions;
  /** A passkey that was made, until it is known whether it was bound: the customer must not be asked for a second one. */
  #unbound: { readonly id: string; readonly body: unknown } | undefined;

  constructor(options: EnrollmentOptions) {
    this.#options = options;
  }

  async start({ phone, locale }: { phone: string; locale: string }): Promise<EnrollmentView> {
    const body = { clientId: this.#options.clientId, phone, locale };
    const pending = await this.#pendingStart();
    const isSame = pending?.body.phone === phone && pending.body.locale === locale;
    const start: PendingStart = isSame ? pending : { idempotencyKey: newKey(), body };
    await this.#options.store.set(STARTING, start);
    return this.#sendStart(start);
  }

  /** After a start of the app: the enrollment under way as it stands now, undefined when there is none. */
  async resume(): Promise<EnrollmentView | undefined> {
    const pending = await this.#pendingStart();
    if (pending !== undefined) return this.#sendStart(pending);
    const id = await this.#options.store.get(UNDER_WAY);
    if (typeof id !== 'string') return undefined;
    try {
      return await this.view(id);
    } catch (error) {
      if (!(error instanceof LatchkeyProblem) || error.code !== 'ceremony_not_found') throw error;
      await this.dismiss();
      return undefined;
    }
  }

  async view(id: string, signal?: AbortSignal): Promise<EnrollmentView> {
    return this.#seen(
      await this.#options.http.call<EnrollmentView>({
        operation: 'getEnrollment',
        method: 'GET',
        path: `/auth/enrollments/${id}`,
        ...(signal === undefined ? {} : { signal }),
      }),
    );
  }

  /** Looks until the enrollment has left `from`: for steps that somebody else takes. A lost network is waited out. */
  async waitWhile(from: EnrollmentView, signal: AbortSignal): Promise<EnrollmentView> {
    for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(LONGEST_LOOK_MS, pauseMs * 1.3)) {
      await this.#options.pause(pauseMs);
      signal.throwIfAborted();
      const now = await this.view(from.enrollmentId, signal).catch((error: unknown) => {
        if (error instanceof LatchkeyProblem && error.isUndecided) return from;
        throw error;
      });
      if (now.state !== from.state) return now;
    }
  }

  submitPhoneCode(id: string, code: string): Promise<EnrollmentView> {
    return this.#step(id, 'submitPhoneCode', 'phone-code', { code });
  }

  resendPhoneCode(id: string): Promise<EnrollmentView> {
    return this.#step(id, 'resendPhoneCode', 'phone-code/resend', {});
  }

  submitIdentity(id: string, identity: IdentityDetails): Promise<EnrollmentView> {
    return this.#step(id, 'submitIdentity', 'identity', identity);
  }

  submitEmail(id: string, email: string): Promise<EnrollmentView> {
    return this.#step(id, 'submitEmail', 'email', { email });
  }

  submitEmailCode(id: string, code: string): Promise<EnrollmentView> {
    return this.#step(id, 'submitEmailCode', 'email-code', { code });
  }

  resendEmailCode(id: string): Promise<EnrollmentView> {
    return this.#step(id, 'resendEmailCode', 'email-code/resend', {});
  }

  /** Asks the customer for a passkey and binds it with both device keys. @throws LatchkeyProblem passkey_cancelled and others */
  async createPasskey(
    id: string,
    device: { readonly name: string; readonly platform: string },
  ): Promise<EnrollmentView> {
    const made = this.#unbound?.id === id ? this.#unbound : undefined;
    const body = made?.body ?? { ...(await this.#makePasskey(id)), device };
    this.#unbound = { id, body };
    try {
      const view = await this.#step(id, 'bindPasskey', 'passkey', body);
      this.#unbound = undefined;
      return view;
    } catch (error) {
      if (!(error instanceof LatchkeyProblem) || !error.isUndecided) this.#unbound = undefined;
      throw error;
    }
  }

  cancel(id: string): Promise<EnrollmentView> {
    return this.#step(id, 'cancelEnrollment', 'cancel', {});
  }

  /** Forgets the enrollment here, once its end has been shown. */
  async dismiss(): Promise<void> {
    await this.#options.store.delete(UNDER_WAY);
    await this.#options.store.delete(STARTING);
  }

  async installation(): Promise<Installation | undefined> {
    const found = await this.#options.store.get(INSTALLATION);
    return isInstallation(found) ? found : undefined;
  }

  async #makePasskey(id: string) {
    const { http, store, webauthn } = this.#options;
    const { options, approvalChallenge } = await http.call<PasskeyOptions>({
      operation: 'createPasskeyOptions',
      method: 'POST',
      path: `/auth/enrollments/${id}/passkey-options`,
      json: {},
    });
    const credential = await webauthn.create(options);
    const { jkt } = await deviceKey(store, 'session-key');
    const approvalKey = await proveApprovalKey(await deviceKey(store, 'approval-key'), {
      challenge: approvalChallenge,
      sessionJkt: jkt,
    });
    return { credential, approvalKey };
  }

  async #sendStart({ idempotencyKey, body }: PendingStart): Promise<EnrollmentView> {
    const { http, store } = this.#options;
    try {
      const view = await http.call<EnrollmentView>({
        operation: 'startEnrollment',
        method: 'POST',
        path: '/auth/enrollments',
        json: body,
        idempotencyKey,
      });
      await store.set(UNDER_WAY, view.enrollmentId);
      await store.delete(STARTING);
      return await this.#seen(view);
    } catch (error) {
      if (error instanceof LatchkeyProblem && !error.isUndecided) await store.delete(STARTING);
      throw error;
    }
  }

  async #step(id: string, operation: string, path: string, json: unknown): Promise<EnrollmentView> {
    return this.#seen(
      await this.#options.http.call<EnrollmentView>({
        operation,
        method: 'POST',
        path: `/auth/enrollments/${id}/${path}`,
        json,
      }),
    );
  }

  async #seen(view: EnrollmentView): Promise<EnrollmentView> {
    const { customerId, deviceId } = view;
    if (customerId !== undefined && deviceId !== undefined)
      await this.#options.store.set(INSTALLATION, { customerId, deviceId });
    return view;
  }

  async #pendingStart(): Promise<PendingStart | undefined> {
    const found = await this.#options.store.get(STARTING);
    return isPendingStart(found) ? found : undefined;
  }
}

function isPendingStart(value: unknown): value is PendingStart {
  return typeof value === 'object' && value !== null && 'idempotencyKey' in value;
}

function isInstallation(value: unknown): value is Installation {
  return typeof value === 'object' && value !== null && 'customerId' in value;
}
