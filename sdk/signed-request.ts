/**
 * Signs a request with the session key over its body, beside the proof that says who sends it (SECURITY.md section 5): for requests below the
 * step-up threshold whose content matters. A signature is made for one request and must never be sent with another body.
 */
import { serializeDictionary, serializeInnerList } from 'structured-headers';
import type { InnerList, Parameters } from 'structured-headers';
import type { DeviceKey } from './keys.ts';
import {
  sha256,
  SIGNATURE_ALGORITHM,
  SIGNATURE_TAG,
  signatureBase,
  SIGNED_COMPONENTS,
  WEB_CRYPTO_ALGORITHM,
} from './message-signature.ts';

const LABEL = 'latchkey';

export interface RequestToSign {
  readonly method: string;
  /** Absolute, with its query. */
  readonly url: string;
  readonly body: string | undefined;
  /** As they will be sent. */
  readonly authorization: string;
  readonly dpop: string;
}

/** `Content-Digest`, `Signature-Input` and `Signature`. */
export async function signRequest(
  { privateKey, jkt }: Pick<DeviceKey, 'privateKey' | 'jkt'>,
  request: RequestToSign,
  nowMs: number,
): Promise<Readonly<Record<string, string>>> {
  const body = new TextEncoder().encode(request.body ?? '');
  const contentDigest = serializeDictionary(
    new Map([['sha-256', [await sha256(body), new Map()]]]),
  );
  const parameters = parametersOf(jkt, nowMs);
  const { href, hash } = new URL(request.url);
  const base = signatureBase(
    {
      '@method': request.method,
      '@target-uri': href.slice(0, href.length - hash.length),
      'content-digest': contentDigest,
      authorization: request.authorization,
      dpop: request.dpop,
    },
    parameters,
  );
  const signature = await crypto.subtle.sign(WEB_CRYPTO_ALGORITHM, privateKey, base);
  return {
    'content-digest': contentDigest,
    'signature-input': `${LABEL}=${serializeInnerList(parameters)}`,
    signature: serializeDictionary(new Map([[LABEL, [new Uint8Array(signature), new Map()]]])),
  };
}

function parametersOf(jkt: string, nowMs: number): InnerList {
  const parameters: Parameters = new Map();
  parameters.set('created', Math.floor(nowMs / 1_000));
  parameters.set('nonce', crypto.randomUUID());
  parameters.set('keyid', jkt);
  parameters.set('alg', SIGNATURE_ALGORITHM);
  parameters.set('tag', SIGNATURE_TAG);
  return [SIGNED_COMPONENTS.map((name) => [name, new Map()]), parameters];
}
