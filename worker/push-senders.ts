/** The push services that the configuration names, made when a tenant first needs one and kept: each holds a connection or a token. */
import { systemClock } from '../adapters/clock.ts';
import { APNS_PRODUCTION, createApnsSender } from '../adapters/push/apns.ts';
import { createFcmSender, FCM_ENDPOINT } from '../adapters/push/fcm.ts';
import type { PushConfiguration } from '../configuration/push.ts';
import type { Database } from '../db/connection.ts';
import type { PushPlatform, PushSender } from '../domain/ports.ts';

export interface PushSenders {
  /** undefined: the tenant has none for that platform. */
  of(tenantId: string, platform: PushPlatform): Promise<PushSender | undefined>;
  close(): void;
}

export function createPushSenders(
  configured: Readonly<Record<string, PushConfiguration>>,
  database: Pick<Database, 'tenants'>,
): PushSenders {
  const made = new Map<string, PushSender>();
  return {
    of: async (tenantId, platform) => {
      const tenants = await database.tenants();
      const slug = tenants.find((tenant) => tenant.tenantId === tenantId)?.slug ?? '';
      const key = `${slug}/${platform}`;
      const sender = made.get(key) ?? create(configured[slug], platform);
      if (sender !== undefined) made.set(key, sender);
      return sender;
    },
    close: () => {
      for (const sender of made.values()) sender.close();
    },
  };
}

function create(
  push: PushConfiguration | undefined,
  platform: PushPlatform,
): PushSender | undefined {
  switch (platform) {
    case 'apns': {
      if (push?.apns === undefined) return undefined;
      return createApnsSender({ endpoint: APNS_PRODUCTION, ...push.apns, clock: systemClock });
    }
    case 'fcm': {
      if (push?.fcm === undefined) return undefined;
      const { serviceAccount: account, endpoint = FCM_ENDPOINT } = push.fcm;
      return createFcmSender({
        endpoint,
        projectId: account.project_id,
        clientEmail: account.client_email,
        privateKeyId: account.private_key_id,
        privateKey: account.private_key,
        tokenUri: account.token_uri,
        clock: systemClock,
      });
    }
  }
}
