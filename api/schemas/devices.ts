/** A customer's devices and passkeys: what he sees of them, and what a change of one answers. */
import { Type, type Static } from 'typebox';
import { idPattern } from '../../domain/ids.ts';

const closed = { additionalProperties: false } as const;
const Time = (description: string) => Type.String({ format: 'date-time', description });
const OrNull = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

export const PasskeyView = Type.Object(
  {
    credentialId: Type.String(),
    status: Type.Union([Type.Literal('active'), Type.Literal('suspended')]),
    current: Type.Boolean({ description: 'The session that asks was begun with it.' }),
    isSynced: Type.Boolean({ description: 'It may also be on other devices of its owner.' }),
    createdAt: Time('When it was made.'),
    lastUsedAt: Type.Union([Time('The last login.'), Type.Null()]),
  },
  closed,
);

export const DeviceView = Type.Object(
  {
    deviceId: Type.String(),
    name: Type.String({ description: 'As the customer named it.' }),
    platform: Type.String(),
    model: OrNull('As the app reported it.'),
    status: Type.String({
      description: '`trusted`, `untrusted`, `restricted` (may only read) or `suspended`.',
    }),
    reportedAs: OrNull('`lost` or `stolen`, when it was reported.'),
    attestationLevel: Type.String(),
    current: Type.Boolean({ description: 'The device that asks.' }),
    trustedAt: Type.Union([Time('When it became trusted.'), Type.Null()]),
    passkeys: Type.Array(PasskeyView, { maxItems: 100, description: 'Made on it, not removed.' }),
  },
  closed,
);
export type DeviceView = Static<typeof DeviceView>;

export const DevicesAnswer = Type.Object(
  { devices: Type.Array(DeviceView, { maxItems: 50 }) },
  closed,
);

export const DeviceParams = Type.Object(
  { deviceId: Type.String({ pattern: idPattern('device') }) },
  closed,
);

export const ChangedDeviceAnswer = Type.Object(
  {
    deviceId: Type.String(),
    status: Type.String({ description: 'What it is now.' }),
    sessionsEnded: Type.Integer({ minimum: 0, description: 'How many sessions this call ended.' }),
  },
  closed,
);
export type ChangedDeviceAnswer = Static<typeof ChangedDeviceAnswer>;

export const CredentialParams = Type.Object(
  { credentialId: Type.String({ pattern: idPattern('credential') }) },
  closed,
);

export const RevokedCredentialAnswer = Type.Object(
  {
    credentialId: Type.String(),
    sessionsEnded: Type.Integer({ minimum: 0, description: 'How many sessions this call ended.' }),
  },
  closed,
);
