/**
 * Stage control, the development-only helper beside the API: inbox, vendors' behaviour, fraud desk. It holds the demo client's key, so
 * that this page needs none. What it answers is checked here, once.
 */
export interface StageConfig {
  readonly controlUrl: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly bankUrl: string;
  readonly temporalUiUrl: string | undefined;
  readonly temporalNamespace: string;
  readonly tenantId: string | undefined;
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

/** Something of the stage itself did not work; `title` is what the API said. */
export class ControlRefusal extends Error {
  override readonly name = 'ControlRefusal';
  readonly title: string;
  readonly code: string;

  constructor(title: string, code: string) {
    super(title);
    this.title = title;
    this.code = code;
  }
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
    temporalUiUrl: optionalText(status['temporalUiUrl']),
    temporalNamespace: optionalText(status['temporalNamespace']) ?? 'default',
    tenantId: optionalText(status['tenantId']),
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

type Members = Readonly<Record<string, unknown>>;

async function ask(url: string, body?: unknown): Promise<Members> {
  const response = await fetch(url, {
    credentials: 'omit',
    ...(body === undefined
      ? {}
      : {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
  }).catch(() => undefined);
  const answer: unknown = await response?.json().catch(() => undefined);
  const members = isMembers(answer) ? answer : {};
  if (response?.ok === true) return members;
  const title = optionalText(members['title']) ?? 'no answer';
  throw new ControlRefusal(title, optionalText(members['code']) ?? 'no_answer');
}

function identityOf(value: unknown): IdentityDesk {
  const { behaviour, waiting } = isMembers(value) ? value : {};
  return {
    behaviour: behaviour === 'slow' || behaviour === 'refuses' ? behaviour : 'normal',
    waiting: Array.isArray(waiting) ? waiting.length : 0,
  };
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new ControlRefusal('an answer of stage control lacks a member', 'unreadable');
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
