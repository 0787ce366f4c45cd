/** The parts of the stack as they stand, looked at every second, and the buttons that break and mend them. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { StageControl } from '../stage/control.ts';
import { ControlRefusal } from '../stage/control-call.ts';
import type { PartsButton, PartsView } from '../stage/parts-view.ts';

const LOOK_EVERY_MS = 1_000;

export interface PartsState {
  /** undefined until stage control has answered once. */
  readonly view: PartsView | undefined;
  /** The button that was pressed and is not done. */
  readonly pressed: PartsButton | undefined;
  /** The code of the last refusal. */
  readonly failure: string | undefined;
  readonly press: (button: PartsButton) => void;
}

export interface PartsOptions {
  readonly control: StageControl;
  readonly enrollmentId: string | undefined;
  /** Must be stable. */
  readonly onView: (view: PartsView) => void;
}

export function useParts({ control, enrollmentId, onView }: PartsOptions): PartsState {
  const [view, setView] = useState<PartsView>();
  const [pressed, setPressed] = useState<PartsButton>();
  const [failure, setFailure] = useState<string>();
  // An answer from before a newer one would show the past for a moment.
  const newest = useRef(0);

  const follow = useCallback(
    async (asked: Promise<PartsView>) => {
      newest.current += 1;
      const turn = newest.current;
      const answer = await asked;
      if (turn !== newest.current) return;
      setView(answer);
      onView(answer);
    },
    [onView],
  );

  useEffect(() => {
    const look = () => {
      if (!document.hidden) follow(control.parts(enrollmentId)).catch(() => undefined);
    };
    look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    return () => {
      clearInterval(timer);
    };
  }, [control, enrollmentId, follow]);

  const press = useCallback(
    (button: PartsButton) => {
      setPressed(button);
      setFailure(undefined);
      const finish = async () => {
        try {
          await control.press(button);
          await follow(control.parts(enrollmentId));
        } catch (error) {
          setFailure(error instanceof ControlRefusal ? error.code : 'no_answer');
        } finally {
          setPressed(undefined);
        }
      };
      void finish();
    },
    [control, enrollmentId, follow],
  );

  return { view, pressed, failure, press };
}
