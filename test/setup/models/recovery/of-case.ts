/** Carries out what names a case: the open one, or that which ended last. What was taken, the specification remembers. */
import { newId } from '../../../../adapters/random.ts';
import { decide } from '../../../../db/recovery-decisions.ts';
import { cancelRecovery, objectToRecovery, shortenCooling } from '../../../../db/recovery-ends.ts';
import { confirmFactor, recordFactor } from '../../../../db/recovery-ledger.ts';
import { RECOVERY_TOOLS } from '../../recoveries.ts';
import type { ActionOf } from './actions.ts';
import type { CaseRow } from './facts.ts';
import { beginLiveness, waitForTimer } from './hands.ts';
import type { Life } from './life.ts';

type OfCase = ActionOf<
  | 'liveness'
  | 'evidence'
  | 'confirm'
  | 'decide'
  | 'object'
  | 'shorten'
  | 'cancel'
  | 'wait for the next timer'
  | 'forge'
  | 'bind'
>;

export async function carryOutOfCase(
  life: Life,
  one: CaseRow,
  action: OfCase,
  isFollowed: boolean,
): Promise<void> {
  switch (action.kind) {
    case 'liveness':
      await life.step({ what: `${action.by} begins liveness`, isFollowed }, () =>
        beginLiveness(life, one.id, life.key(action.by)),
      );
      return;
    case 'evidence':
      await evidence(life, one, action, isFollowed);
      return;
    case 'confirm':
      await confirm(life, one, action, isFollowed);
      return;
    case 'decide':
      await said(life, one, action, isFollowed);
      return;
    case 'object':
      await object(life, one, action, isFollowed);
      return;
    case 'shorten':
      await shorten(life, one, action, isFollowed);
      return;
    case 'cancel':
      await life.step({ what: `${action.by} takes it back`, isFollowed }, async () => {
        await life.rows.run((tx) =>
          cancelRecovery(tx, { subject: life.subject(one.id), jkt: life.key(action.by) }),
        );
        life.rules.stopped(one.id);
      });
      return;
    case 'wait for the next timer':
      await life.step({ what: 'time passes', isFollowed }, () => waitForTimer(life, one));
      return;
    case 'forge':
      await life.step({ what: `Temporal says ${action.event}`, isFollowed }, () =>
        action.hasPasskey && one.jkt !== null
          ? life.bind(one.id, one.jkt, 'hardware', action.event)
          : life.report(one.id, action.event, null),
      );
      return;
    case 'bind':
      await life.step({ what: `${action.by} binds`, isFollowed }, () =>
        life.bind(one.id, life.key(action.by), action.level),
      );
  }
}

/** An honest colleague sees the owner alone; another says that he saw whoever it is. */
async function evidence(
  life: Life,
  one: CaseRow,
  { staff, method, isForAnybody }: ActionOf<'evidence'>,
  isFollowed: boolean,
): Promise<void> {
  const isOwners = one.jkt !== null && life.ownersKeys.has(one.jkt);
  if (!isOwners && !isForAnybody) return;
  const { staffId } = life.staff(staff);
  await life.step({ what: `${staff} records ${method}`, isFollowed }, async () => {
    const subject = life.subject(one.id);
    await life.rows.run((tx) =>
      recordFactor(tx, RECOVERY_TOOLS, { subject, method, evidenceId: newId('request'), staffId }),
    );
    if (!isOwners) life.lied.add(one.id);
  });
}

async function confirm(
  life: Life,
  one: CaseRow,
  { staff, back }: ActionOf<'confirm'>,
  isFollowed: boolean,
): Promise<void> {
  const { staffId } = life.staff(staff);
  const factors = life.facts.factors.filter(
    ({ caseId, method }) => caseId === one.id && (method === 'video' || method === 'document'),
  );
  const factorId = factors.at(-1 - back)?.id;
  if (factorId === undefined) return;
  await life.step({ what: `${staff} confirms`, isFollowed }, () =>
    life.rows.run((tx) => confirmFactor(tx, { subject: life.subject(one.id), factorId, staffId })),
  );
}

async function said(
  life: Life,
  one: CaseRow,
  { staff, what, saw }: ActionOf<'decide'>,
  isFollowed: boolean,
): Promise<void> {
  const { staffId } = life.staff(staff);
  const revision = saw === 'it' ? one.revision : one.revision - 1;
  await life.step({ what: `${staff} says ${what}`, isFollowed }, async () => {
    await life.rows.run((tx) =>
      decide(tx, RECOVERY_TOOLS, {
        subject: life.subject(one.id),
        kind: what,
        revision,
        reason: 'person_recognised',
        staffId,
      }),
    );
    if (what === 'refuse') life.rules.stopped(one.id);
    if (what === 'release') life.rules.released(one.id);
    if (what === 'send_back') life.rules.provedAnew(one.id);
  });
}

async function object(
  life: Life,
  one: CaseRow,
  { from }: ActionOf<'object'>,
  isFollowed: boolean,
): Promise<void> {
  const { customerId } = life.customer;
  const phone = life.facts.devices.find(({ status }) => status !== 'revoked');
  const deviceId =
    from === 'link' ? undefined : from === 'nobody’s phone' ? newId('device') : phone?.id;
  const isDoubted = from === 'phone, long after its passkey';
  const isOwners = from === 'phone' && phone?.status === 'trusted' && !phone.isReported;
  const doing = {
    what: `an objection by ${from}`,
    isFollowed,
    isCutOff: (answer: string | undefined) => answer === 'cut_off',
  };
  await life.step(doing, async () => {
    const objection = { subject: life.subject(one.id), customerId, deviceId, isDoubted };
    const { result } = await life.rows.run((tx) => objectToRecovery(tx, RECOVERY_TOOLS, objection));
    if (result === 'vetoed') life.rules.stopped(one.id);
    if (result === 'held') life.rules.doubted(one.id);
    if (result !== 'cut_off' && isOwners !== (result === 'vetoed'))
      throw new Error(
        isOwners ? 'the owner’s veto was doubted' : 'somebody who is not the owner vetoed',
      );
    return result;
  });
}

async function shorten(
  life: Life,
  one: CaseRow,
  { from }: ActionOf<'shorten'>,
  isFollowed: boolean,
): Promise<void> {
  const { customerId } = life.customer;
  const phone = life.facts.devices.find(({ status }) => status !== 'revoked');
  const deviceId = from === 'phone' && phone !== undefined ? phone.id : newId('device');
  await life.step({ what: `${from} shortens`, isFollowed }, async () => {
    await life.rows.run((tx) =>
      shortenCooling(tx, { subject: life.subject(one.id), customerId, deviceId }),
    );
    if (deviceId !== phone?.id || phone.status !== 'trusted' || phone.isReported)
      throw new Error('it was not the owner who shortened');
    life.rules.shortened(one.id, life.rows.nowMs);
  });
}
