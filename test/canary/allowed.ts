/**
 * The one table of what may stand where: everything else that the search finds is a leak. A row that nothing uses any more is refused, too:
 * it would hide the next leak.
 */
import type { CanaryKind } from './needles.ts';
import type { Finding, Sink } from './search.ts';

interface Allowed {
  readonly kinds: readonly CanaryKind[];
  readonly sink: Sink;
  /** Of the place in the sink; every place when left out. */
  readonly where?: RegExp;
  readonly why: string;
}

export const ALLOWED: readonly Allowed[] = [
  {
    kinds: ['one-time code', 'typed code'],
    sink: 'message',
    why: 'the message to the customer is what the code is for',
  },
  {
    kinds: ['refresh token', 'id token'],
    sink: 'body',
    where: /^POST \/(auth\/login|oauth\/token) 200$/,
    why: 'a grant answers the tokens that it made, in its body alone',
  },
  {
    kinds: ['access token'],
    sink: 'body',
    where: /^POST \/(auth\/login|oauth\/token) 200$/,
    why: 'as above; machines get one, too',
  },
  {
    kinds: ['name'],
    sink: 'body',
    where: /^GET \/auth\/me 200$/,
    why: 'the customer reads his own first name on a trusted device',
  },
  {
    kinds: ['email'],
    sink: 'body',
    where: /^POST \/auth\/enrollments\/\{id\}\/passkey-options 200$/,
    why: 'his passkey bears the address that he has just proved, so that he finds it in his list',
  },
  {
    kinds: ['staff cookie'],
    sink: 'header',
    where: /^GET \/staff\/(login 302|callback 303)$/,
    why: 'a cookie is set in the answer to the login that it is for',
  },
  {
    kinds: ['authorization code'],
    sink: 'URL',
    where: /^GET \/staff\/callback 303$/,
    why: 'OpenID Connect brings the code back in the address; it is spent there and worth nothing without its verifier',
  },
];

export interface Judgement {
  readonly leaks: readonly Finding[];
  /** Rows of the table that allowed nothing. */
  readonly unused: readonly Allowed[];
}

export function judge(findings: readonly Finding[]): Judgement {
  const used = new Set<Allowed>();
  const leaks = findings.filter((finding) => {
    const row = ALLOWED.find((candidate) => allows(candidate, finding));
    if (row !== undefined) used.add(row);
    return row === undefined;
  });
  return { leaks, unused: ALLOWED.filter((row) => !used.has(row)) };
}

function allows({ kinds, sink, where }: Allowed, finding: Finding): boolean {
  const isPlace = where === undefined || where.test(finding.where);
  return isPlace && sink === finding.sink && kinds.includes(finding.kind);
}
