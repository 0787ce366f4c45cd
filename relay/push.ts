/**
 * Pushes: a row without a device becomes one row for each device that may answer, so that each is tried by itself; a row with one is sent. Nothing
 * goes out for a step-up that waits for nobody any more, and a phone that the vendor calls gone is forgotten. It must never say what waits.
 */
import type { ClaimedRow } from '../db/outbox.ts';
import type { PushTarget } from '../db/push.ts';
import type { PushPlatform, PushSender } from '../domain/ports.ts';
import { render } from '../domain/texts/index.ts';

type PushRow = Extract<ClaimedRow, { readonly topic: 'push.send' }>;

export type PushRowDelivery = (tenantId: string, row: PushRow) => Promise<void>;

export interface PushDependencies {
  readonly rows: PushRows;
  /** undefined: nobody sends for that platform; the app hears of it by its stream. */
  sender(tenantId: string, platform: PushPlatform): Promise<PushSender | undefined>;
}

/** Each call one transaction bound to the tenant. */
export interface PushRows {
  /** Writes a row for each device. */
  fanOut(tenantId: string, payload: { stepUpId: string; customerId: string }): Promise<void>;
  /** undefined: nothing is to be sent any more, or there is nowhere to. */
  target(
    tenantId: string,
    payload: { stepUpId: string; customerId: string; deviceId: string },
  ): Promise<PushTarget | undefined>;
  /** Unless it was registered again since. */
  forget(
    tenantId: string,
    registration: { deviceId: string; registeredAtMs: number; goneSinceMs?: number | undefined },
  ): Promise<void>;
}

export function createPushDelivery(deps: PushDependencies): PushRowDelivery {
  const { rows } = deps;
  return async (tenantId, { payload }) => {
    const { stepUpId, customerId, deviceId } = payload;
    if (deviceId === undefined) {
      await rows.fanOut(tenantId, { stepUpId, customerId });
      return;
    }
    const target = await rows.target(tenantId, { stepUpId, customerId, deviceId });
    if (target === undefined) return;
    const push = await deps.sender(tenantId, target.platform);
    if (push === undefined) return;
    const { token, bank, locale, expiresAtMs, registeredAtMs } = target;
    const { title, body } = pushText(bank, locale);
    const delivery = await push.send({ token, title, body, stepUpId, expiresAtMs });
    if (delivery.outcome === 'unregistered')
      await rows.forget(tenantId, { deviceId, registeredAtMs, goneSinceMs: delivery.sinceMs });
  };
}

function pushText(bank: string, locale: string): { readonly title: string; readonly body: string } {
  const { subject, text } = render('step_up_waiting', locale, { bank });
  return { title: subject, body: text };
}
