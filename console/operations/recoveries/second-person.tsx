/** On the page of approvals: recoveries that one person approved and that wait for another. */
import { useCallback } from 'react';
import { useNow } from '../../parts/time.ts';
import { recoveryAddress } from '../address.ts';
import { Link } from '../link.tsx';
import { Told } from '../page-parts.tsx';
import type { StaffApi } from '../staff-api.ts';
import { useTold } from '../use-told.ts';
import { Clock } from './clock.tsx';
import { recoveryTexts as words } from './recovery-texts.ts';

const LOOK_EVERY_MS = 5_000;

export function SecondPerson({ api }: { readonly api: StaffApi }) {
  const { secondPerson: text } = words;
  const nowMs = useNow(10_000);
  const shown = useTold(
    useCallback(() => api.recoveries.list(new URLSearchParams({ secondPerson: 'yes' })), [api]),
    LOOK_EVERY_MS,
  );
  return (
    <>
      <h2>{text.title}</h2>
      <Told shown={shown} forbidden={words.forbidden}>
        {({ recoveries }) =>
          recoveries.length === 0 ? (
            <p className="nothing">{text.empty}</p>
          ) : (
            <ul className="requests">
              {recoveries.map((one) => (
                <li key={one.recoveryId}>
                  <span>
                    <strong>{text.what(words.reportWords[one.report] ?? one.report)}</strong>
                    <small>{words.queue.people(one.people.approved, one.people.needed)}</small>
                  </span>
                  <Clock one={one} nowMs={nowMs} />
                  <Link to={recoveryAddress(one.recoveryId)} kind="secondary">
                    {text.see}
                  </Link>
                </li>
              ))}
            </ul>
          )
        }
      </Told>
    </>
  );
}
