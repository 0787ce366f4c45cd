/**
 * Stage control, the development-only helper beside the API: inbox, vendors' behaviour, fraud desk. It holds the demo client's key, so
 * that this page needs none. What it answers is checked here, once.
 */
import { ask, isMembers, numberOf, optionalText, textOf } from './control-call.ts';
import { readParts } from './parts-view.ts';
import type { PartsButton, PartsView } from './parts-view.ts';

export interface StageConfig {
  readonly controlUrl: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly bankUrl: string;
  readonly paymentsUrl: string;
  readonly temporalUiUrl: string | undefined;
  readonly temporalNamespace: string;
  readonly tenantId: string | undefined;
  /** Where staff come in. */
  readonly operationsUrl: string | undefined;
}

export type IdentityBehaviour = 'normal' | 'slow' | 'refuses';

export interface IdentityDesk {
  readonly behaviour: IdentityBehaviour;
  readonly waiting: number;
}

export interface CutOff {
  readonly revocationId: string;
  readonly status: 'running' | 'sealed';
  readonly effectiveAt: string;
  readonly oldEpoch: number;
  readonly newEpoch: number;
  readonly devices: number;
  readonly credentials: number;
  readonly sessionsEnded: number | undefined;
  readonly ceremoniesEnded: number | undefined;
  readonly lastTokenDiesAt: string | undefined;
  readonly receipt: unknown;
}

/** @throws ControlRefusal when this page belongs to no development stack. */
export async function loadStageConfig(): Promise<StageConfig> {
  const controlUrl = findControl(location);
  const status = await ask(`${controlUrl}/status`);
  return {
    controlUrl,
    issuer: textOf(status['issuer']),
    clientId: textOf(status['clientId']),
    bankUrl: textOf(status['bankUrl']),
    paymentsUrl: textOf(status['paymentsUrl']),
    temporalUiUrl: optionalText(status['temporalUiUrl']),
    temporalNamespace: optionalText(status['temporalNamespace']) ?? 'default',
    tenantId: optionalText(status['tenantId']),
    operationsUrl: optionalText(status['operationsUrl']),
  };
}

/** On this machine, at the next port unless `?control=` names another one: never an address from outside. */
export function findControl({ port, search }: Pick<Location, 'port' | 'search'>): string {
  const given = new URLSearchParams(search).get('control') ?? '';
  const control = /^\d{1,5}$/.test(given) ? given : String(Number(port) + 1);
  return `http://localhost:${control}`;
}

export class StageControl {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  inboxUrl(): string {
    return `${this.#url}/inbox/stream`;
  }

  timelineUrl(of: { readonly customerId: string } | { readonly ceremonyId: string }): string {
    return `${this.#url}/timeline?${new URLSearchParams({ ...of }).toString()}`;
  }

  async identity(): Promise<IdentityDesk> {
    const { identity } = await ask(`${this.#url}/status`);
    return identityOf(identity);
  }

  async setIdentityBehaviour(behaviour: IdentityBehaviour): Promise<IdentityDesk> {
    return identityOf(await ask(`${this.#url}/identity/behaviour`, { behaviour }));
  }

  async releaseIdentity(): Promise<IdentityDesk> {
    return identityOf(await ask(`${this.#url}/identity/release`, {}));
  }

  /** What stands of the stack's parts, and which build has that enrollment in hand. */
  async parts(enrollmentId: string | undefined): Promise<PartsView> {
    const query =
      enrollmentId === undefined ? '' : `?${new URLSearchParams({ enrollmentId }).toString()}`;
    return readParts(await ask(`${this.#url}/parts${query}`));
  }

  /** Returns when it is done. */
  async press(button: PartsButton): Promise<PartsView> {
    return readParts(await ask(`${this.#url}/parts/${button}`, {}));
  }

  async cutOff(customerId: string): Promise<string> {
    const answer = await ask(`${this.#url}/fraud/signals`, {
      customerId,
      reason: 'account_takeover',
    });
    return textOf(answer['revocationId']);
  }

  async revocation(revocationId: string): Promise<CutOff> {
    const answer = await ask(`${this.#url}/fraud/revocations/${revocationId}`);
    return {
      revocationId,
      status: answer['status'] === 'sealed' ? 'sealed' : 'running',
      effectiveAt: textOf(answer['effectiveAt']),
      oldEpoch: numberOf(answer['oldEpoch']) ?? 0,
      newEpoch: numberOf(answer['newEpoch']) ?? 0,
      devices: numberOf(answer['devices']) ?? 0,
      credentials: numberOf(answer['credentials']) ?? 0,
      sessionsEnded: numberOf(answer['sessionsEnded']),
      ceremoniesEnded: numberOf(answer['ceremoniesEnded']),
      lastTokenDiesAt: optionalText(answer['lastTokenDiesAt']),
      receipt: answer['receipt'],
    };
  }

  async release(customerId: string): Promise<string> {
    const answer = await ask(`${this.#url}/fraud/releases`, { customerId, reason: 'false_alarm' });
    return textOf(answer['releasedAt']);
  }

  async startOver(): Promise<void> {
    await ask(`${this.#url}/start-over`, {});
  }
}

function identityOf(value: unknown): IdentityDesk {
  const { behaviour, waiting } = isMembers(value) ? value : {};
  return {
    behaviour: behaviour === 'slow' || behaviour === 'refuses' ? behaviour : 'normal',
    waiting: Array.isArray(waiting) ? waiting.length : 0,
  };
}
