/**
 * A canary for each key: a few bytes sealed under it at its first use and kept beside the data, so that a process finds out at its start, and
 * not by its first customer, that a key is missing or is no longer the same. It says nothing about the key itself.
 */

/** `payload`: Temporal's payloads. `master`: what the key management sealed. `index`: what is found again only by the same key. */
export const KEY_PURPOSES = ['payload', 'master', 'index'] as const;
export type KeyPurpose = (typeof KEY_PURPOSES)[number];

/** One configured key. */
export interface KeyCanary {
  readonly purpose: KeyPurpose;
  readonly kid: string;
  /** `subject` is bound in: the tenant's id. */
  seal(subject: string): Promise<Uint8Array>;
  opens(subject: string, sealed: Uint8Array): Promise<boolean>;
}

export interface KeyFault {
  readonly purpose: KeyPurpose;
  readonly kid: string;
  /** `missing`: not configured any more. `changed`: the id is there, its bytes are others. */
  readonly wrong: 'missing' | 'changed';
}

const VARIABLE = {
  payload: 'LATCHKEY_PAYLOAD_KEYS',
  master: 'LATCHKEY_MASTER_KEYS',
  index: 'LATCHKEY_MASTER_KEYS',
} as const satisfies Record<KeyPurpose, string>;

/** A process that must not start; the message has one line a fault and never a key. */
export class KeyCanaryError extends Error {
  override readonly name = 'KeyCanaryError';
  readonly faults: readonly KeyFault[];

  constructor(faults: readonly KeyFault[]) {
    super(faults.map(describeFault).join('\n'));
    this.faults = faults;
  }
}

function describeFault({ purpose, kid, wrong }: KeyFault): string {
  const place = VARIABLE[purpose];
  if (wrong === 'changed')
    return `${place}: key ${kid} is not the one that the data was sealed under; give back its bytes`;
  if (purpose === 'index')
    return `${place}: key ${kid} is not the last of the list; contacts are found by it: put it back there`;
  return `${place}: key ${kid} is missing and data is sealed under it; put it back, or when nothing is left under it run: latchkey keys retire ${purpose} ${kid}`;
}
