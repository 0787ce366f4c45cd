/**
 * What the revocation workflow may do to the world: end a cut-off customer's rows, ring their workflows, seal the receipt. Every
 * activity acts only on the revocation row that the API wrote for an authenticated caller; an id that has no row does nothing.
 */
import {
  revocationReceipt,
  type RevocationFacts,
  type RevocationReceipt,
  type RevocationSubject,
  type SignedRevocationReceipt,
  type WakeTarget,
} from '../domain/revocation.ts';

export interface RevocationStore {
  /** Ends live sessions and open ceremonies begun under an older epoch, in one transaction. Answers how many it ended now. */
  endRows(
    subject: RevocationSubject,
  ): Promise<{ ended: number; secondListingMs: number; alarmMs: number }>;
  /** In order of their ids: the next `limit` targets after `afterId` whose workflows have not closed. */
  wakeTargets(
    subject: RevocationSubject,
    afterId: string,
    limit: number,
  ): Promise<readonly WakeTarget[]>;
  facts(subject: RevocationSubject): Promise<RevocationFacts>;
  /** The database's. */
  nowMs(subject: RevocationSubject): Promise<number>;
  seal(subject: RevocationSubject, receipt: () => SignedRevocationReceipt): Promise<void>;
  openWorkflows(subject: RevocationSubject): Promise<number>;
  raiseAlarm(subject: RevocationSubject): Promise<void>;
  markClosed(subject: RevocationSubject): Promise<void>;
}

/** Signs as the bank. @throws LatchkeyError vendor_unavailable: tried again, the cut-off stands all the same */
export interface RevocationReceiptSigner {
  sign(subject: RevocationSubject, receipt: RevocationReceipt): Promise<SignedRevocationReceipt>;
}

export interface WorkflowBell {
  ring(tenantId: string, target: WakeTarget, signalId: string): Promise<void>;
}

export interface Heartbeat {
  beat(details: string): void;
  /** Resolves after the time, or rejects when the activity is cancelled. */
  pause(milliseconds: number): Promise<void>;
}

const CHUNK = 200;
const POLL_MS = 500;

export function createRevocationActivities(deps: {
  store: RevocationStore;
  signer: RevocationReceiptSigner;
  bell: WorkflowBell;
  heartbeat: Heartbeat;
  nowMs: () => number;
}) {
  const { store, signer, bell, heartbeat } = deps;
  return {
    async endRows(
      subject: RevocationSubject,
    ): Promise<{ secondListingMs: number; alarmMs: number }> {
      const { secondListingMs, alarmMs } = await store.endRows(subject);
      return { secondListingMs, alarmMs };
    },

    async endStragglers(subject: RevocationSubject): Promise<{ stragglers: number }> {
      const { ended } = await store.endRows(subject);
      return { stragglers: ended };
    },

    async wakeWorkflows(subject: RevocationSubject): Promise<void> {
      for (let afterId = ''; ;) {
        const targets = await store.wakeTargets(subject, afterId, CHUNK);
        for (const target of targets) {
          await bell.ring(subject.tenantId, target, `${subject.revocationId}/${target.id}`);
          heartbeat.beat(target.id);
        }
        const last = targets.at(-1);
        if (last === undefined || targets.length < CHUNK) return;
        afterId = last.id;
      }
    },

    async sealReceipt(subject: RevocationSubject): Promise<void> {
      const facts = await store.facts(subject);
      if (facts.status === 'sealed') return;
      const receipt = revocationReceipt(facts, await store.nowMs(subject));
      // No row is locked while the key management is asked.
      const signed = await signer.sign(subject, receipt);
      await store.seal(subject, () => signed);
    },

    /** Polls the rows until each workflow reported itself closed; false when `waitMs` passed first. */
    async confirmClosed(
      subject: RevocationSubject & { waitMs: number | undefined },
    ): Promise<{ closed: boolean }> {
      const endsAtMs = subject.waitMs === undefined ? Infinity : deps.nowMs() + subject.waitMs;
      for (;;) {
        const open = await store.openWorkflows(subject);
        if (open === 0) return { closed: true };
        if (deps.nowMs() >= endsAtMs) return { closed: false };
        heartbeat.beat(`${String(open)} open`);
        await heartbeat.pause(POLL_MS);
      }
    },

    raiseAlarm: (subject: RevocationSubject): Promise<void> => store.raiseAlarm(subject),
    markRevocationClosed: (subject: RevocationSubject): Promise<void> => store.markClosed(subject),
  };
}
