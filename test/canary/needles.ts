/**
 * The forms in which a secret may leak: as it is, in other spellings, escaped, encoded, cut out of a longer encoded text. A canary becomes
 * needles here; test/canary/search.ts looks for them. A form that is missing here is a leak that nobody finds.
 */

/** What must not be found where it does not belong (test/canary/allowed.ts). */
export type CanaryKind =
  | 'phone'
  | 'email'
  | 'name'
  | 'birth date'
  | 'document number'
  | 'one-time code'
  | 'typed code'
  | 'access token'
  | 'refresh token'
  | 'id token'
  | 'proof'
  | 'client assertion'
  | 'staff cookie'
  | 'authorization code'
  | 'push token'
  | 'staff secret'
  | 'key'
  | 'supplier secret'
  | 'database password';

export interface Canary {
  readonly kind: CanaryKind;
  readonly value: string | Uint8Array;
}

export interface Needle {
  readonly kind: CanaryKind;
  readonly encoding: string;
  readonly bytes: Buffer;
  /** Found only where no letter and no digit stands beside it. */
  readonly isBounded: boolean;
  /** Digits that are also looked for with separators between them. */
  readonly isDigits: boolean;
}

/** Named in tokens, and no secret. */
const ID = /^[a-z]{2,4}_[0-9a-f]{32}$/;

/** Below this a needle is found by chance. */
const SHORTEST = 6;
/** Of a token: a cut one is a leak as well, and one piece of each end finds both. */
const PIECE = 24;

const PERSONAL: ReadonlySet<CanaryKind> = new Set(['name', 'email', 'document number']);

/** Every form of a canary. @throws TypeError for one too short to be told from chance. */
export function needlesOf({ kind, value }: Canary): Needle[] {
  const needles =
    typeof value === 'string' ? textNeedles(kind, value) : bytesNeedles(kind, Buffer.from(value));
  const seen = new Set<string>();
  return needles.filter(({ bytes }) => {
    if (bytes.length < SHORTEST) return false;
    const key = bytes.toString('latin1');
    return !seen.has(key) && seen.add(key);
  });
}

function textNeedles(kind: CanaryKind, value: string): Needle[] {
  switch (kind) {
    case 'phone':
    case 'one-time code':
    case 'typed code':
      return digitNeedles(kind, value);
    case 'birth date':
      return dateNeedles(kind, value);
    case 'access token':
    case 'refresh token':
    case 'id token':
    case 'proof':
    case 'client assertion':
    case 'staff cookie':
    case 'authorization code':
      return tokenPieces(value).flatMap((piece) => encodings(kind, piece));
    case 'name':
    case 'email':
    case 'document number':
    case 'push token':
    case 'staff secret':
    case 'key':
    case 'supplier secret':
    case 'database password':
      if (value.length < SHORTEST) throw new TypeError(`${kind}: too short to be searched for`);
      return spellings(value, PERSONAL.has(kind)).flatMap((spelling) => encodings(kind, spelling));
  }
}

/** Of a phone number the last nine digits: with or without its country code, with or without a leading zero. */
function digitNeedles(kind: CanaryKind, value: string): Needle[] {
  const digits = value.replaceAll(/\D/g, '').slice(kind === 'phone' ? -9 : 0);
  if (digits.length < 9) throw new TypeError(`${kind}: too short to be searched for`);
  return encodings(kind, digits).map((needle) => ({
    ...needle,
    isDigits: needle.encoding === 'plain',
  }));
}

function dateNeedles(kind: CanaryKind, value: string): Needle[] {
  const [year = '', month = '', day = ''] = value.split('-');
  const orders = [
    [year, month, day],
    [day, month, year],
    [month, day, year],
  ];
  const written = orders.flatMap((parts) => ['-', '/', '.'].map((mark) => parts.join(mark)));
  const instant = String(Date.parse(value));
  const compact = [...orders.map((parts) => parts.join('')), instant, instant.slice(0, -3)];
  return [
    ...written.flatMap((form) => encodings(kind, form)),
    ...compact.map((form) => plainNeedle(kind, form, { isBounded: true })),
  ];
}

