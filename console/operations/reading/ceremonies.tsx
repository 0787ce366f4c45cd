/** What a customer has gone through lately, with the way to each case. For reading. */
import { useCallback } from 'react';
import { Tag } from '../../parts/parts.tsx';
import { recoveryAddress } from '../address.ts';
import { Link } from '../link.tsx';
import { Ago, Told } from '../page-parts.tsx';
import type { StaffApi } from '../staff-api.ts';
import { useTold } from '../use-told.ts';
import { readingTexts } from './reading-texts.ts';

const LOOK_EVERY_MS = 15_000;

export function Ceremonies({
  api,
  customerId,
}: {
  readonly api: StaffApi;
  readonly customerId: string;
}) {
  const { ceremonies: text } = readingTexts;
  const shown = useTold(
    useCallback(() => api.ceremonies(customerId), [api, customerId]),
    LOOK_EVERY_MS,
  );
  return (
    <section className="card" aria-labelledby="ceremonies">
      <h2 id="ceremonies">{text.title}</h2>
      <Told shown={shown} forbidden={text.forbidden}>
        {({ ceremonies }) =>
          ceremonies.length === 0 ? (
            <p className="nothing">{text.empty}</p>
          ) : (
            <ul className="devices">
              {ceremonies.map(({ ceremonyId, kind, outcome, reason, createdAt }) => (
                <li key={ceremonyId}>
                  <span>
                    <strong>{text.kinds[kind]}</strong>{' '}
                    <span className="quiet">
                      <Ago iso={createdAt} />
                    </span>
                  </span>
                  <Tag tone={outcome === null ? 'wait' : 'plain'}>
                    {(outcome === null
                      ? text.running
                      : [...new Set([outcome, reason ?? ''])].join(' ')
                    )
                      .trim()
                      .replaceAll('_', ' ')}
                  </Tag>
                  {kind === 'recovery' && (
                    <Link to={recoveryAddress(ceremonyId)} kind="secondary">
                      {text.open}
                    </Link>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Told>
    </section>
  );
}
