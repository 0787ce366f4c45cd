/** The bank's own API, called through the gateway check: the accounts, or the refusal and why. */
import { problemText, texts } from '../../texts/texts.ts';
import { Banner, Button } from '../../parts/parts.tsx';
import type { Account, BankAnswer } from '../home-data.ts';
import { usePhone } from '../phone-context.ts';

export function AccountsCard() {
  const [{ bank, busy }, model] = usePhone();
  const { home: words } = texts.phone;
  return (
    <section className="card" aria-label={words.accounts}>
      <h3>{words.accounts}</h3>
      {bank === undefined && <p className="quiet">{words.accountsEmpty}</p>}
      {bank !== undefined && <Answer bank={bank} />}
      <Button
        kind={bank === undefined ? 'primary' : 'secondary'}
        isBusy={busy === 'bank'}
        onPress={() => void model.callBank()}
      >
        {bank === undefined ? words.show : words.showAgain}
      </Button>
    </section>
  );
}

function Answer({ bank }: { readonly bank: BankAnswer }) {
  const { home: words } = texts.phone;
  if ('refused' in bank) {
    return (
      <Banner tone="danger" title={words.refused}>
        {problemText(bank.refused).text} <code>{bank.refused.code}</code>
      </Banner>
    );
  }
  return (
    <>
      {bank.accounts.length === 0 && <p className="quiet">{words.noAccounts}</p>}
      <ul className="accounts">
        {bank.accounts.map((account) => (
          <li key={account.number}>
            <span>{account.name}</span>
            <strong>{amountOf(account)}</strong>
            <small>{account.number}</small>
          </li>
        ))}
      </ul>
      <details className="claims">
        <summary>{words.bankSaw}</summary>
        <dl>
          {bank.seen.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd title={value}>{value}</dd>
            </div>
          ))}
        </dl>
      </details>
    </>
  );
}

function amountOf({ balance, currency }: Account): string {
  return new Intl.NumberFormat('en-NZ', { style: 'currency', currency }).format(Number(balance));
}
