/** The receipt of an approval: every check of it, explained, carried out here and not by the bank; and the file to keep. */
import type { Check, Verdict } from '../../../sdk/receipt/types.ts';
import { texts } from '../../texts/texts.ts';
import { Icon } from '../../parts/icons.tsx';
import { Banner, Button } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import type { ShownReceipt } from '../phone-state.ts';
import { Page } from './page.tsx';

/** Where anybody checks the saved file, without this app and without the bank. */
const CHECKING_PAGE = '/receipt.html';

export function ReceiptScreen({ receipt }: { readonly receipt: ShownReceipt }) {
  const [{ busy }, { paying }] = usePhone();
  const { receipt: words } = texts.pay;
  const { file, verification } = receipt;
  const text = JSON.stringify(file, null, 2);
  return (
    <Page
      title={words.title}
      text={words.text}
      onBack={() => {
        paying.hideReceipt();
      }}
      actions={
        <>
          {verification === undefined && (
            <Button
              kind="primary"
              icon="shield"
              isBusy={busy === 'check'}
              onPress={() => void paying.checkReceipt()}
            >
              {words.check}
            </Button>
          )}
          <Button
            kind="secondary"
            onPress={() => {
              save(text);
            }}
          >
            {words.save}
          </Button>
        </>
      }
    >
      {verification !== undefined && (
        <>
          <Banner tone={TONES[verification.verdict]} title={words.verdicts[verification.verdict]}>
            {verification.says}
          </Banner>
          <ul className="checks" aria-label={words.checks}>
            {verification.checks.map((check) => (
              <CheckItem key={check.id} check={check} />
            ))}
          </ul>
        </>
      )}
      <p>
        <a href={CHECKING_PAGE} target="_blank" rel="noreferrer">
          {words.page} <Icon name="external" size={14} />
        </a>
      </p>
      <details className="raw">
        <summary>{words.raw}</summary>
        <pre tabIndex={0}>{text}</pre>
      </details>
    </Page>
  );
}

const TONES = {
  genuine: 'good',
  withheld: 'good',
  unconfirmed: 'wait',
  refused: 'danger',
} as const satisfies Record<Verdict, string>;

function CheckItem({ check }: { readonly check: Check }) {
  const { question, says, result } = check;
  const icon = result === 'passed' ? 'check' : result === 'failed' ? 'refused' : 'pause';
  return (
    <li className="check" data-result={result}>
      <Icon name={icon} size={16} />
      <span>
        {question}
        <small>{says}</small>
      </span>
    </li>
  );
}

function save(text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'latchkey-receipt.json';
  link.click();
  URL.revokeObjectURL(url);
}
