/**
 * Encrypts every payload that crosses into Temporal (AES-256-GCM) and refuses every payload that we did not encrypt, for this namespace
 * and this workflow: whoever can write to the namespace can neither read a history nor feed one. Keys are kept as long as the longest
 * workflow plus the retention, because a missing key makes activations fail for ever.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { METADATA_ENCODING_KEY } from '@temporalio/common';
import type { Payload, PayloadCodec } from '@temporalio/common';
import type { SerializationContext } from '@temporalio/common/lib/converter/serialization-context.js';
import proto from '@temporalio/proto';
import { LatchkeyError } from '../domain/errors.ts';

export interface PayloadKey {
  readonly kid: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
/** In clear anyway as the workflow's id; here so that staff can decode without the SDK's context. It is authenticated. */
const BOUND_TO = 'latchkey-workflow';
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

// Node sees no names in this CommonJS package, only its default.
const PayloadMessage = proto.temporal.api.common.v1.Payload;

export class PayloadEncryption implements PayloadCodec {
  readonly #namespace: string;
  readonly #current: PayloadKey;
  readonly #keys: ReadonlyMap<string, Uint8Array>;

  readonly #onRefused: (reason: string) => void;

  constructor({
    namespace,
    keys,
    onRefused = () => undefined,
  }: {
    readonly namespace: string;
    readonly keys: readonly PayloadKey[];
    /** Told why a payload was not taken: an alarm for whoever looks after keys. */
    readonly onRefused?: (reason: string) => void;
  }) {
    const [current] = keys;
    if (current === undefined) throw new TypeError('a payload codec needs a key');
    this.#namespace = namespace;
    this.#onRefused = onRefused;
    this.#current = current;
    this.#keys = new Map(keys.map(({ kid, key }) => [kid, key]));
  }

  async encode(payloads: Payload[], context?: SerializationContext): Promise<Payload[]> {
    return payloads.map((payload) => this.#encrypt(payload, context?.workflowId));
  }

  /** @throws LatchkeyError payload_not_ours */
  async decode(payloads: Payload[], context?: SerializationContext): Promise<Payload[]> {
    try {
      return payloads.map((payload) => this.#decrypt(payload, context?.workflowId));
    } catch (error) {
      this.#onRefused((error instanceof LatchkeyError && error.detail) || 'unknown');
      throw error;
    }
  }

  #encrypt(payload: Payload, workflowId: string | undefined): Payload {
    const { kid, key } = this.#current;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    cipher.setAAD(this.#additionalData(kid, workflowId));
    const plain = PayloadMessage.encode(payload).finish();
    const data = Buffer.concat([
      Buffer.of(VERSION),
      nonce,
      cipher.update(plain),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    return {
      metadata: {
        [METADATA_ENCODING_KEY]: Buffer.from(ENCODING),
        [KEY_ID]: Buffer.from(kid),
        ...(workflowId === undefined ? {} : { [BOUND_TO]: Buffer.from(workflowId) }),
      },
      data,
    };
  }

  #decrypt(payload: Payload, expectedWorkflowId: string | undefined): Payload {
    if (metadata(payload, METADATA_ENCODING_KEY) !== ENCODING) throw notOurs('not encrypted');
    const kid = metadata(payload, KEY_ID) ?? '';
    const key = this.#keys.get(kid);
    if (key === undefined) throw notOurs('unknown key');
    const workflowId = metadata(payload, BOUND_TO);
    if (expectedWorkflowId !== undefined && workflowId !== expectedWorkflowId) {
      throw notOurs('bound to another workflow');
    }
    const data = Buffer.from(payload.data ?? []);
    if (data.length < 1 + NONCE_BYTES + TAG_BYTES || data[0] !== VERSION) throw notOurs('form');
    const decipher = createDecipheriv('aes-256-gcm', key, data.subarray(1, 1 + NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(this.#additionalData(kid, workflowId));
    decipher.setAuthTag(data.subarray(-TAG_BYTES));
    try {
      const sealed = data.subarray(1 + NONCE_BYTES, -TAG_BYTES);
      return PayloadMessage.decode(Buffer.concat([decipher.update(sealed), decipher.final()]));
    } catch (cause) {
      throw notOurs('not authentic', cause);
    }
  }

  /** Each part is preceded by its length, so that no two different contexts make the same bytes. */
  #additionalData(kid: string, workflowId: string | undefined): Buffer {
    const parts = ['latchkey/payload', String(VERSION), kid, this.#namespace, workflowId ?? ''];
    return Buffer.from(parts.map((part) => `${String(Buffer.byteLength(part))}:${part}`).join(''));
  }
}

/** The workflow that a payload of ours says it is bound to; `decode` finds out whether that is true. */
export function boundWorkflow(payload: Payload): string | undefined {
  return metadata(payload, BOUND_TO);
}

function metadata(payload: Payload, name: string): string | undefined {
  const value = payload.metadata?.[name];
  return value === undefined || value === null ? undefined : Buffer.from(value).toString('utf8');
}

function notOurs(why: string, cause?: unknown): LatchkeyError {
  return new LatchkeyError('payload_not_ours', {
    detail: why,
    ...(cause === undefined ? {} : { cause }),
  });
}