/** The first piece of a JWT is its header, which tells nothing and is the same in many. */
function tokenPieces(value: string): string[] {
  const parts = value.split('.');
  const secret = parts.length === 3 ? parts.slice(1) : parts;
  return secret
    .filter((part) => part.length >= 20 && !ID.test(part))
    .flatMap((part) => [part.slice(0, PIECE), part.slice(-PIECE)]);
}

function spellings(value: string, isPersonal: boolean): string[] {
  // Half of a name is a leak, too, and the ASCII half survives encodings that nobody thought of.
  const asciiRuns = isPersonal ? (personalPart(value).match(/[A-Za-z0-9]{7,}/g) ?? []) : [];
  const all = [value, value.normalize('NFD'), personalPart(value), ...asciiRuns];
  return [...new Set(all.flatMap((form) => [form, form.toLowerCase(), form.toUpperCase()]))].filter(
    (form) => form.length >= SHORTEST,
  );
}

/** Of an address what stands before the @: its domain is everybody's. */
const personalPart = (value: string): string => value.split('@')[0] ?? value;

function encodings(kind: CanaryKind, text: string): Needle[] {
  const utf8 = Buffer.from(text, 'utf8');
  const json = JSON.stringify(text).slice(1, -1);
  const percent = encodeURIComponent(text);
  const plain = (encoding: string, form: string | Buffer): Needle => ({
    ...plainNeedle(kind, form),
    encoding,
  });
  return [
    plain('plain', utf8),
    plain('latin1', Buffer.from(text, 'latin1')),
    plain('utf16', Buffer.from(text, 'utf16le')),
    plain('JSON', json),
    plain('JSON twice', JSON.stringify(json).slice(1, -1)),
    plain('JSON in ASCII', escaped(text, /[^\x20-\x7e]/g)),
    plain(
      'JSON in ASCII, upper case',
      escaped(text, /[^\x20-\x7e]/g).replaceAll(/\\u..../g, upper),
    ),
    plain('JSON, marks escaped', escaped(text, /[^A-Za-z0-9]/g)),
    plain('percent', percent),
    plain(
      'percent, lower case',
      percent.replaceAll(/%../g, (part) => part.toLowerCase()),
    ),
    plain('form', new URLSearchParams({ v: text }).toString().slice(2)),
    plain('quoted-printable', percent.replaceAll('%', '=')),
    ...binaryEncodings(kind, utf8),
  ];
}

const upper = (part: string): string => `\\u${part.slice(2).toUpperCase()}`;

function escaped(text: string, which: RegExp): string {
  return text.replaceAll(
    which,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function bytesNeedles(kind: CanaryKind, value: Buffer): Needle[] {
  if (value.length < 16) throw new TypeError(`${kind}: too short to be searched for`);
  return [plainNeedle(kind, value), ...binaryEncodings(kind, value)];
}

function binaryEncodings(kind: CanaryKind, value: Buffer): Needle[] {
  const hex = value.toString('hex');
  // What JSON and inspect make of bytes; the first ones tell enough.
  const numbers = [...value.subarray(0, 12)].map(String);
  const encoded = [
    ['hex', hex],
    ['hex, upper case', hex.toUpperCase()],
    ['numbers', numbers.join(',')],
    ['numbers, spaced', numbers.join(', ')],
    ['members', numbers.map((number, index) => `"${String(index)}":${number}`).join(',')],
    ...base64Forms(value),
  ] as const;
  return encoded.map(([encoding, form]) => ({ ...plainNeedle(kind, form), encoding }));
}

/** As the value looks inside the Base64 of a longer text: at three offsets, without the letters that its neighbours change. */
function base64Forms(value: Buffer): (readonly [string, string])[] {
  return [0, 1, 2].flatMap((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), value]).toString('base64url');
    const form = whole.slice(
      Math.ceil((offset * 8) / 6),
      Math.floor(((offset + value.length) * 8) / 6),
    );
    const standard = form.replaceAll('-', '+').replaceAll('_', '/');
    return [
      [`base64url at ${String(offset)}`, form],
      [`base64 at ${String(offset)}`, standard],
    ] as const;
  });
}

function plainNeedle(
  kind: CanaryKind,
  form: string | Buffer,
  { isBounded = false }: { readonly isBounded?: boolean } = {},
): Needle {
  const bytes = typeof form === 'string' ? Buffer.from(form, 'utf8') : form;
  return { kind, encoding: 'plain', bytes, isBounded, isDigits: false };
}
