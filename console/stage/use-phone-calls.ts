/** The phone's calls that no audit row tells of, each beside what the phone was busy with: refusals, losses, and what the hot path decided. */
import { useEffect, useState } from 'react';
import type { LatchkeyProblem } from '../../sdk/problem.ts';
import type { StageEvent } from '../behind/timeline.ts';
import type { PhoneModel } from '../phone/phone-model.ts';
import { waitingFor } from '../phone/waiting.ts';
import { texts } from '../texts/texts.ts';
import type { PhoneParts } from './stage-loader.tsx';

const KEPT = 100;
/** Asking these again changes nothing anyway. */
const READS = /^(get|list|me$)/;

type Told = Pick<StageEvent, 'lane' | 'text' | 'name'>;

export function usePhoneCalls({ onCall, model }: PhoneParts): readonly StageEvent[] {
  const [calls, setCalls] = useState<readonly StageEvent[]>([]);
  useEffect(() => {
    const unknown = new Set<string>();
    return onCall((operation, problem) => {
      const isAskedAgain = unknown.has(operation) && !READS.test(operation);
      if (problem !== undefined && waitingFor(problem) !== undefined) unknown.add(operation);
      else unknown.delete(operation);
      const told =
        problem === undefined ? success(operation, isAskedAgain) : refusal(operation, problem);
      if (told === undefined) return;
      const at = new Date().toISOString();
      const key = `call ${crypto.randomUUID()}`;
      setCalls((before) => joined(before, { ...told, key, at, group: groupNow(model) }));
    });
  }, [onCall, model]);
  return calls;
}

/** The same again is counted, not listed. */
function joined(before: readonly StageEvent[], call: StageEvent): readonly StageEvent[] {
  const last = before.at(-1);
  const isSame = last?.name === call.name && last.group.id === call.group.id;
  if (!isSame || call.lane === 'decided') return [...before, call].slice(-KEPT);
  return [...before.slice(0, -1), { ...last, at: call.at, times: (last.times ?? 1) + 1 }];
}

function success(operation: string, isAskedAgain: boolean): Told | undefined {
  const text = isAskedAgain ? texts.behind.askedAgain : texts.behind.hotPath[operation];
  return text === undefined ? undefined : { lane: 'decided', text, name: operation };
}

function refusal(operation: string, problem: LatchkeyProblem): Told {
  const { code, title, status } = problem;
  const name = `${operation} · ${code}${status === 0 ? '' : ` · ${String(status)}`}`;
  const isOpen = waitingFor(problem) !== undefined;
  return { lane: status === 0 ? 'lost' : isOpen ? 'waits' : 'refused', text: title, name };
}

/** Where on the timeline belongs what happens now. */
export function groupNow(model: PhoneModel): StageEvent['group'] {
  const { screen, stepUp } = model.state();
  const session = model.session();
  if (screen.kind === 'enrollment' && screen.view.state !== 'ended')
    return { kind: 'enrollment', id: screen.view.enrollmentId };
  if (screen.kind === 'recovery' && screen.view.state !== 'ended')
    return { kind: 'recovery', id: screen.view.recoveryId };
  if (stepUp !== undefined) return { kind: 'step_up', id: stepUp.view.stepUpId };
  if (session.status === 'active') return { kind: 'session', id: session.sessionId };
  return { kind: 'calls', id: '' };
}
