/** Every success around a freeze and a reported device at the public door: by the app, by a code from another phone, by the link of a notice. */
import type postgres from 'postgres';
import { vi } from 'vitest';
import { insertDevice } from '../setup/customer.ts';
import { createSoftwarePhone, messagesTo } from '../setup/software-phone.ts';
import type { SoftwarePhone } from '../setup/software-phone.ts';
import type { TestStack } from '../setup/stack.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };

interface Walk {
  readonly stack: TestStack;
  /** Logged in, on a trusted device. */
  readonly phone: SoftwarePhone;
  readonly rows: postgres.Sql;
}

export async function freezeAndReport(walk: Walk): Promise<void> {
  const { latchkey } = walk.phone;
  await reportAnother(walk);
  await latchkey.freezes.freeze();
  await liftAnew(walk);
  await freezeByCode(walk);
  await liftAnew(walk);
  await freezeByLink(walk);
  await liftAnew(walk);
}

async function reportAnother({ phone: { latchkey }, rows }: Walk): Promise<void> {
  const { customerId } = await latchkey.me();
  const [tenant] = await rows<{ tenantId: string }[]>`
    select tenant_id from customer where customer_id = ${customerId}`;
  const seed = { customerId, deviceName: 'Old phone' };
  const { deviceId } = await insertDevice(rows, tenant?.tenantId ?? '', seed);
  await latchkey.freezes.reportDevice(deviceId, 'lost');
  await latchkey.freezes.liftDeviceReport(deviceId);
}

/** By a passkey used since. */
async function liftAnew({ phone: { latchkey } }: Walk): Promise<void> {
  await latchkey.logIn();
  await latchkey.freezes.liftFreeze();
}

async function freezeByCode({ stack, phone }: Walk): Promise<void> {
  const { freezes } = createSoftwarePhone(stack).latchkey;
  const { requestId } = await freezes.requestFreeze(phone.number);
  const code = await found(stack, phone.number, /(\d{6}) is your code to freeze/);
  await freezes.submitFreezeCode(requestId, code);
}

async function freezeByLink({ stack, phone }: Walk): Promise<void> {
  const token = await found(stack, phone.number, /freeze\.html#demo\.([A-Za-z0-9_-]+)/);
  await fetch(`${stack.issuer}/freezes/link`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
}

/** In the newest message that has it, once one has come. */
async function found(stack: TestStack, to: string, pattern: RegExp): Promise<string> {
  return await vi.waitFor(() => {
    const text = messagesTo(stack, to).findLast((message) => pattern.test(message)) ?? '';
    const [, value] = pattern.exec(text) ?? [];
    if (value === undefined) throw new Error('no such message has come');
    return value;
  }, PATIENCE);
}
