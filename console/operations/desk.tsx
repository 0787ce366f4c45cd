/** What a logged-in member of the staff finds: the own roles, the way into Temporal's UI, and two short lists to read. It decides nothing. */
import { useCallback, useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { Icon } from '../parts/icons.tsx';
import { Button, Spinner, Tag } from '../parts/parts.tsx';
import { ago, exactTimeOf, fullTimeOf, momentOf, useNow } from '../parts/time.ts';
import { readDeadLetters, readHolds } from './door.ts';
import type { Answer, DeadLetter, Door, Hold, Me, Role } from './door.ts';
import { texts } from './texts.ts';

const ROLES: readonly Role[] = ['agent', 'supervisor', 'auditor', 'administrator'];
const MINUTE_MS = 60_000;

export interface DeskProps {
  readonly door: Door;
  readonly me: Me;
  /** The session ended meanwhile. */
  readonly onLost: () => void;
}

export function Desk({ door, me, onLost }: DeskProps) {
  const { slug } = me.tenant;
  const holds = useList(useCallback(() => readHolds(slug), [slug]));
  const letters = useList(useCallback(() => readDeadLetters(slug), [slug]));
  const isLost = [holds, letters].some(({ answer }) => answer?.kind === 'logged-out');
  useEffect(() => {
    if (isLost) onLost();
  }, [isLost, onLost]);
  return (
    <main className="desk">
      <h1 className="hidden">{texts.welcome.title}</h1>
      <div className="desk-side">
        <You me={me} />
        <Workflows door={door} me={me} />
      </div>
      <div className="desk-main">
        <ListCard
          list={holds}
          words={texts.holds}
          row={(hold: Hold) => <HoldRow key={hold.holdId} hold={hold} />}
        />
        <ListCard
          list={letters}
          words={texts.deadLetters}
          row={(letter: DeadLetter) => <LetterRow key={letter.outboxId} letter={letter} />}
        />
      </div>
    </main>
  );
}

function You({ me }: { readonly me: Me }) {
  const nowMs = useNow(MINUTE_MS);
  return (
    <section className="card" aria-labelledby="you">
      <h2 id="you">{me.name}</h2>
      <dl className="facts">
        <dt>{texts.employee}</dt>
        <dd>{me.employeeId}</dd>
        <dt>{texts.since}</dt>
        <dd>
          <time dateTime={me.authTime} title={fullTimeOf(me.authTime)}>
            {momentOf(me.authTime, nowMs)}
          </time>
        </dd>
      </dl>
      <h3>{texts.rolesTitle}</h3>
      <ul className="roles">
        {ROLES.map((role) => {
          const isMine = me.roles.includes(role);
          return (
            <li key={role} data-mine={isMine}>
              <span className="role-name">
                {texts.roles[role].name}
                {isMine && (
                  <Tag tone="good" icon="check">
                    {texts.yours}
                  </Tag>
                )}
              </span>
              <span className="role-may">{texts.roles[role].may}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Workflows({ door, me }: Pick<DeskProps, 'door' | 'me'>) {
  const { workflows } = texts;
  const { temporalUi } = door;
  const isHere = temporalUi?.tenant === me.tenant.slug;
  const mayLook = me.roles.some((role) => role === 'auditor' || role === 'administrator');
  return (
    <section className="card" aria-labelledby="workflows">
      <h2 id="workflows">{workflows.title}</h2>
      <p className="quiet">{workflows.text}</p>
      {isHere && mayLook ? (
        <a className="button" data-kind="primary" href={temporalUi.path}>
          {workflows.open}
          <Icon name="external" size={16} />
        </a>
      ) : (
        <Closed>{isHere ? workflows.forbidden : workflows.absent}</Closed>
      )}
    </section>
  );
}

function Closed({ children }: { readonly children: ReactNode }) {
  return (
    <p className="closed">
      <Icon name="shield" size={16} />
      {children}
    </p>
  );
}

interface List<Item> {
  readonly answer: Answer<readonly Item[]> | undefined;
  readonly atMs: number;
  readonly isBusy: boolean;
  readonly refresh: () => void;
}

function useList<Item>(read: () => Promise<Answer<readonly Item[]>>): List<Item> {
  const [state, setState] = useState<Omit<List<Item>, 'refresh'>>({
    answer: undefined,
    atMs: 0,
    isBusy: true,
  });
  const load = useCallback(() => {
    void read().then((answer) => {
      setState({ answer, atMs: Date.now(), isBusy: false });
    });
  }, [read]);
  useEffect(load, [load]);
  const refresh = () => {
    setState((before) => ({ ...before, isBusy: true }));
    load();
  };
  return { ...state, refresh };
}

interface ListWords {
  readonly title: string;
  readonly text: string;
  readonly empty: string;
  readonly forbidden: string;
  readonly columns: readonly string[];
  readonly act: string;
}

function ListCard<Item>({
  list,
  words,
  row,
}: {
  readonly list: List<Item>;
  readonly words: ListWords;
  readonly row: (item: Item) => ReactNode;
}) {
  const { answer } = list;
  const id = `list-${words.title.replaceAll(' ', '-')}`;
  return (
    <section className="card" aria-labelledby={id}>
      <header className="card-head">
        <h2 id={id}>{words.title}</h2>
        {answer !== undefined && answer.kind !== 'forbidden' && (
          <>
            <small>
              {texts.asOf} {exactTimeOf(new Date(list.atMs).toISOString())}
            </small>
            <Button size="dense" icon="restart" isBusy={list.isBusy} onPress={list.refresh}>
              {texts.refresh}
            </Button>
          </>
        )}
      </header>
      <p className="quiet">{words.text}</p>
      {answer === undefined && (
        <p className="nothing">
          <Spinner />
        </p>
      )}
      {answer?.kind === 'forbidden' && <Closed>{words.forbidden}</Closed>}
      {answer?.kind === 'silent' && <p className="nothing">{texts.listSilent}</p>}
      {answer?.kind === 'answered' && answer.value.length === 0 && (
        <p className="nothing">
          <Icon name="check" size={18} />
          {words.empty}
        </p>
      )}
      {answer?.kind === 'answered' && answer.value.length > 0 && (
        <>
          <div className="table" role="region" aria-labelledby={id} tabIndex={0}>
            <table>
              <thead>
                <tr>
                  {words.columns.map((column) => (
                    <th key={column} scope="col">
                      {column}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>{answer.value.map((item) => row(item))}</tbody>
            </table>
          </div>
          <p className="act">
            {texts.toAct} <code>{words.act}</code>
          </p>
        </>
      )}
    </section>
  );
}

function HoldRow({ hold }: { readonly hold: Hold }) {
  return (
    <tr>
      <td>
        <Id value={hold.customerId} />
      </td>
      <td>{hold.reason.replaceAll('_', ' ')}</td>
      <td>{hold.placedBy}</td>
      <td>
        <Since iso={hold.placedAt} />
      </td>
      <td>
        {hold.approvalId === null ? (
          <span className="quiet">{texts.holds.notAsked}</span>
        ) : (
          <Tag tone="wait">{texts.holds.waiting}</Tag>
        )}
      </td>
    </tr>
  );
}

function LetterRow({ letter }: { readonly letter: DeadLetter }) {
  return (
    <tr>
      <td>{letter.eventType ?? letter.topic}</td>
      <td>
        <Id value={letter.subject} />
      </td>
      <td>{letter.errorCode ?? texts.deadLetters.noError}</td>
      <td className="number">{letter.attempts}</td>
      <td>
        <Since iso={letter.createdAt} />
      </td>
    </tr>
  );
}

/** The end tells ids of one minute apart; the whole stands in the title. */
function Id({ value }: { readonly value: string }) {
  return (
    <code title={value}>
      {value.length > 16 ? `${value.slice(0, 4)}…${value.slice(-8)}` : value}
    </code>
  );
}

function Since({ iso }: { readonly iso: string }) {
  const nowMs = useNow(MINUTE_MS);
  return (
    <time dateTime={iso} title={fullTimeOf(iso)}>
      {ago(new Date(iso).getTime(), nowMs)}
    </time>
  );
}
