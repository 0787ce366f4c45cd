/** The refusals that the phone's calls met, each beside what the phone was busy with. */
import { useEffect, useState } from 'react';
import type { Refusal } from '../behind/timeline.ts';
import type { PhoneModel } from '../phone/phone-model.ts';
import type { StageParts } from './stage-loader.tsx';

const KEPT = 100;

export function useRefusals({ onProblem, model }: StageParts): readonly Refusal[] {
  const [refusals, setRefusals] = useState<readonly Refusal[]>([]);
  useEffect(() => {
    return onProblem((operation, { code, title, status }) => {
      const at = new Date().toISOString();
      const refusal = { at, operation, code, title, status, group: groupNow(model) };
      setRefusals((before) => [...before, refusal].slice(-KEPT));
    });
  }, [onProblem, model]);
  return refusals;
}

function groupNow(model: PhoneModel): Refusal['group'] {
  const { screen } = model.state();
  const session = model.session();
  if (screen.kind === 'enrollment') return { kind: 'enrollment', id: screen.view.enrollmentId };
  if (session.status === 'active') return { kind: 'session', id: session.sessionId };
  return { kind: 'calls', id: '' };
}
