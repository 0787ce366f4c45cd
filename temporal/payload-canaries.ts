/** The canaries of the payload keys: sealed and opened by the codec itself, so that a codec that can no longer read its own old form is found too. */
import { METADATA_ENCODING_KEY } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { KeyCanary } from '../domain/key-canary.ts';
import { PayloadEncryption } from './payload-codec.ts';
import type { PayloadKey } from './payload-codec.ts';

/** Not a real one: a canary must survive a move to another namespace. */
const NAMESPACE = 'latchkey-key-canary';
// Node sees no names in this CommonJS package, only its default.
const PayloadMessage = proto.temporal.api.common.v1.Payload;

export function payloadCanaries(keys: readonly PayloadKey[]): readonly KeyCanary[] {
  return keys.map((key): KeyCanary => {
    const codec = new PayloadEncryption({ namespace: NAMESPACE, keys: [key] });
    return {
      purpose: 'payload',
      kid: key.kid,
      async seal(subject) {
        const plain = {
          metadata: { [METADATA_ENCODING_KEY]: Buffer.from('binary/plain') },
          data: Buffer.from(subject),
        };
        const [sealed] = await codec.encode([plain]);
        if (sealed === undefined) throw new TypeError('a codec answers as many payloads');
        return PayloadMessage.encode(sealed).finish();
      },
      async opens(subject, sealed) {
        try {
          const [plain] = await codec.decode([PayloadMessage.decode(sealed)]);
          return Buffer.from(plain?.data ?? []).toString('utf8') === subject;
        } catch {
          return false;
        }
      },
    };
  });
}
