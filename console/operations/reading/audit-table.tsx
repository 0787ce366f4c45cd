/** The lines of the trail. An id is a way to everything else that has to do with it. */
import { dateOf, exactTimeOf, fullTimeOf } from '../../parts/time.ts';
import type { AuditEntry } from '../staff-api.ts';
import { readingTexts } from './reading-texts.ts';

/** Of what kind an id must be to be searched for. */
const FILTER_OF: Readonly<Record<string, string>> = {
  cus: 'customerId',
  cer: 'ceremonyId',
  stf: 'staffId',
};

export interface AuditTableProps {
  readonly entries: readonly AuditEntry[];
  readonly onNarrow: (name: string, value: string) => void;
}

export function AuditTable({ entries, onNarrow }: AuditTableProps) {
  const { audit: text } = readingTexts;
  return (
    <div className="table" role="region" aria-labelledby="audit" tabIndex={0}>
      <table className="audit-table">
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
          {entries.map((entry) => (
            <Row key={entry.position} entry={entry} onNarrow={onNarrow} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({
  entry: { at, action, actor, subject, customerId, ceremonyId, detail },
  onNarrow,
}: Pick<AuditTableProps, 'onNarrow'> & { readonly entry: AuditEntry }) {
  const others = [customerId, ceremonyId].filter((id) => id !== null && id !== subject.id);
  return (
    <tr>
      <td className="number">
        <time dateTime={at} title={fullTimeOf(at)}>
          {exactTimeOf(at)}
          <small>{dateOf(at)}</small>
        </time>
      </td>
      <td>
        <button
          type="button"
          className="narrow"
          title={readingTexts.audit.only(action)}
          onClick={() => {
            onNarrow('action', action);
          }}
        >
          <code>{action}</code>
        </button>
      </td>
      <td>
        {actor.kind} <Id id={actor.id} onNarrow={onNarrow} />
      </td>
      <td>
        {subject.kind} <Id id={subject.id} onNarrow={onNarrow} />
        {others.map((id) => (
          <small key={id}>
            <Id id={id ?? ''} onNarrow={onNarrow} />
          </small>
        ))}
      </td>
      <td className="audit-detail">
        {Object.entries(detail).map(
          ([name, value]) =>
            value !== null && (
              <span key={name}>
                <span className="quiet">{name}</span> {String(value)}
              </span>
            ),
        )}
      </td>
    </tr>
  );
}

function Id({ id, onNarrow }: Pick<AuditTableProps, 'onNarrow'> & { readonly id: string }) {
  const [kind = '', rest = ''] = id.split('_');
  const name = FILTER_OF[kind];
  const short = rest.length > 8 ? `${kind}_…${rest.slice(-8)}` : id;
  if (name === undefined) return <code title={id}>{short}</code>;
  return (
    <button
      type="button"
      className="narrow"
      title={readingTexts.audit.only(id)}
      onClick={() => {
        onNarrow(name, id);
      }}
    >
      <code>{short}</code>
    </button>
  );
}
