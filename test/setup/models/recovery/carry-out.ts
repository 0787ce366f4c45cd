/** Carries out one drawn action in a life: who sends it, and what the specification has to remember of it once it was taken. */
import { newId } from '../../../../adapters/random.ts';
import { reportByStaff } from '../../../../db/device-reports.ts';
import { expireStartingRecoveries } from '../../../../db/recovery-ends.ts';
import { recordLivenessVerdict } from '../../../../db/recovery-liveness.ts';
import { openRecovery } from '../../../../db/recovery-open.ts';
import { endRevokedRows } from '../../../../db/revocation.ts';
import { cutOffCustomer, releaseCustomer } from '../../customer.ts';
import { newKey, RECOVERY_TOOLS } from '../../recoveries.ts';
import type { ActionOf, Step } from './actions.ts';
import { ask, prove } from './hands.ts';
import { goOn } from './honest.ts';
import type { Life } from './life.ts';
import { carryOutOfCase } from './of-case.ts';

export async function carryOut(life: Life, { action, isFollowed }: Step): Promise<void> {
  switch (action.kind) {
    case 'go on': {
      const { report, risk, times } = action;
      const people = (['ana', 'ben', 'sue', 'sam'] as const).map((name) => life.staff(name));
      for (let time = 0; time < times; time += 1)
        await goOn(life, { report, risk, isFollowed }, people);
      return;
    }
    case 'ask':
      await asks(life, action, isFollowed);
      return;
    case 'prove':
      await shown(life, action, isFollowed);
      return;
    case 'staff opens':
      await staffOpens(life, action, isFollowed);
      return;
    case 'fraud':
      await fraud(life, action, isFollowed);
      return;
    case 'release hold':
      await life.step({ what: 'fraud releases', isFollowed }, () =>
        life.rows.run((tx) => releaseCustomer(tx, life.customer)),
      );
      return;
    case 'wait':
      await life.step({ what: `${String(action.minutes)} minutes pass`, isFollowed }, () => {
        life.rows.nowMs += action.minutes * 60_000;
        return Promise.resolve();
      });
      return;
    case 'sweep':
      await life.step({ what: 'the sweeper comes', isFollowed }, () =>
        life.rows.run((tx) =>
          expireStartingRecoveries(tx, { tenantId: life.rows.tenantId, limit: 100 }),
        ),
      );
      return;
    case 'verdict':
      await verdict(life, action, isFollowed);
      return;
    case 'report phone':
      await reportPhone(life, action, isFollowed);
      return;
    case 'liveness':
    case 'evidence':
    case 'confirm':
    case 'decide':
    case 'object':
    case 'shorten':
    case 'cancel':
    case 'wait for the next timer':
    case 'forge':
    case 'bind':
      if (life.latest !== undefined) await carryOutOfCase(life, life.latest, action, isFollowed);
  }
}

async function asks(
  life: Life,
  { by, contact, report, shows, risk }: ActionOf<'ask'>,
  isFollowed: boolean,
): Promise<void> {
  const jkt = life.key(by);
  const asked = await life.step({ what: `${by} asks by ${contact}`, isFollowed }, () =>
    ask(life, jkt, contact, report),
  );
  if (asked === undefined || shows === 'nothing') return;
  await life.step({ what: `${by} shows the ${shows}`, isFollowed }, () =>
    prove(life, asked, { how: shows, isRight: true, jkt, risk }),
  );
}

async function shown(
  life: Life,
  { back, how, shown: what, risk }: ActionOf<'prove'>,
  isFollowed: boolean,
): Promise<void> {
  const asked = life.asked.at(-1 - back);
  if (asked === undefined) return;
  const jkt = what === 'by another' ? newKey() : asked.jkt;
  const showing = { how, isRight: what !== 'wrong', jkt, risk };
  await life.step({ what: `${life.handOf(asked.jkt)}’s ${how} is shown`, isFollowed }, () =>
    prove(life, asked, showing),
  );
}

async function staffOpens(
  life: Life,
  { staff, report, risk }: ActionOf<'staff opens'>,
  isFollowed: boolean,
): Promise<void> {
  const { customerId, tenantId } = life.customer;
  const by = { kind: 'staff', id: life.staff(staff).staffId } as const;
  await life.step({ what: `${staff} opens`, isFollowed }, async () => {
    const { recoveryId } = await life.rows.run((tx) =>
      openRecovery(tx, RECOVERY_TOOLS, { tenantId, customerId, by, report, risk }),
    );
    life.noteJoined(recoveryId, { by: 'staff', report, risk });
  });
}

/** A vendor passes nobody but the owner, but its signed words may arrive anywhere. */
async function verdict(
  life: Life,
  { back, outcome, of }: ActionOf<'verdict'>,
  isFollowed: boolean,
): Promise<void> {
  const checked = life.checked.at(-1 - back);
  const other = life.checked.find(({ attemptId }) => attemptId !== checked?.attemptId);
  if (checked === undefined) return;
  const named = {
    attemptId:
      of === 'another attempt' ? (other?.attemptId ?? newId('attempt')) : checked.attemptId,
    vendorSession:
      of === 'another session' ? (other?.vendorSession ?? newId('request')) : checked.vendorSession,
    caseId:
      of === 'another case'
        ? (life.facts.cases.find(({ id }) => id !== checked.caseId)?.id ?? newId('ceremony'))
        : checked.caseId,
    newJkt: of === 'another key' ? (life.latest?.jkt ?? newKey()) : checked.jkt,
  };
  const isSomebodyElse = named.newJkt === checked.jkt && !life.ownersKeys.has(checked.jkt);
  const isBelow = outcome === 'below the figures';
  const said = isBelow ? 'passed' : isSomebodyElse && outcome === 'passed' ? 'failed' : outcome;
  const figure = isBelow ? 60 : 99;
  await life.step({ what: `the vendor says ${outcome} of ${of}`, isFollowed }, () =>
    life.rows.run((tx) =>
      recordLivenessVerdict(tx, RECOVERY_TOOLS, {
        ...named,
        tenantId: life.customer.tenantId,
        outcome: said,
        livenessConfidence: figure,
        matchConfidence: figure,
        evidenceId: newId('request'),
        vendorId: 'vendor',
      }),
    ),
  );
}

async function fraud(
  life: Life,
  { areRowsEnded }: ActionOf<'fraud'>,
  isFollowed: boolean,
): Promise<void> {
  const { tenantId } = life.rows;
  await life.step({ what: 'fraud signals', isFollowed, isCutOff: () => true }, async () => {
    const cut = await life.rows.run((tx) => cutOffCustomer(tx, life.customer));
    if (areRowsEnded && cut !== undefined)
      await life.rows.run((tx) => endRevokedRows(tx, { tenantId, revocationId: cut.revocationId }));
  });
}

async function reportPhone(
  life: Life,
  { staff, as }: ActionOf<'report phone'>,
  isFollowed: boolean,
): Promise<void> {
  const deviceId = life.facts.devices.find(({ status }) => status !== 'revoked')?.id;
  if (deviceId === undefined) return;
  const { staffId } = life.staff(staff);
  await life.step({ what: `${staff} reports the phone ${as}`, isFollowed }, () =>
    life.rows.run((tx) =>
      reportByStaff(tx, { tenantId: life.rows.tenantId, deviceId, as, staffId, because: 'caller' }),
    ),
  );
}
