/** What the phone shows when something comes in while it shows something else. */
import { describe, expect, it, vi } from 'vitest';
import { Approvals } from '../../console/phone/approvals.ts';
import { PhoneCore } from '../../console/phone/phone-core.ts';
import type { Latchkey } from '../../sdk/client.ts';
import type { StepUpStanding } from '../../sdk/step-up-stream.ts';
import type { CustomerStepUp, StepUpStatus } from '../../sdk/types.ts';

function phone(statuses: Readonly<Record<string, StepUpStatus>>) {
  let tell: (standing: StepUpStanding) => void = () => undefined;
  const approved: string[] = [];
  const view = (stepUpId: string): CustomerStepUp => ({
    stepUpId,
    status: statuses[stepUpId] ?? 'pending',
    type: 'payment',
    requester: { kind: 'client', name: 'Demo Bank payments' },
    required: 'latchkey:3',
    display: null,
    createdAt: '2026-11-23T00:00:00.000Z',
    approveBy: '2026-11-23T00:05:00.000Z',
    approvedAt: null,
  });
  // What of the SDK is called here; nothing is signed.
  const latchkey = {
    followStepUps: (listener: typeof tell) => {
      tell = listener;
      return new Promise<void>(() => undefined);
    },
    stepUps: {
      view: (stepUpId: string) => Promise.resolve(view(stepUpId)),
      open: (stepUpId: string) => Promise.resolve(view(stepUpId)),
      approve: ({ stepUpId }: CustomerStepUp) => {
        approved.push(stepUpId);
        return Promise.resolve({ ...view(stepUpId), status: 'approved' });
      },
    },
  } as unknown as Latchkey;
  const core = new PhoneCore(latchkey);
  const approvals = new Approvals({ core, latchkey, locale: 'en', onChange: () => undefined });
  approvals.follow();
  return {
    core,
    approvals,
    approved,
    shows: () => core.state().stepUp?.view.stepUpId,
    hear: (stepUpId: string) => {
      tell({ stepUpId, status: view(stepUpId).status });
    },
  };
}

describe('a request that comes in', () => {
  it.each(['consumed', 'denied', 'expired', 'cancelled', 'superseded', 'revoked'] as const)(
    'is shown over one that is %s and was not put away yet',
    async (status) => {
      const { approvals, hear, shows } = phone({ old: status });
      await approvals.show('old');
      expect(shows()).toBe('old');
      hear('new');
      await vi.waitFor(() => {
        expect(shows()).toBe('new');
      });
    },
  );

  it.each(['pending', 'second_factor', 'approved'] as const)(
    'waits while one is %s, which can still be stopped, and comes after it',
    async (status) => {
      const { core, approvals, hear, shows } = phone({ old: status });
      await approvals.show('old');
      hear('new');
      expect(shows()).toBe('old');
      expect(core.state().isMoreAsked).toBe(true);
      await approvals.dismiss();
      expect(shows()).toBe('new');
      expect(core.state().isMoreAsked).toBe(false);
    },
  );

  it('that was told again while it was being opened is not shown a second time', async () => {
    const { approvals, hear, shows } = phone({});
    const opening = approvals.show('one');
    hear('one');
    await opening;
    await approvals.dismiss();
    expect(shows()).toBeUndefined();
  });

  it('is approved by the SDK, and so is nothing that was not opened', async () => {
    const { approvals, approved } = phone({});
    await approvals.approve();
    await approvals.show('one');
    await approvals.approve();
    expect(approved).toEqual(['one']);
  });

  it('waits while a button is at work, and comes after it', async () => {
    const { core, approvals, hear, shows } = phone({});
    const { promise, resolve } = Promise.withResolvers<void>();
    const atWork = core.run('pay', () => promise);
    hear('new');
    expect(shows()).toBeUndefined();
    resolve();
    await atWork;
    await approvals.dismiss();
    expect(shows()).toBe('new');
  });
});
