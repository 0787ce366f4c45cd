/** The trail for auditors: what is looked for stands in the address, each look is one question, and nothing here changes anything. */
import { useCallback, useEffect, useState } from 'react';
import { Banner, Button } from '../../parts/parts.tsx';
import { useSearch } from '../address.ts';
import { consoleTexts as words } from '../console-texts.ts';
import { Told } from '../page-parts.tsx';
import type { PageProps } from '../page-parts.tsx';
import type { AuditEntry, StaffApi } from '../staff-api.ts';
import { useTold } from '../use-told.ts';
import { AuditFilters, typedOf } from './audit-filters.tsx';
import { AuditTable } from './audit-table.tsx';
import { readingTexts } from './reading-texts.ts';

const FILTERS = ['customerId', 'ceremonyId', 'staffId', 'action', 'from', 'to'];
const NOT_OF_ITS_FORM = 'invalid_request';

export function AuditPage(page: PageProps) {
  const { audit: text } = readingTexts;
  if (page.me.roles.includes('auditor')) return <Audit {...page} />;
  return (
    <section className="card" aria-labelledby="audit">
      <h1 id="audit">{text.title}</h1>
      <p className="closed">{text.forbidden}</p>
    </section>
  );
}

function Audit({ api, onLost }: PageProps) {
  const { audit: text } = readingTexts;
  const [search, setSearch] = useSearch();
  // Anything else in the address is nobody's.
  for (const name of Array.from(search.keys()))
    if (!FILTERS.includes(name) && name !== 'cursor') search.delete(name);
  const asked = search.toString();
  const shown = useTold(useCallback(() => api.audit(new URLSearchParams(asked)), [api, asked]));
  const { trouble } = shown;
  const isLost = trouble?.kind === 'logged-out';
  useEffect(() => {
    if (isLost) onLost();
  }, [isLost, onLost]);
  const isMistaken = trouble?.kind === 'refused' && trouble.code === NOT_OF_ITS_FORM;
  const [typed, setTyped] = useState(() => typedOf(search));
  const look = (next: URLSearchParams) => {
    setTyped(typedOf(next));
    // The same question once more is a question.
    if (next.toString() === asked) shown.refresh();
    else setSearch(next);
  };
  const narrow = (name: string, value: string) => {
    const next = new URLSearchParams(search);
    next.delete('cursor');
    next.set(name, value);
    look(next);
  };
  return (
    <section className="card audit" aria-labelledby="audit">
      <h1 id="audit">{text.title}</h1>
      <p className="quiet">{text.text}</p>
      <AuditFilters
        typed={typed}
        trouble={isMistaken ? text.notOfItsForm : undefined}
        onType={setTyped}
        onSearch={look}
      />
      {!isMistaken && (
        <Told shown={shown} forbidden={text.forbidden}>
          {({ entries, next }) => (
            <>
              <Found entries={entries} onNarrow={narrow} />
              <Pages search={search} next={next} onChange={setSearch} />
              <AuditFile api={api} search={search} onLost={onLost} />
            </>
          )}
        </Told>
      )}
    </section>
  );
}

function Found({
  entries,
  onNarrow,
}: {
  readonly entries: readonly AuditEntry[];
  readonly onNarrow: (name: string, value: string) => void;
}) {
  if (entries.length === 0) return <p className="nothing">{readingTexts.audit.nothing}</p>;
  return <AuditTable entries={entries} onNarrow={onNarrow} />;
}

function Pages({
  search,
  next,
  onChange,
}: {
  readonly search: URLSearchParams;
  readonly next: string | null;
  readonly onChange: (search: URLSearchParams) => void;
}) {
  const { audit: text } = readingTexts;
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

/** What was searched for, as a file: asked for by the page, so that a refusal is told here and no broken file is saved. */
function AuditFile({
  api,
  search,
  onLost,
}: {
  readonly api: StaffApi;
  readonly search: URLSearchParams;
  readonly onLost: () => void;
}) {
  const { file: text } = readingTexts.audit;
  const [isBusy, setIsBusy] = useState(false);
  const [said, setSaid] = useState<{ readonly tone: 'good' | 'wait'; readonly text: string }>();
  const take = async () => {
    setIsBusy(true);
    setSaid(undefined);
    const filters = new URLSearchParams(search);
    filters.delete('cursor');
    const told = await api.auditFile(filters);
    setIsBusy(false);
    if (told.kind === 'logged-out') onLost();
    else if (told.kind === 'answered') {
      save(told.value);
      const { isComplete, entries } = told.value;
      const say = isComplete ? text.complete : text.cut;
      setSaid({ tone: isComplete ? 'good' : 'wait', text: say(entries.length) });
    } else
      setSaid({
        tone: 'wait',
        text:
          told.kind === 'silent'
            ? words.silent.text
            : told.code === 'vendor_unavailable'
              ? text.unavailable
              : (words.refusals[told.code] ?? told.title),
      });
  };
  return (
    <section className="audit-file" aria-labelledby="audit-file">
      <h2 id="audit-file">{text.title}</h2>
      <p className="quiet">{text.text}</p>
      <Button size="dense" isBusy={isBusy} onPress={() => void take()}>
        {text.act}
      </Button>
      {said !== undefined && <Banner tone={said.tone}>{said.text}</Banner>}
    </section>
  );
}

/** Its signature is over the canonical form (RFC 8785), whatever the spaces between. */
function save(file: unknown): void {
  const address = URL.createObjectURL(
    new Blob([`${JSON.stringify(file, null, 2)}\n`], { type: 'application/json' }),
  );
  const link = document.createElement('a');
  link.href = address;
  link.download = 'audit.json';
  link.click();
  URL.revokeObjectURL(address);
}
