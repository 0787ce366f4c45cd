/** Where a customer is logged in, and the way to end it. */
import { Tag } from '../../parts/parts.tsx';
import { exactTimeOf } from '../../parts/time.ts';
import type { Change } from '../confirm.tsx';
import { consoleTexts as words } from '../console-texts.ts';
import { Ago, Allowed, Told } from '../page-parts.tsx';
import type { SessionOfCustomer, StaffApi } from '../staff-api.ts';
import type { Shown } from '../use-told.ts';
import { endSessionChange } from './changes.ts';

export interface SessionsProps {
  readonly shown: Shown<{ readonly sessions: readonly SessionOfCustomer[] }>;
  readonly api: StaffApi;
  readonly onChange: (change: Change) => void;
}

export function Sessions({ shown, api, onChange }: SessionsProps) {
  const { sessions: text } = words;
  return (
    <section className="card" aria-labelledby="sessions">
      <header className="card-head">
        <h2 id="sessions">{text.title}</h2>
        {shown.value !== undefined && (
          <small>
            {words.customer.asOf} {exactTimeOf(new Date(shown.atMs).toISOString())}
          </small>
        )}
      </header>
      <Told shown={shown} forbidden={words.forbidden.customers}>
        {({ sessions }) =>
          sessions.length === 0 ? (
            <p className="nothing">{text.empty}</p>
          ) : (
            <div className="table" role="region" aria-labelledby="sessions" tabIndex={0}>
              <table>
                <thead>
                  <tr>
                    {text.columns.map((column) => (
                      <th key={column} scope="col">
                        {column}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {sessions.map((session) => (
                    <Row
                      key={session.sessionId}
                      session={session}
                      onEnd={() => {
                        onChange(endSessionChange(api, session));
                      }}
                    />
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Told>
    </section>
  );
}

function Row({
  session,
  onEnd,
}: {
  readonly session: SessionOfCustomer;
  readonly onEnd: () => void;
}) {
  const { sessions: text, strengths } = words;
  const { standing, acr } = session;
  return (
    <tr>
      <td>
        {session.deviceName ?? text.noDevice}{' '}
        {standing !== 'good' && <Tag tone="wait">{text.standings[standing]}</Tag>}
      </td>
      <td>{strengths[acr] ?? acr}</td>
      <td>
        <Ago iso={session.lastSeenAt} />
      </td>
      <td>
        <Ago iso={session.startedAt} />
      </td>
      <td>
        <Allowed act={text.end} because={undefined} onPress={onEnd} />
      </td>
    </tr>
  );
}
