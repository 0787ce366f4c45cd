/**
 * What owner and desk do when they mean well: the next thing that brings the open case on, and all of it until the owner holds a new phone. A life that
 * leaves them no way is a broken rule, whatever was sent before.
 */
import { newId } from '../../../../adapters/random.ts';
import { decide } from '../../../../db/recovery-decisions.ts';
import { cancelRecovery } from '../../../../db/recovery-ends.ts';
import { recordFactor } from '../../../../db/recovery-ledger.ts';
import { releaseCustomer } from '../../customer.ts';
import { RECOVERY_TOOLS } from '../../recoveries.ts';
import type { SeededStaff } from '../../rows/staff-rows.ts';
import type { Report, RiskFound } from './actions.ts';
import type { CaseRow } from './facts.ts';
import { ask, beginLiveness, pass, prove, waitForTimer, type Showing } from './hands.ts';
import type { Life } from './life.ts';

export interface Goodwill {
  readonly report: Report;
  readonly risk: RiskFound;
  readonly isFollowed: boolean;
}

async function contact(
  life: Life,
  kind: 'email' | 'phone',
  { report, risk, isFollowed }: Goodwill,
): Promise<void> {
  const { open } = life;
  const isOwners = open !== undefined && open.jkt !== null && life.ownersKeys.has(open.jkt);
  const jkt = isOwners && open.jkt !== null ? open.jkt : life.key('owner');
  const asked = await life.step({ what: `the owner asks by ${kind}`, isFollowed }, () =>
    ask(life, jkt, kind, report),
  );
  if (asked === undefined) return;
  const showing: Showing = { how: 'code', isRight: true, jkt, risk };
  await life.step({ what: `the owner proves ${kind}`, isFollowed }, () =>
    prove(life, asked, showing),
  );
}

export async function say(
  life: Life,
  one: CaseRow,
  kind: 'approve' | 'release',
  { staffId }: SeededStaff,
) {
  return await life.rows.run((tx) =>
    decide(tx, RECOVERY_TOOLS, {
      subject: life.subject(one.id),
      kind,
      revision: one.revision,
      reason: 'person_recognised',
      staffId,
    }),
  );
}

/** The next thing, by the people given. */
export async function goOn(
  life: Life,
  goodwill: Goodwill,
  people: readonly SeededStaff[],
): Promise<void> {
  const { open } = life;
  const { isFollowed } = goodwill;
  if (life.facts.isHeld) {
    await life.step({ what: 'fraud releases the hold', isFollowed }, () =>
      life.rows.run((tx) => releaseCustomer(tx, life.customer)),
    );
    return;
  }
  if (open === undefined || open.jkt === null || !life.ownersKeys.has(open.jkt)) {
    if (open?.state === 'held') await release(life, open, people);
    else await contact(life, 'email', goodwill);
    return;
  }
  const { id, jkt, state } = open;
  switch (state) {
    case 'starting':
      await life.step({ what: 'the workflow begins', isFollowed: true }, () => Promise.resolve());
      return;
    case 'contact': {
      const hasEmail = life.facts.factors.some(
        ({ caseId, method, isVoid }) => caseId === id && !isVoid && method.startsWith('email'),
      );
      await contact(life, hasEmail ? 'phone' : 'email', goodwill);
      return;
    }
    case 'identity': {
      const begun = await life.step({ what: 'the owner begins liveness', isFollowed }, () =>
        beginLiveness(life, id, jkt),
      );
      if (begun !== undefined)
        await life.step({ what: 'the owner passes', isFollowed }, () => pass(life, begun));
      return;
    }
    case 'review':
      for (const one of people) {
        const now = life.open;
        if (now?.state !== 'review') return;
        const made = await life.step({ what: 'a colleague approves', isFollowed }, () =>
          say(life, now, 'approve', one),
        );
        if (made?.isRepeat === false) return;
      }
      return;
    case 'cooling':
      await life.step({ what: 'time passes', isFollowed: true }, () => waitForTimer(life, open));
      return;
    case 'rebind':
      await life.step({ what: 'the owner binds', isFollowed }, () =>
        life.bind(id, jkt, 'hardware'),
      );
      return;
    default:
      await release(life, open, people);
  }
}

async function release(life: Life, open: CaseRow, people: readonly SeededStaff[]): Promise<void> {
  for (const one of people) {
    const released = await life.step(
      { what: 'a colleague releases', isFollowed: true },
      async () => {
        await say(life, open, 'release', one);
        life.rules.released(open.id);
        return true;
      },
    );
    if (released === true) return;
  }
}

const HOUR_MS = 3_600_000;
const ENOUGH = 40;

/** From wherever a life has led: what attacked has gone away, staff mean well, one contact reaches the owner. @throws Error when there is no way in */
export async function comeHome(life: Life): Promise<void> {
  const goodwill: Goodwill = { report: 'broken', risk: 'low', isFollowed: true };
  const people = [
    await life.rows.somebody(),
    await life.rows.somebody(),
    await life.rows.somebody(),
  ];
  const known = new Set(
    life.facts.cases.filter(({ outcome }) => outcome === 'completed').map(({ id }) => id),
  );
  life.story.push('— from here on everybody means well');
  await life.step({ what: 'the workflows follow', isFollowed: true }, () => Promise.resolve());
  let stood = 0;
  for (let round = 0; round < ENOUGH; round += 1) {
    const done = life.facts.cases.find(
      ({ id, outcome }) => outcome === 'completed' && !known.has(id),
    );
    if (done !== undefined) {
      if (done.jkt === null || !life.ownersKeys.has(done.jkt))
        throw new Error('somebody else came home');
      return;
    }
    const before = standing(life);
    await goOn(life, goodwill, people);
    stood = standing(life) === before ? stood + 1 : 0;
    if (stood > 0) await unblock(life, stood);
  }
  throw new Error('the owner has no way in');
}

const standing = ({ facts, open }: Life): string =>
  JSON.stringify([
    open?.id,
    open?.state,
    open?.jkt,
    open?.revision,
    facts.decisions.filter(({ isVoid }) => !isVoid).length,
  ]);

/** What people do when the next thing does not bring the case on. */
async function unblock(life: Life, stood: number): Promise<void> {
  const { open } = life;
  const waits = () => {
    life.rows.nowMs += 6 * HOUR_MS;
    return Promise.resolve();
  };
  if (open === undefined || open.jkt === null || !life.ownersKeys.has(open.jkt)) {
    await life.step({ what: 'the owner tries later', isFollowed: true }, waits);
    return;
  }
  const { id, jkt, state } = open;
  if (stood === 1 && (state === 'contact' || state === 'identity')) {
    const { staffId } = await life.rows.somebody();
    await life.step({ what: 'the owner comes to a branch', isFollowed: true }, () =>
      life.rows.run((tx) =>
        recordFactor(tx, RECOVERY_TOOLS, {
          subject: life.subject(id),
          method: 'branch',
          evidenceId: newId('request'),
          staffId,
        }),
      ),
    );
    return;
  }
  await life.step({ what: 'the owner gives it up', isFollowed: true }, async () => {
    await life.rows.run((tx) => cancelRecovery(tx, { subject: life.subject(id), jkt }));
    life.rules.stopped(id);
  });
}
