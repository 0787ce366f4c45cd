/** Exactly what is signed, for whoever wants to see it: the text as it is, and the challenge that both keys sign. */
import type { OpenedStepUp } from '../../../sdk/types.ts';
import { texts } from '../../texts/texts.ts';

export function SignedText({ opened }: { readonly opened: OpenedStepUp }) {
  const { approvals: words } = texts;
  return (
    <details className="signed-text">
      <summary>{words.exactly}</summary>
      <pre tabIndex={0}>{opened.display.text}</pre>
      <p>
        {words.challenge} <code>{opened.challenge}</code>
      </p>
    </details>
  );
}
