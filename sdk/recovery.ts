/**
 * Recovery as the new phone walks it: the request, the contact's answer, the case as a waiting room, the liveness check, the passkey; and going on
 * after a restart with what was stored, under the same keys. It must never keep a code or a contact once the request was answered.
 */
import type { Http } from './http.ts';
import { newKey } from './http.ts';
import { INSTALLATION } from './enrollment.ts';
import { deviceKey, proveApprovalKey } from './keys.ts';
import { LatchkeyProblem } from './problem.ts';
import type { RecoveryAsked, RecoveryRequestView, RecoveryView } from './recovery-types.ts';
import type { Store } from './store.ts';
import type { PublicKeyCredentialCreationOptionsJSON, WebAuthn } from './webauthn.ts';

const STARTING = 'recovery-start';
const REQUEST = 'recovery-request';
const UNDER_WAY = 'recovery';
const FIRST_LOOK_MS = 700;
const LONGEST_LOOK_MS = 5_000;

interface PendingStart {
  readonly idempotencyKey: string;
  readonly body: RecoveryAsked & { readonly clientId: string };
}

interface RecoveryRequested {
  readonly requestId: string;
  readonly checkNumber: string;
  readonly expiresAt: string;
}

/** Where this phone stands: it waits for a contact's answer, or it has a case. */
export type RecoveryPlace =
  | { readonly request: RecoveryRequestView; readonly recovery?: undefined }
  | { readonly recovery: RecoveryView; readonly request?: undefined };

export interface RecoveryOptions {
  readonly clientId: string;
  readonly http: Http;
  readonly store: Store;
  readonly webauthn: WebAuthn;
  readonly pause: (ms: number) => Promise<void>;
}

