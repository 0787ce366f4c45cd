/** How risky the bank's risk engine finds the next login. */
import { useEffect, useState } from 'react';
import { Radio, RadioGroup } from 'react-aria-components';
import type { DemoBankControl, LoginRisk } from '../stage/demo-bank-control.ts';
import { texts } from '../texts/texts.ts';

const RISKS: readonly LoginRisk[] = ['low', 'high'];

export function RiskSwitch({ bank }: { readonly bank: DemoBankControl }) {
  const { risk: words } = texts.behind;
  const [risk, setRisk] = useState<LoginRisk>('low');
  useEffect(() => {
    bank.loginRisk().then(setRisk, () => undefined);
  }, [bank]);
  return (
    <section className="desk" aria-label={words.label}>
      <h3>{words.label}</h3>
      <RadioGroup
        className="segments"
        aria-label={words.label}
        orientation="horizontal"
        value={risk}
        onChange={(wanted) => {
          const chosen = RISKS.find((known) => known === wanted) ?? 'low';
          setRisk(chosen);
          bank.setLoginRisk(chosen).catch(() => {
            setRisk(risk);
          });
        }}
      >
        {RISKS.map((known) => (
          <Radio key={known} value={known} className="segment">
            {words[known]}
          </Radio>
        ))}
      </RadioGroup>
      <p className="quiet">{words.text}</p>
    </section>
  );
}
