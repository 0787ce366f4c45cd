/** What an auditor looks for: ids in full, a kind of entry and a time, as the machine at hand tells it. */
import type { FormEvent } from 'react';
import { Banner, Button, Field } from '../../parts/parts.tsx';
import { readingTexts } from './reading-texts.ts';

const NAMES = ['customerId', 'ceremonyId', 'staffId', 'action'] as const;
const TIMES = ['from', 'to'] as const;
type Name = (typeof NAMES)[number] | (typeof TIMES)[number];

export type Typed = Readonly<Record<Name, string>>;

export function AuditFilters({
  typed,
  trouble,
  onType,
  onSearch,
}: {
  readonly typed: Typed;
  readonly trouble: string | undefined;
  readonly onType: (typed: Typed) => void;
  readonly onSearch: (search: URLSearchParams) => void;
}) {
  const { audit: text } = readingTexts;
  const type = (name: Name) => (value: string) => {
    onType({ ...typed, [name]: value });
  };
  const send = (event: FormEvent) => {
    event.preventDefault();
    onSearch(searchOf(typed));
  };
  return (
    <form className="audit-filters" onSubmit={send}>
      {NAMES.map((name) => (
        <Field
          key={name}
          label={text.fields[name].label}
          placeholder={text.fields[name].as}
          autoComplete="off"
          spellCheck="false"
          value={typed[name]}
          onChange={type(name)}
        />
      ))}
      {TIMES.map((name) => (
        <Field
          key={name}
          label={text[name]}
          type="datetime-local"
          value={typed[name]}
          onChange={type(name)}
        />
      ))}
      <div className="audit-acts">
        <Button kind="primary" size="dense" type="submit">
          {text.act}
        </Button>
        {Object.values(typed).some((value) => value !== '') && (
          <Button
            size="dense"
            onPress={() => {
              onSearch(new URLSearchParams());
            }}
          >
            {text.clear}
          </Button>
        )}
      </div>
      {trouble !== undefined && <Banner tone="danger">{trouble}</Banner>}
    </form>
  );
}

/** What the fields hold when one comes by an address. */
export function typedOf(search: URLSearchParams): Typed {
  const text = (name: Name) => search.get(name) ?? '';
  return {
    customerId: text('customerId'),
    ceremonyId: text('ceremonyId'),
    staffId: text('staffId'),
    action: text('action'),
    from: localTime(text('from')),
    to: localTime(text('to')),
  };
}

function searchOf(typed: Typed): URLSearchParams {
  const search = new URLSearchParams();
  for (const name of NAMES) if (typed[name].trim() !== '') search.set(name, typed[name].trim());
  for (const name of TIMES)
    if (typed[name] !== '') search.set(name, new Date(typed[name]).toISOString());
  return search;
}

/** As the field wants it: the time of this machine's zone, without naming it. */
function localTime(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return '';
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
