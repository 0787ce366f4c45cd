/** The filters of the queue: they stand in the address, so that they stay and can be sent to a colleague. */
import { recoveryTexts as words } from './recovery-texts.ts';

export interface Filtered {
  readonly search: URLSearchParams;
  readonly onChange: (next: URLSearchParams) => void;
}

/** As buttons that say whether they are on. */
export function Filters({ search, onChange }: Filtered) {
  const { queue: text } = words;
  const set = (name: string, value: string) => () => {
    const next = new URLSearchParams(search);
    next.delete('cursor');
    if (next.get(name) === value) next.delete(name);
    else next.set(name, value);
    onChange(next);
  };
  const toggle = (name: string, value: string, label: string) => (
    <button
      key={`${name}${value}`}
      type="button"
      className="filter"
      aria-pressed={search.get(name) === value}
      onClick={set(name, value)}
    >
      {label}
    </button>
  );
  return (
    <div className="filters" role="group" aria-label={text.filters}>
      <button
        type="button"
        className="filter"
        aria-pressed={search.size === 0}
        onClick={() => {
          onChange(new URLSearchParams());
        }}
      >
        {text.all}
      </button>
      {text.narrow.map(([name, label]) => toggle(name, 'yes', label))}
      {text.byState.map(([state, label]) => toggle('state', state, label))}
    </div>
  );
}
