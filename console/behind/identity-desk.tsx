/** The identity vendor's mood, beside the part it breaks: verify, take its time, refuse. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { Radio, RadioGroup } from 'react-aria-components';
import { texts } from '../texts/texts.ts';
import { Button } from '../parts/parts.tsx';
import type { IdentityBehaviour, IdentityDesk as Desk, StageControl } from '../stage/control.ts';

const BEHAVIOURS: readonly IdentityBehaviour[] = ['normal', 'slow', 'refuses'];
const LOOK_EVERY_MS = 2_500;

export interface IdentityDeskProps {
  readonly control: StageControl;
}

export function IdentityDesk({ control }: IdentityDeskProps) {
  const { identity: words } = texts.behind;
  const [desk, setDesk] = useState<Desk>({ behaviour: 'normal', waiting: 0 });
  const [hasFailed, setHasFailed] = useState(false);

  // Only the newest question counts: an answer from before a choice would undo it for a moment.
  const questions = useRef(0);
  const follow = useCallback((asked: Promise<Desk>) => {
    questions.current += 1;
    const question = questions.current;
    asked.then(
      (answer) => {
        if (question !== questions.current) return;
        setDesk(answer);
        setHasFailed(false);
      },
      () => {
        setHasFailed(true);
      },
    );
  }, []);

  useEffect(() => {
    follow(control.identity());
    const timer = setInterval(() => {
      if (!document.hidden) follow(control.identity());
    }, LOOK_EVERY_MS);
    return () => {
      clearInterval(timer);
    };
  }, [control, follow]);

  return (
    <section className="desk" aria-label={words.title}>
      <h3 className="hidden">{words.title}</h3>
      <RadioGroup
        className="segments"
        aria-label={words.text}
        orientation="horizontal"
        value={desk.behaviour}
        onChange={(wanted) => {
          const behaviour = BEHAVIOURS.find((known) => known === wanted);
          if (behaviour === undefined) return;
          setDesk({ ...desk, behaviour });
          follow(control.setIdentityBehaviour(behaviour));
        }}
      >
        {BEHAVIOURS.map((behaviour) => (
          <Radio key={behaviour} value={behaviour} className="segment">
            {words[behaviour]}
          </Radio>
        ))}
      </RadioGroup>
      <div className="desk-foot">
        <span className="quiet" role="status">
          {hasFailed ? words.failed : desk.waiting > 0 ? words.waiting(desk.waiting) : words.text}
        </span>
        {desk.waiting > 0 && (
          <Button
            size="dense"
            onPress={() => {
              follow(control.releaseIdentity());
            }}
          >
            {words.release}
          </Button>
        )}
      </div>
    </section>
  );
}
