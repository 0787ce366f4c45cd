/** The payload keys of tests and of the recorded histories. They protect nothing: never use them anywhere else. */
import type { PayloadKey } from '../../temporal/payload-codec.ts';

export const TEST_PAYLOAD_KEYS: readonly [PayloadKey, ...PayloadKey[]] = [
  { kid: 'test1', key: new Uint8Array(32).fill(1) },
];
