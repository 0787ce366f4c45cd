/** What may be done with a case, each as a question with its effect in words. A decision names the case as it was seen when the question was put. */
import type { Change } from '../confirm.tsx';
import type { Me } from '../door.ts';
import type { StaffApi } from '../staff-api.ts';
import type { DecisionKind, LedgerFactor, RecoveryAction, RecoveryCase } from './recovery-api.ts';
import { deskTexts } from './desk-texts.ts';
import { recoveryTexts as words } from './recovery-texts.ts';

export interface CaseChange extends Change {
  readonly action: RecoveryAction;
  /** What the case was when the question was put. */
  readonly revision: number;
}

export const REFERENCE = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,39}$/;

export interface Desk {
  readonly api: StaffApi;
  readonly me: Me;
}

/** undefined: nothing to ask, as the case stands. */
export function caseChange(
  action: RecoveryAction,
  one: RecoveryCase,
  desk: Desk,
): CaseChange | undefined {
  const change = changeOf(action, one, desk);
  if (change === undefined) return undefined;
  return { ...change, refusals: words.refusals, action, revision: one.revision };
}

function changeOf(action: RecoveryAction, one: RecoveryCase, desk: Desk): Change | undefined {
  const { recoveries } = desk.api;
  const { recoveryId } = one;
  switch (action) {
    case 'claim':
      return plain('claim', (key) => recoveries.claim(recoveryId, key));
    case 'hand_over':
      return handOver(one, desk);
    case 'record_evidence': {
      const text = deskTexts.acts.record_evidence;
      return {
        ...base(text),
        reasons: text.methods,
        reasonsLabel: text.how,
        field: { label: text.field, hint: text.hint, form: REFERENCE },
        send: (method, key, more) => recoveries.evidence(recoveryId, method, more.text, key),
      };
    }
    case 'call_back': {
      const text = deskTexts.acts.call_back;
      return {
        ...base(text),
        field: { label: text.field, hint: text.hint, form: REFERENCE },
        send: (_reason, key, more) => recoveries.callBack(recoveryId, more.text, key),
      };
    }
    case 'confirm_evidence':
      return confirmation(one, desk);
    case 'approve':
    case 'refuse':
    case 'send_back':
    case 'release':
      return decision(action, one, desk);
  }
}

function base(text: {
  readonly title: string;
  readonly effects: readonly string[];
  readonly act: string;
  readonly done: string;
}) {
  const { title, effects, act, done } = text;
  return { title, effects, act, done, reasons: [], isDangerous: false };
}

function plain(action: 'claim', send: (key: string) => ReturnType<Change['send']>): Change {
  return { ...base(deskTexts.acts[action]), send: (_reason, key) => send(key) };
}

function handOver(one: RecoveryCase, { api, me }: Desk): Change {
  const text = deskTexts.acts.hand_over;
  const isOthers = !one.isMine;
  const options = [['queue', text.queue] as const, ...(isOthers ? [['me', text.me] as const] : [])];
  return {
    ...base(text),
    choice: { label: text.to, options },
    send: (_reason, key, { choice }) =>
      api.recoveries.handOver(one.recoveryId, choice === 'me' ? me.staffId : null, key),
  };
}

/** The first that somebody else recorded. */
function waiting(one: RecoveryCase, { name }: Me): LedgerFactor | undefined {
  const all = one.ledger.filter(
    ({ needsSecondPerson, confirmedBy, isVoid }) =>
      needsSecondPerson && confirmedBy === null && !isVoid,
  );
  return all.find(({ recordedBy }) => recordedBy.name !== name) ?? all[0];
}

function confirmation(one: RecoveryCase, { api, me }: Desk): Change | undefined {
  const text = deskTexts.acts.confirm_evidence;
  const factor = waiting(one, me);
  if (factor === undefined) return undefined;
  const method = words.methods[factor.method] ?? factor.method;
  return {
    ...base({ ...text, effects: text.effects(method, factor.recordedBy.name ?? '') }),
    send: (_reason, key) => api.recoveries.confirm(one.recoveryId, factor.factorId, key),
  };
}

function decision(kind: DecisionKind, one: RecoveryCase, { api }: Desk): Change {
  const text = deskTexts.acts[kind];
  const { approved, people, coolingSeconds } = one.needed;
  const effects =
    kind === 'approve'
      ? deskTexts.acts.approve.effects(approved, people, coolingSeconds)
      : deskTexts.acts[kind].effects;
  const { recoveryId, revision } = one;
  return {
    ...base({ ...text, effects }),
    reasons: text.reasons,
    isDangerous: kind === 'refuse',
    send: (reason, key) => api.recoveries.decide(recoveryId, { kind, revision, reason }, key),
  };
}

/** Why the question that stands open can be sent no more. */
export function blockedBy(change: CaseChange, one: RecoveryCase): string | undefined {
  const now = one.actions.find(({ action }) => action === change.action)?.because ?? undefined;
  if (now !== undefined) return words.forbiddenNow(words.why[now] ?? '');
  const names =
    change.action === 'approve' || change.action === 'send_back' || change.action === 'release';
  return names && one.revision !== change.revision ? words.changed : undefined;
}
