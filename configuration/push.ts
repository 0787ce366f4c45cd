/**
 * Whose push services reach the phones of each tenant's app, from the environment: Apple's with the team's key, Google's with a service account.
 * It must never put a part of the value into a message: private keys stand in it.
 */
import { createPrivateKey } from 'node:crypto';
import { Type } from 'typebox';
import type { Static } from 'typebox';
import { Value } from 'typebox/value';
import { demoMarker, readUrl } from './environment.ts';
import type { EnvironmentReader } from './environment.ts';

const closed = { additionalProperties: false };
const Address = Type.String({
  pattern: '^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9/_-]*)?$',
});
const Origin = Type.String({ pattern: '^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$' });
const Pem = Type.String({ minLength: 32, maxLength: 8192 });

const Apns = Type.Object(
  {
    teamId: Type.String({ pattern: '^[A-Za-z0-9]{1,32}$' }),
    keyId: Type.String({ pattern: '^[A-Za-z0-9]{1,32}$' }),
    privateKey: Pem,
    topic: Type.String({ pattern: '^[A-Za-z0-9.-]{1,155}$' }),
    endpoint: Type.Optional(Origin),
  },
  closed,
);

/** The service account's key file as Google hands it out: members that nobody needs stay. */
const ServiceAccount = Type.Object({
  type: Type.Literal('service_account'),
  project_id: Type.String({ pattern: '^[a-z0-9.:-]{1,64}$' }),
  private_key_id: Type.String({ pattern: '^[A-Za-z0-9]{1,128}$' }),
  private_key: Pem,
  client_email: Type.String({ pattern: '^[^\\s@]{1,128}@[^\\s@]{1,128}$' }),
  token_uri: Address,
});

const Fcm = Type.Object(
  { serviceAccount: ServiceAccount, endpoint: Type.Optional(Origin) },
  closed,
);

const Push = Type.Record(
  Type.String({ pattern: '^[a-z][a-z0-9-]{0,62}$' }),
  Type.Object({ apns: Type.Optional(Apns), fcm: Type.Optional(Fcm) }, closed),
  closed,
);

export type PushConfiguration = Static<typeof Push>[string];

const VARIABLE = 'LATCHKEY_PUSH';
const FORM =
  'use JSON: {"<tenant>": {"apns": {"teamId", "keyId", "privateKey", "topic"}, "fcm": {"serviceAccount": {…}}}}';

/** By the tenant's slug; none by default: then apps hear of step-ups by their stream and by asking. */
export const readPush = (
  reader: EnvironmentReader,
): Readonly<Record<string, PushConfiguration>> => {
  const value = reader.optional(VARIABLE);
  if (value === undefined) return {};
  const document = parsed(value);
  if (!Value.Check(Push, document)) {
    reader.refuse(VARIABLE, 'has the wrong form', FORM);
    return {};
  }
  for (const push of Object.values(document)) refuseUnusable(reader, push);
  return document;
};

const refuseUnusable = (reader: EnvironmentReader, { apns, fcm }: PushConfiguration): void => {
  if (apns !== undefined && !isKeyOf(apns.privateKey, 'ec'))
    reader.refuse(VARIABLE, 'has a key of apns that is no P-256 key', 'use the .p8 file’s content');
  if (fcm !== undefined && !isKeyOf(fcm.serviceAccount.private_key, 'rsa'))
    reader.refuse(VARIABLE, 'has a key of fcm that is no RSA key', 'use the account’s key file');
  if (!reader.isProduction) return;
  const addresses = [apns?.endpoint, fcm?.endpoint, fcm?.serviceAccount.token_uri];
  if (addresses.some((address) => address !== undefined && readUrl(address)?.protocol !== 'https:'))
    reader.refuse(VARIABLE, 'names an address that is not https', 'use https:// in production');
  const ids = [apns?.keyId, fcm?.serviceAccount.private_key_id];
  if (ids.some((id) => id?.startsWith(demoMarker) === true))
    reader.refuse(VARIABLE, 'has a demo key', 'use the key that the vendor gave you');
};

const isKeyOf = (pem: string, type: 'ec' | 'rsa'): boolean => {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(pem);
    if (asymmetricKeyType !== type) return false;
    return type === 'rsa' || asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};
