/** The phone's calls that no audit row tells of, each beside what the phone was busy with: refusals, and what the hot path decided. */
import { useEffect, useState } from 'react';
import type { LatchkeyProblem } from '../../sdk/problem.ts';
import type { PhoneCall } from '../behind/timeline.ts';
import type { PhoneModel } from '../phone/phone-model.ts';
import { texts } from '../texts/texts.ts';
import type { StageParts } from './stage-loader.tsx';

const KEPT = 100;

export function usePhoneCalls({ onCall, model }: StageParts): readonly PhoneCall[] {
  const [calls, setCalls] = useState<readonly PhoneCall[]>([]);
  useEffect(
    () =>
      onCall((operation, problem) => {
        const told = problem === undefined ? success(operation) : refusal(operation, problem);
        if (told === undefined) return;
        const call = { ...told, at: new Date().toISOString(), group: groupNow(model) };
        setCalls((before) => [...before, call].slice(-KEPT));
      }),
    [onCall, model],
  );
  return calls;
}

function success(operation: string): Pick<PhoneCall, 'lane' | 'text' | 'name'> | undefined {
  const text = texts.behind.hotPath[operation];
  return text === undefined ? undefined : { lane: 'decided', text, name: operation };
}

function refusal(
  operation: string,
  { code, title, status }: LatchkeyProblem,
): Pick<PhoneCall, 'lane' | 'text' | 'name'> {
  const name = `${operation} · ${code}${status === 0 ? '' : ` · ${String(status)}`}`;
  return { lane: status === 0 ? 'lost' : 'refused', text: title, name };
}

function groupNow(model: PhoneModel): PhoneCall['group'] {
  const { screen } = model.state();
  const session = model.session();
  if (screen.kind === 'enrollment' && screen.view.state !== 'ended')
    return { kind: 'enrollment', id: screen.view.enrollmentId };
  if (session.status === 'active') return { kind: 'session', id: session.sessionId };
  return { kind: 'calls', id: '' };
}
