/** The bar above a screen that can be read or left, when something else waits for an answer; a question on the screen is answered first. */
import { Button } from '../parts/parts.tsx';
import { texts } from '../texts/texts.ts';
import { usePhone } from './phone-context.ts';

export function MoreAsked() {
  const [{ busy, waiting }, { approvals }] = usePhone();
  const { waits } = texts.approvals;
  return (
    <div className="phone-more" role="status" inert={waiting !== undefined}>
      <span>{waits.title}</span>
      <Button kind="secondary" isBusy={busy === 'show'} onPress={() => void approvals.showNext()}>
        {waits.show}
      </Button>
    </div>
  );
}
