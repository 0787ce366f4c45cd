/** Paying somebody: one form, with what the story proposes. What the bank wants besides, it says after. */
import { texts } from '../../texts/texts.ts';
import { amountText } from '../../parts/amount.ts';
import { Button, Field } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import type { PaymentDraft } from '../phone-state.ts';
import { Page } from './page.tsx';

export function PayCard() {
  const [, { paying }] = usePhone();
  const { pay: words } = texts;
  return (
    <section className="card" aria-label={words.card}>
      <h3>{words.card}</h3>
      <p className="quiet">{words.cardText}</p>
      <Button
        kind="secondary"
        onPress={() => {
          paying.begin();
        }}
      >
        {words.begin}
      </Button>
    </section>
  );
}

export function PayScreen() {
  const [{ draft, busy }, { paying }] = usePhone();
  const { pay: words } = texts;
  const shown = amountText(draft);
  return (
    <Page
      title={words.title}
      onBack={() => {
        paying.leave();
      }}
      onSubmit={() => void paying.send()}
      actions={
        <Button kind="primary" type="submit" isBusy={busy !== undefined}>
          {shown === undefined ? words.sendPlain : words.send(shown)}
        </Button>
      }
    >
      <DraftField name="amount" look="amount" />
      <DraftField name="payee" />
      <DraftField name="account" />
      <DraftField name="reference" />
    </Page>
  );
}

function DraftField({
  name,
  look = 'text',
}: {
  readonly name: Exclude<keyof PaymentDraft, 'currency'>;
  readonly look?: 'text' | 'amount';
}) {
  const [{ draft }, { paying }] = usePhone();
  const { pay: words } = texts;
  return (
    <Field
      label={look === 'amount' ? `${words.amount} (${draft.currency})` : words[name]}
      look={look}
      inputMode={look === 'amount' ? 'decimal' : 'text'}
      value={draft[name]}
      onChange={(value) => {
        paying.edit({ [name]: value });
      }}
    />
  );
}
