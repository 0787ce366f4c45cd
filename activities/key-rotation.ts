/** What the rotation of signing keys may do to the world: make and retire them for every tenant. No key passes through here. */

export interface RotationCounts {
  readonly made: number;
  readonly retired: number;
}

export interface KeyRotationStore {
  /** One transaction a tenant and purpose; harmless to repeat. @throws LatchkeyError when one could not be done, after the others were. */
  rotateAll(): Promise<RotationCounts>;
}

export function createKeyRotationActivities({ store }: { readonly store: KeyRotationStore }) {
  return {
    rotateSigningKeys: (): Promise<RotationCounts> => store.rotateAll(),
  };
}
