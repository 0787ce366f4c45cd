/**
 * A recovery while others are away: a liveness vendor that is silent, Temporal down, a deploy in the middle of three days. The case goes on by itself or
 * says clearly what is missing, nothing is half-done, and there is always a way back in.
 */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../adapters/clock.ts';
import { DEMO_LIVENESS_SECRET } from '../../runtime/demo-secrets.ts';
import { startLivenessVendor } from '../../runtime/liveness-vendor.ts';
import { prepareFaultBed } from '../setup/beds/fault-bed.ts';
import { expectBoundOnce, expectUntouched, RecoveryCase } from '../setup/beds/recovery-case.ts';
import { restart } from '../setup/faults.ts';
import { untilDecided } from '../setup/software-phone.ts';

const bed = prepareFaultBed({ hasOwnTemporal: true, hasShortSecondListing: true });
const TIMEOUT_MS = 600_000;
const PATIENCE = { timeout: 180_000, interval: 100 };
const UNAVAILABLE = { status: 503, retryAfter: expect.stringMatching(/^\d+$/) };

let one: RecoveryCase | undefined;
afterEach(async () => {
  await one?.close();
});

async function atIdentity(report: 'broken' | 'stolen' = 'broken'): Promise<RecoveryCase> {
  one = await RecoveryCase.prepare(bed);
  await one.ask(report);
  await one.prove();
  await one.reaches('identity');
  return one;
}

async function finish(lost: RecoveryCase): Promise<void> {
  await lost.reaches('review');
  await lost.approve();
  await lost.reaches('cooling');
  await lost.wait();
  await lost.reaches('rebind');
  await untilDecided(() => lost.bind());
  await expectBoundOnce(lost);
}

describe('Temporal killed', () => {
  test(
    'in mid-case: a contact is proved and opens the case, the passkey answers 503 and is bound under its first key, and both cases go on',
    { timeout: TIMEOUT_MS },
    async () => {
      const lost = await atIdentity();
      await lost.look();
      await lost.reaches('review');
      await lost.approve();
      await lost.reaches('cooling');
      await lost.wait();
      await lost.reaches('rebind');
      const fresh = await RecoveryCase.prepare(bed);
      try {
        await bed.stack.killTemporal();
        await fresh.ask();
        await fresh.prove();
        expect(await fresh.state()).toBe('starting');
        await expect(fresh.phone.latchkey.recovery.beginLiveness(fresh.id)).rejects.toMatchObject({
          code: 'wrong_step',
        });
        await expect(lost.bind()).rejects.toMatchObject({ isUndecided: true });
        expect(lost.phone.callsOf('/passkey').at(-1)).toMatchObject(UNAVAILABLE);
        expect(await lost.state()).toBe('rebind');
        await expectUntouched(lost);
        // What only reads goes on.
        expect(await lost.phone.latchkey.recovery.view(lost.id)).toMatchObject({ state: 'rebind' });

        await bed.stack.startTemporal();
        await untilDecided(() => lost.bind());
        await expectBoundOnce(lost);
        await fresh.reaches('identity');
        await fresh.look();
        await finish(fresh);
      } finally {
        await fresh.close();
      }
    },
  );
});

describe('three days to object with a deploy in the middle', () => {
  test(
    'end under the second build, which binds the phone of a case that the first one opened',
    { timeout: TIMEOUT_MS },
    async () => {
      await bed.rows`update policy set document = jsonb_set(document, '{recovery,coolingMediumSeconds}', '259200')`;
      const lost = await atIdentity('stolen');
      await lost.look();
      await lost.reaches('review');
      await lost.approve();
      await lost.reaches('cooling');
      const [first] = await bed.temporal.buildsOf(lost.workflowId);
      expect(await bed.temporal.buildsOf(lost.workflowId)).toEqual([first]);
      const due = await bed.rows`
        select cooling_seconds, latchkey_now() < cooling_from + interval '71 hours' as is_waiting from recovery where recovery_id = ${lost.id}`;
      expect(due).toEqual([{ coolingSeconds: 72 * 3_600, isWaiting: true }]);

      await bed.stack.worker().stop();
      await restart(bed.stack, 'worker', { LATCHKEY_BUILD_ID: 'the-next-build' });
      await expect(lost.bind()).rejects.toMatchObject({ code: 'wrong_step' });
      await expectUntouched(lost, 'restricted');
      await lost.wait();
      await lost.reaches('rebind');
      await untilDecided(() => lost.bind());
      await expectBoundOnce(lost);
      expect(await bed.temporal.buildsOf(lost.workflowId)).toEqual([first, 'the-next-build']);
    },
  );
});

/** Answers nobody, and counts who asked. */
async function silence(port: number): Promise<{ asked: () => number; server: Server }> {
  let asked = 0;
  const server = createServer((request) => {
    asked += 1;
    request.socket.destroy();
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { asked: () => asked, server };
}

describe('a liveness vendor that is silent', () => {
  test(
    'about a verdict for hours: the check is counted as timed out, what it says late moves nothing, and the next check passes',
    { timeout: TIMEOUT_MS },
    async () => {
      const vendor = bed.stack.livenessVendor;
      const lost = await atIdentity();
      vendor.setNextEnd('silent');
      await lost.look();
      await expect
        .poll(() => lost.checks(), PATIENCE)
        .toMatchObject([{ status: 'open', verdict: null, vendorReference: expect.any(String) }]);
      await bed.rows`update step_attempt
        set vendor_expires_at = vendor_expires_at - interval '5 hours' where ceremony_id = ${lost.id}`;
      await expect
        .poll(() => lost.checks(), PATIENCE)
        .toMatchObject([{ status: 'failed', verdict: 'timed_out' }]);
      expect(await lost.phone.latchkey.recovery.view(lost.id)).toMatchObject({
        state: 'identity',
        livenessAttemptsLeft: 4,
        liveness: { verdict: 'timed_out' },
      });
      vendor.release();
      await lost.look();
      await lost.reaches('review');
      expect(await lost.checks()).toMatchObject([
        { status: 'failed', verdict: 'timed_out' },
        { status: 'matched', verdict: 'passed' },
      ]);
      await expectUntouched(lost);
      await finish(lost);
    },
  );

  // Last: the vendor of the stack does not come back, another one takes its place.
  test(
    'at the start of a check: it is asked again and again, and the case goes on when it answers',
    { timeout: TIMEOUT_MS },
    async () => {
      const lost = await atIdentity();
      const port = Number(new URL(bed.stack.livenessVendor.url).port);
      await bed.stack.livenessVendor.stop();
      const { asked, server } = await silence(port);
      await lost.look();
      await expect.poll(asked, PATIENCE).toBeGreaterThan(2);
      expect(await lost.checks()).toMatchObject([{ status: 'open', vendorReference: null }]);
      expect(await lost.phone.latchkey.recovery.view(lost.id)).toMatchObject({
        state: 'identity',
        liveness: { status: 'starting' },
      });
      server.close();
      await once(server, 'close');
      const secret = DEMO_LIVENESS_SECRET;
      const vendor = await startLivenessVendor({ port, secret, clock: systemClock });
      try {
        await finish(lost);
      } finally {
        await vendor.stop();
      }
    },
  );
});
