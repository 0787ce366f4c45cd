/** The queue of recoveries: dense rows in the order of what is due, worked by keyboard, with filters that stay in the address. */
import { useCallback, useEffect, useRef } from 'react';
import { Button, Tag } from '../../parts/parts.tsx';
import { useNow } from '../../parts/time.ts';
import { goTo, recoveryAddress, useSearch } from '../address.ts';
import { Link } from '../link.tsx';
import { Told } from '../page-parts.tsx';
import type { PageProps } from '../page-parts.tsx';
import { useTold } from '../use-told.ts';
import { Clock } from './clock.tsx';
import { Filters, type Filtered } from './filters.tsx';
import type { QueuedRecovery } from './recovery-api.ts';
import { recoveryTexts as words } from './recovery-texts.ts';

const LOOK_EVERY_MS = 5_000;
const FLAGS = ['mine', 'overdue', 'secondPerson'] as const;
/** What the door is asked with; anything else in the address is nobody's. */
const KNOWN: readonly string[] = [...FLAGS, 'state', 'cursor', 'customerId'];

export function QueuePage({ api, onLost }: PageProps) {
  const { queue: text } = words;
  const [search, setSearch] = useSearch();
  for (const name of Array.from(search.keys())) if (!KNOWN.includes(name)) search.delete(name);
  const asked = search.toString();
  const shown = useTold(
    useCallback(() => api.recoveries.list(new URLSearchParams(asked)), [api, asked]),
    LOOK_EVERY_MS,
  );
  const isLost = shown.trouble?.kind === 'logged-out';
  useEffect(() => {
    if (isLost) onLost();
  }, [isLost, onLost]);
  return (
    <section className="card queue" aria-labelledby="queue">
      <header className="card-head">
        <h1 id="queue">{text.title}</h1>
        <small>{text.keys}</small>
      </header>
      <Filters search={search} onChange={setSearch} />
      <Told shown={shown} forbidden={words.forbidden}>
        {({ recoveries, next }) => (
          <>
            {recoveries.length === 0 ? (
              <Nothing
                isFiltered={asked !== ''}
                onClear={() => {
                  setSearch(new URLSearchParams());
                }}
              />
            ) : (
              <Rows recoveries={recoveries} />
            )}
            <Pages search={search} next={next} onChange={setSearch} />
          </>
        )}
      </Told>
    </section>
  );
}

function Nothing({
  isFiltered,
  onClear,
}: {
  readonly isFiltered: boolean;
  readonly onClear: () => void;
}) {
  const { queue: text } = words;
  if (isFiltered)
    return (
      <div className="queue-empty">
        <p>{text.nothing}</p>
        <Button size="dense" onPress={onClear}>
          {text.clear}
        </Button>
      </div>
    );
  return (
    <div className="queue-empty">
      <p>
        <strong>{text.empty}</strong>
      </p>
      <p className="quiet">{text.emptyText}</p>
      <Link to="/customers" kind="primary">
        {text.emptyAct}
      </Link>
    </div>
  );
}

function Rows({ recoveries }: { readonly recoveries: readonly QueuedRecovery[] }) {
  const { queue: text } = words;
  const nowMs = useNow(10_000);
  const body = useRef<HTMLTableSectionElement>(null);
  useMoves(body);
  return (
    <div className="table" role="region" aria-labelledby="queue">
      <table className="queue-table">
        <thead>
          <tr>
            {text.columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {recoveries.map((one) => (
            <Row key={one.recoveryId} one={one} nowMs={nowMs} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** j and k go from row to row wherever the focus is, but for what takes letters; Enter opens, since a row's focus stands on its link. */
function useMoves(body: React.RefObject<HTMLTableSectionElement | null>): void {
  useEffect(() => {
    const move = (event: KeyboardEvent) => {
      if (event.key !== 'j' && event.key !== 'k') return;
      if (event.metaKey || event.ctrlKey || event.altKey) return;
      if (
        event.target instanceof HTMLElement &&
        event.target.closest('input, textarea, [role=dialog]')
      )
        return;
      const links = [...(body.current?.querySelectorAll<HTMLAnchorElement>('a.row-link') ?? [])];
      const at = links.findIndex((link) => link === document.activeElement);
      const to = event.key === 'j' ? Math.min(at + 1, links.length - 1) : Math.max(at - 1, 0);
      links[to]?.focus();
      event.preventDefault();
    };
    window.addEventListener('keydown', move);
    return () => {
      window.removeEventListener('keydown', move);
    };
  }, [body]);
}

function Row({ one, nowMs }: { readonly one: QueuedRecovery; readonly nowMs: number }) {
  const { queue: text } = words;
  const to = recoveryAddress(one.recoveryId);
  return (
    <tr
      data-overdue={one.isOverdue}
      onClick={() => {
        goTo(to);
      }}
    >
      <td>
        <a
          className="row-link"
          href={to}
          title={one.recoveryId}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) {
              event.stopPropagation();
              return;
            }
            event.preventDefault();
          }}
        >
          <code>{`cer_…${one.recoveryId.slice(-8)}`}</code>
        </a>
      </td>
      <td>{words.states[one.state]}</td>
      <td>
        <Clock one={one} nowMs={nowMs} />
      </td>
      <td>
        {words.reportWords[one.report]}{' '}
        {one.risk === 'high' && <Tag tone="danger">{words.risks['high']}</Tag>}
      </td>
      <td className="number">
        {one.people.needed === 0
          ? text.noPeople
          : text.people(one.people.approved, one.people.needed)}
      </td>
      <td>
        {one.isMine ? (
          <strong>{text.you}</strong>
        ) : (
          (one.claimedBy?.name ?? <span className="quiet">{text.nobody}</span>)
        )}
      </td>
    </tr>
  );
}

function Pages({ search, next, onChange }: Filtered & { readonly next: string | null }) {
  const { queue: text } = words;
  const turn = (cursor: string | null) => () => {
    const to = new URLSearchParams(search);
    if (cursor === null) to.delete('cursor');
    else to.set('cursor', cursor);
    onChange(to);
  };
  if (next === null && !search.has('cursor')) return null;
  return (
    <div className="pages">
      {search.has('cursor') && (
        <Button size="dense" onPress={turn(null)}>
          {text.first}
        </Button>
      )}
      {next !== null && (
        <Button size="dense" onPress={turn(next)}>
          {text.more}
        </Button>
      )}
    </div>
  );
}
