/** What every operation of the OpenAPI document refers to: how a refusal reads, and how each kind of caller proves itself. */
import type { CallerKind } from './access.ts';

export const PROBLEM = {
  type: 'object' as const,
  required: ['type', 'title', 'status', 'code', 'requestId'],
  properties: {
    type: { type: 'string' as const, format: 'uri' },
    title: { type: 'string' as const },
    status: { type: 'integer' as const },
    code: { type: 'string' as const },
    requestId: { type: 'string' as const },
    detail: { type: 'string' as const },
    retryAfterSeconds: { type: 'integer' as const },
    errors: {
      type: 'array' as const,
      items: {
        type: 'object' as const,
        properties: { path: { type: 'string' as const }, message: { type: 'string' as const } },
      },
    },
  },
};

export const OAUTH_ERROR = {
  type: 'object' as const,
  required: ['error', 'code'],
  properties: {
    error: { type: 'string' as const },
    error_description: { type: 'string' as const },
    code: { type: 'string' as const },
  },
};

export const SECURITY_SCHEMES = {
  dpop: {
    type: 'apiKey',
    in: 'header',
    name: 'DPoP',
    description: 'A proof of possession, RFC 9449: ES256, with the nonce of the last answer.',
  },
  accessToken: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: '`DPoP <access token>`; the proof names the token in `ath`.',
  },
  staffSession: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-latchkey-staff',
    description:
      'A staff session, at the operations door alone. What changes something also sends `Origin`, the operations origin.',
  },
  vendorSignature: {
    type: 'apiKey',
    in: 'header',
    name: 'Latchkey-Signature',
    description: '`t=<unix seconds>,v1=<hex HMAC-SHA-256(secret, t + "." + body)>`',
  },
} as const;

/** By the kind of caller, what its requests carry. */
export const SECURITY: {
  readonly [Kind in CallerKind]: readonly Readonly<Record<string, string[]>>[];
} = {
  public: [],
  key: [{ dpop: [] }],
  client: [{ dpop: [] }],
  customer: [{ accessToken: [], dpop: [] }],
  machine: [{ accessToken: [], dpop: [] }],
  // In the form where there is no token.
  service: [{ accessToken: [], dpop: [] }, {}],
  vendor: [{ vendorSignature: [] }],
  gateway: [{ accessToken: [], dpop: [] }],
  staff: [{ staffSession: [] }],
};