export class Recovery {
  readonly #options: RecoveryOptions;
  /** A passkey that was made, until it is known whether it was bound: the customer must not be asked for a second one. */
  #unbound: { readonly id: string; readonly body: unknown } | undefined;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** Show `checkNumber` while it waits: the page that the link opens asks for it. */
  async start(asked: RecoveryAsked): Promise<RecoveryRequestView> {
    const body = { clientId: this.#options.clientId, ...asked };
    const pending = await this.#pendingStart();
    const isSame = JSON.stringify(pending?.body) === JSON.stringify(body);
    const start = isSame && pending !== undefined ? pending : { idempotencyKey: newKey(), body };
    await this.#options.store.set(STARTING, start);
    return this.#sendStart(start);
  }

  /** After a start of the app: where it stands now, undefined when nothing is under way. */
  async resume(): Promise<RecoveryPlace | undefined> {
    const { store } = this.#options;
    const pending = await this.#pendingStart();
    if (pending !== undefined) return this.#placeOf(await this.#sendStart(pending));
    try {
      const id = await store.get(UNDER_WAY);
      if (typeof id === 'string') return { recovery: await this.view(id) };
      const requestId = await store.get(REQUEST);
      if (typeof requestId !== 'string') return undefined;
      return await this.#placeOf(await this.request(requestId));
    } catch (error) {
      const isGone =
        error instanceof LatchkeyProblem &&
        (error.code === 'recovery_not_found' || error.code === 'recovery_request_not_found');
      if (!isGone) throw error;
      await this.dismiss();
      return undefined;
    }
  }

  /** Whether the contact has answered; where it was by the link, this is how the phone learns of its case. */
  async request(requestId: string): Promise<RecoveryRequestView> {
    return this.#asked(
      await this.#options.http.call<RecoveryRequestView>({
        operation: 'getRecoveryRequest',
        method: 'GET',
        path: `/recovery-requests/${requestId}`,
      }),
    );
  }

  async submitCode(requestId: string, code: string): Promise<RecoveryRequestView> {
    return this.#asked(
      await this.#options.http.call<RecoveryRequestView>({
        operation: 'submitRecoveryCode',
        method: 'POST',
        path: `/recovery-requests/${requestId}/code`,
        json: { code },
      }),
    );
  }

  async view(id: string, signal?: AbortSignal): Promise<RecoveryView> {
    return this.#seen(
      await this.#options.http.call<RecoveryView>({
        operation: 'getRecovery',
        method: 'GET',
        path: `/recoveries/${id}`,
        ...(signal === undefined ? {} : { signal }),
      }),
    );
  }

  /** Looks until `isDue` says so: for what vendor, bank or time do. A lost network is waited out. */
  async waitUntil(
    id: string,
    isDue: (view: RecoveryView) => boolean,
    signal: AbortSignal,
  ): Promise<RecoveryView> {
    for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(LONGEST_LOOK_MS, pauseMs * 1.3)) {
      const now = await this.view(id, signal).catch((error: unknown) => {
        if (error instanceof LatchkeyProblem && error.isUndecided) return undefined;
        throw error;
      });
      if (now !== undefined && isDue(now)) return now;
      await this.#options.pause(pauseMs);
      signal.throwIfAborted();
    }
  }

  /** A new check takes the place of the former; wait until `liveness.status` is `ready`. */
  beginLiveness(id: string): Promise<RecoveryView> {
    return this.#step(id, 'beginLiveness', 'liveness', {});
  }

  /** Asks the customer for a passkey and binds it with both keys of this phone. @throws LatchkeyProblem passkey_cancelled and others */
  async createPasskey(
    id: string,
    device: { readonly name: string; readonly platform: string },
  ): Promise<RecoveryView> {
    const made = this.#unbound?.id === id ? this.#unbound : undefined;
    const body = made?.body ?? { ...(await this.#makePasskey(id)), device };
    this.#unbound = { id, body };
    try {
      const view = await this.#step(id, 'bindRecoveredPasskey', 'passkey', body);
      this.#unbound = undefined;
      return view;
    } catch (error) {
      if (!(error instanceof LatchkeyProblem) || !error.isUndecided) this.#unbound = undefined;
      throw error;
    }
  }

  cancel(id: string): Promise<RecoveryView> {
    return this.#step(id, 'cancelRecovery', 'cancel', {});
  }

  /** What was asked of another contact is left: the case goes on as it stands. */
  async goBackTo(id: string): Promise<RecoveryView> {
    const view = await this.view(id);
    const { store } = this.#options;
    await store.set(UNDER_WAY, id);
    for (const name of [STARTING, REQUEST]) await store.delete(name);
    return view;
  }

  /** Forgets the case here, once its end has been shown. */
  async dismiss(): Promise<void> {
    for (const name of [STARTING, REQUEST, UNDER_WAY]) await this.#options.store.delete(name);
  }

  async #makePasskey(id: string) {
    const { http, store, webauthn } = this.#options;
    const { options, approvalChallenge } = await http.call<{
      readonly options: PublicKeyCredentialCreationOptionsJSON;
      readonly approvalChallenge: string;
    }>({
      operation: 'createRecoveryPasskeyOptions',
      method: 'POST',
      path: `/recoveries/${id}/passkey-options`,
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

  async #sendStart({ idempotencyKey, body }: PendingStart): Promise<RecoveryRequestView> {
    const { http, store } = this.#options;
    try {
      const answer = await http.call<RecoveryRequested>({
        operation: 'requestRecovery',
        method: 'POST',
        path: '/recovery-requests',
        json: body,
        idempotencyKey,
      });
      await store.delete(UNDER_WAY);
      await store.set(REQUEST, answer.requestId);
      await store.delete(STARTING);
      return { ...answer, status: 'sent' };
    } catch (error) {
      if (error instanceof LatchkeyProblem && !error.isUndecided) await store.delete(STARTING);
      throw error;
    }
  }

  async #placeOf(request: RecoveryRequestView): Promise<RecoveryPlace> {
    const { recoveryId } = request;
    return recoveryId === undefined ? { request } : { recovery: await this.view(recoveryId) };
  }

  async #step(id: string, operation: string, path: string, json: unknown): Promise<RecoveryView> {
    return this.#seen(
      await this.#options.http.call<RecoveryView>({
        operation,
        method: 'POST',
        path: `/recoveries/${id}/${path}`,
        json,
      }),
    );
  }

  async #asked(view: RecoveryRequestView): Promise<RecoveryRequestView> {
    if (view.recoveryId !== undefined) await this.#options.store.set(UNDER_WAY, view.recoveryId);
    return view;
  }

  async #seen(view: RecoveryView): Promise<RecoveryView> {
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
