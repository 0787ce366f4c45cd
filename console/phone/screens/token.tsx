/** The access token: what it says, and how long it still says it. */
import { texts } from '../../texts/texts.ts';
import { countdown, useNow } from '../../parts/time.ts';
import { Button } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';

/** The claims in the order in which they are read aloud; others follow. */
const ORDER = ['sub', 'device_id', 'sid', 'acr', 'amr', 'scope', 'risk', 'epoch', 'exp', 'cnf.jkt'];

export function TokenCard() {
  const [{ busy }, model] = usePhone();
  const nowMs = useNow(500);
  const { home: words } = texts.phone;
  const session = model.session();
  if (session.status !== 'active') return null;
  const lifetimeMs = lifetimeOf(session.claims);
  const leftMs = session.expiresAtMs - nowMs;
  return (
    <section className="card" aria-label={words.token}>
      <h3>{words.token}</h3>
      <div className="row">
        <span className="row-main">
          {leftMs > 0 ? words.expiresIn : words.expired}
          <span className="countdown" role="timer">
            {countdown(leftMs)}
          </span>
        </span>
        <Button
          kind="secondary"
          icon="restart"
          isBusy={busy === 'refresh'}
          onPress={() => void model.refresh()}
        >
          {words.refresh}
        </Button>
      </div>
      <progress
        className="life"
        aria-label={words.expiresIn}
        max={lifetimeMs}
        value={Math.max(0, Math.min(leftMs, lifetimeMs))}
      />
      <details className="claims">
        <summary>{words.claims}</summary>
        <dl>
          {sorted(flat(session.claims)).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd title={shown(name, value)}>{shortened(shown(name, value))}</dd>
            </div>
          ))}
        </dl>
      </details>
    </section>
  );
}

/** `cnf: {jkt}` as `cnf.jkt`. */
function flat(claims: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { cnf, ...rest } = claims;
  const jkt: unknown = typeof cnf === 'object' && cnf !== null && 'jkt' in cnf ? cnf.jkt : cnf;
  return { ...rest, 'cnf.jkt': jkt };
}

/** Ids and digests are told apart by their ends; the whole stands in the title. */
function shortened(text: string): string {
  return text.length > 24 && !/[ /]/.test(text) ? `${text.slice(0, 8)}…${text.slice(-8)}` : text;
}

function sorted(claims: Readonly<Record<string, unknown>>): [string, unknown][] {
  const rank = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return Object.entries(claims).toSorted(([a], [b]) => rank(a) - rank(b));
}

function shown(name: string, value: unknown): string {
  if (typeof value === 'number' && ['exp', 'iat', 'nbf', 'auth_time'].includes(name))
    return new Date(value * 1_000).toLocaleTimeString('en-NZ', { hourCycle: 'h23' });
  if (Array.isArray(value)) return value.join(' ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function lifetimeOf({ exp, iat }: Readonly<Record<string, unknown>>): number {
  return typeof exp === 'number' && typeof iat === 'number' ? (exp - iat) * 1_000 : 300_000;
}
