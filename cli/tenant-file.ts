/**
 * What a tenant's file may say, judged as a whole before anything is written. It must never let a private key, a published demo key or a
 * plain-http origin through.
 */
import { Type } from 'typebox';
import type { Static } from 'typebox';
import { Value } from 'typebox/value';
import type { ClientCallback, TenantDocument } from '../db/tenant-setup.ts';
import { ActionTypes, requireActionTypes } from './tenant-action-types.ts';

const ORIGIN = '^[a-z][a-z0-9+.-]*://[a-z0-9.-]+(:[0-9]{1,5})?$';
const CLIENT_ID = Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' });
const NAME = Type.String({ minLength: 1, maxLength: 200 });
const Origins = Type.Array(Type.String({ pattern: ORIGIN }), { minItems: 1, maxItems: 20 });
const closed = { additionalProperties: false };

/** RFC 7517 section 4 and RFC 7518 section 6.2.1, public members alone. */
const PublicKey = Type.Object(
  {
    kty: Type.Literal('EC'),
    crv: Type.Literal('P-256'),
    kid: Type.String({ pattern: '^(?!demo)[A-Za-z0-9._-]{1,64}$' }),
    x: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
    y: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
    alg: Type.Optional(Type.Literal('ES256')),
    use: Type.Optional(Type.Literal('sig')),
  },
  closed,
);

const AppClient = Type.Object(
  {
    kind: Type.Literal('app'),
    clientId: CLIENT_ID,
    name: NAME,
    allowedOrigins: Origins,
    nativeAppIds: Type.Optional(Type.Array(Type.String({ maxLength: 200 }), { maxItems: 20 })),
  },
  closed,
);

/** Standard Webhooks 1.0: 24 to 64 random bytes in base64. */
const Secret = Type.String({ pattern: '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$' });

const Callback = Type.Object(
  {
    url: Type.String({ pattern: '^https?://[^\\s@#]{1,500}$' }),
    secrets: Type.Array(Secret, { minItems: 1, maxItems: 4 }),
    allowsPrivateAddresses: Type.Optional(Type.Boolean()),
  },
  closed,
);

const MachineClient = Type.Object(
  {
    kind: Type.Literal('machine'),
    clientId: CLIENT_ID,
    name: NAME,
    roles: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-z][a-z0-9_:.-]{0,63}$' }), { maxItems: 16 }),
    ),
    scopes: Type.Array(Type.String({ pattern: '^[a-z]+(-[a-z]+)*:[a-z]+(-[a-z]+)*$' }), {
      maxItems: 20,
    }),
    jwks: Type.Object({ keys: Type.Array(PublicKey, { minItems: 1, maxItems: 5 }) }, closed),
    callback: Type.Optional(Callback),
  },
  closed,
);

const TenantFile = Type.Object(
  {
    slug: Type.String({ pattern: '^[a-z][a-z0-9-]{0,62}$' }),
    name: NAME,
    rpId: Type.String({ pattern: '^[a-z0-9.-]{1,253}$' }),
    origins: Origins,
    clients: Type.Array(Type.Union([AppClient, MachineClient]), { maxItems: 50 }),
    actionTypes: Type.Optional(ActionTypes),
  },
  closed,
);

/** @throws Error with one line for each thing that is wrong; none of them repeats a value. */
export function readTenantFile(text: string): TenantDocument {
  const document = parse(text);
  if (!Value.Check(TenantFile, document)) {
    const lines = Value.Errors(TenantFile, document).map(
      ({ instancePath, message }) => `${instancePath || '/'}: ${message}`,
    );
    throw new Error(`the tenant's file is wrong:\n${[...new Set(lines)].slice(0, 20).join('\n')}`);
  }
  const plain = originsOf(document).filter((origin) => origin.startsWith('http:'));
  if (plain.length > 0) throw new Error("the tenant's file is wrong:\nan origin is not https");
  for (const callback of callbacksOf(document)) requireSafe(callback);
  requireActionTypes(document.actionTypes ?? []);
  return document;
}

function callbacksOf({ clients }: TenantDocument): readonly ClientCallback[] {
  return clients.flatMap((client) =>
    client.kind === 'machine' && client.callback !== undefined ? [client.callback] : [],
  );
}

function requireSafe({ url, secrets }: ClientCallback): void {
  if (!URL.canParse(url) || !url.startsWith('https:'))
    throw new Error("the tenant's file is wrong:\na callback is no https address");
  const bytes = secrets.map((secret) => Buffer.from(secret.slice('whsec_'.length), 'base64'));
  if (bytes.some((secret) => secret.toString('latin1').startsWith('demo')))
    throw new Error("the tenant's file is wrong:\na secret of a callback is the demo's");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error("the tenant's file is no JSON");
  }
}

function originsOf({ origins, clients }: Static<typeof TenantFile>): string[] {
  const ofClients = clients.flatMap((client) =>
    client.kind === 'app' ? client.allowedOrigins : [],
  );
  return [...origins, ...ofClients];
}
