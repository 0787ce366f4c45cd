/** How risky the bank's risk engine finds the next login. */
import { useEffect, useRef, useState } from 'react';
import { Radio, RadioGroup } from 'react-aria-components';
import type { DemoBankControl, LoginRisk } from '../stage/demo-bank-control.ts';
import { texts } from '../texts/texts.ts';

const LOOK_EVERY_MS = 3_000;
const RISKS: readonly LoginRisk[] = ['low', 'high'];

export function RiskSwitch({ bank }: { readonly bank: DemoBankControl }) {
  const { risk: words } = texts.behind;
  // Unknown until the bank has said it: starting over or another page may have changed it.
  const [risk, setRisk] = useState<LoginRisk>();
  const chosen = useRef(0);
  useEffect(() => {
    const read = () => {
      const before = chosen.current;
      // What was chosen while the answer was on its way is newer.
      const take = (said: LoginRisk | undefined) => {
        if (chosen.current === before) setRisk(said);
      };
      bank.loginRisk().then(take, () => {
        take(undefined);
      });
    };
    read();
    const timer = setInterval(() => {
      if (!document.hidden) read();
    }, LOOK_EVERY_MS);
    return () => {
      clearInterval(timer);
    };
  }, [bank]);
  return (
    <section className="desk" aria-label={words.label}>
      <h3>{words.label}</h3>
      <RadioGroup
        className="segments"
        aria-label={words.label}
        orientation="horizontal"
        value={risk ?? null}
        onChange={(wanted) => {
          const next = RISKS.find((known) => known === wanted) ?? 'low';
          chosen.current += 1;
          setRisk(next);
          bank.setLoginRisk(next).catch(() => {
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
