/** Finding a customer by the number they call from. The number stays in the body of one request: no address and no list keeps it. */
import { useState } from 'react';
import type { FormEvent } from 'react';
import { Banner, Button, Field } from '../../parts/parts.tsx';
import { customerAddress } from '../address.ts';
import { consoleTexts as words } from '../console-texts.ts';
import { Link } from '../link.tsx';
import { mayServe } from '../page-parts.tsx';
import type { PageProps } from '../page-parts.tsx';
import type { Customer } from '../staff-api.ts';

export function FindPage({ api, me, onLost }: PageProps) {
  const [phone, setPhone] = useState('');
  const [found, setFound] = useState<readonly Customer[]>();
  const [trouble, setTrouble] = useState<string>();
  const [isBusy, setIsBusy] = useState(false);
  if (!mayServe(me)) return <p className="closed">{words.forbidden.customers}</p>;
  const find = async (event: FormEvent) => {
    event.preventDefault();
    setIsBusy(true);
    setTrouble(undefined);
    setFound(undefined);
    const told = await api.find(phone);
    setIsBusy(false);
    if (told.kind === 'logged-out') onLost();
    else if (told.kind === 'answered') {
      setFound(told.value.customers);
      // Found: the number need not stand in sight any longer.
      if (told.value.customers.length > 0) setPhone('');
    } else
      setTrouble(
        told.kind === 'silent'
          ? words.silent.text
          : (words.refusals[told.code === 'invalid_request' ? 'phone_invalid' : told.code] ??
              told.title),
      );
  };
  return (
    <section className="card find" aria-labelledby="find">
      <h1 id="find">{words.find.title}</h1>
      <p className="quiet">{words.find.text}</p>
      <form className="find-form" onSubmit={(event) => void find(event)}>
        <Field
          label={words.find.label}
          placeholder={words.find.placeholder}
          type="tel"
          autoComplete="off"
          autoFocus
          value={phone}
          onChange={setPhone}
          error={trouble}
        />
        <Button kind="primary" type="submit" isBusy={isBusy} isDisabled={phone.length < 3}>
          {words.find.act}
        </Button>
      </form>
      <div role="status">
        {found?.length === 0 && <Banner tone="plain">{words.find.nobody}</Banner>}
        {found?.map((customer) => (
          <p key={customer.customerId} className="found">
            <strong>{words.customer.title(customer.givenName)}</strong>
            <span>{customer.phone}</span>
            <span className="quiet">{words.customer.statuses[customer.status]}</span>
            <Link to={customerAddress(customer.customerId)} kind="primary">
              {words.find.open}
            </Link>
          </p>
        ))}
      </div>
    </section>
  );
}
