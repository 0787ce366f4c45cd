/** An installation of the app as its platform's push service knows it. */
import { Type, type Static } from 'typebox';

const closed = { additionalProperties: false } as const;

const Platform = Type.Union([Type.Literal('apns'), Type.Literal('fcm')], {
  description: 'Whose push service the token is of.',
});

export const PushRegistration = Type.Object(
  {
    platform: Platform,
    // APNs: the hex form of the device token. FCM: the registration token, of no promised form.
    token: Type.String({
      pattern: '^[A-Za-z0-9_:.=/+-]{16,1024}$',
      description: 'As the platform gave it to the app; of APNs in hexadecimal.',
    }),
  },
  closed,
);

export const RegisteredPush = Type.Object({ deviceId: Type.String(), platform: Platform }, closed);
export type RegisteredPush = Static<typeof RegisteredPush>;

export const RemovedPush = Type.Object(
  {
    deviceId: Type.String(),
    removed: Type.Boolean({ description: 'Whether there was a registration.' }),
  },
  closed,
);
export type RemovedPush = Static<typeof RemovedPush>;
