/**
 * The verifier of receipts: a genuine one passes; whatever is changed, taken out or added is refused; each check refuses by itself even what the
 * bank's own key signed; nothing that a stranger can put into a file makes it throw or hang.
 */
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Receipt, ReceiptClaims } from '../../domain/receipt.ts';
import { withoutPersonalText } from '../../sdk/receipt/copy.ts';
import { verifyReceipt } from '../../sdk/receipt/receipt.ts';
import { statementOf } from '../../sdk/receipt/statement.ts';
import type { Verification } from '../../sdk/receipt/types.ts';
import { bankSigner, keyList, makeReceipt, strangeSigner } from '../setup/receipt.ts';
import type { ReceiptChanges } from '../setup/receipt.ts';

let keys: string;
let receipt: Receipt;
beforeAll(async () => {
  keys = await keyList();
  receipt = await makeReceipt({ withCode: true });
});

const verify = (file: unknown): Promise<Verification> =>
  verifyReceipt(typeof file === 'string' ? file : JSON.stringify(file), { keys });
const failuresOf = ({ checks }: Verification): string[] =>
  checks.filter(({ result }) => result === 'failed').map(({ id }) => id);

describe('a genuine receipt', () => {
  test.each([false, true])('passes every check (with a second factor: %s)', async (withCode) => {
    const verification = await verify(await makeReceipt({ withCode }));
    expect(failuresOf(verification)).toEqual([]);
    expect(verification.verdict).toBe('genuine');
    expect(verification.checks.every(({ result }) => result === 'passed')).toBe(true);
    expect(verification.checks.every(({ says, question }) => says !== '' && question !== '')).toBe(
      true,
    );
  });

  test('stays one whatever has become of the template by which its text was written', async () => {
    const display = { locale: 'en', template: 'payment' };
    const first = { ...display, version: 1, text: 'Pay 40000.00 NZD to Mere\nTo: Mere' };
    const second = { ...display, version: 2, text: 'Pay 40,000.00 NZD to Mere\nTo: Mere' };
    for (const sent of [first, second]) {
      const old = await makeReceipt({ preimage: { display: sent } });
      const { verdict, receipt: read } = await verify(old);
      expect(verdict).toBe('genuine');
      expect(statementOf(read ?? never())[0]?.[1]).toBe(sent.text);
    }
  });

  test('may be written with other spaces and in another order of members', async () => {
    const turned = Object.fromEntries(Object.entries(receipt).toReversed());
    expect((await verify(JSON.stringify(turned, null, 4))).verdict).toBe('genuine');
  });

  test('is confirmed by nobody without the bank’s keys', async () => {
    expect((await verifyReceipt(JSON.stringify(receipt))).verdict).toBe('unconfirmed');
    const forged = await makeReceipt({ signer: strangeSigner });
    expect((await verifyReceipt(JSON.stringify(forged))).verdict).toBe('unconfirmed');
    expect(failuresOf(await verify(forged))).toEqual(['bank_key']);
  });

  test('says what it proves in words', async () => {
    const lines = statementOf((await verify(receipt)).receipt ?? never());
    expect(lines[0]?.[1]).toContain('Pay 400.00 NZD to Mere Kahu');
    expect(lines.map(([label]) => label)).toContain('Second channel');
  });

  test('passes without its personal text, and says that it was taken out', async () => {
    const bare = await verify(withoutPersonalText(receipt));
    expect(bare.verdict).toBe('withheld');
    expect(JSON.stringify(bare)).not.toContain('Mere Kahu');
    const some = await verify(withoutPersonalText(receipt, ['action.amount', 'action.currency']));
    expect(some.verdict).toBe('withheld');
    expect(statementOf(some.receipt ?? never())).toContainEqual(['amount', '400.00']);
    expect(JSON.stringify(some)).not.toContain('Mere Kahu');
  });
});

type Path = readonly string[];

/** Every member, however deep, the objects too. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [
    [...path, name],
    ...pathsOf(member, [...path, name]),
  ]);
}

/** A copy in which the member at the path is what `change` makes of it; undefined takes it out. */
function changed(path: Path, change: (value: unknown) => unknown): unknown {
  const copy: unknown = structuredClone(receipt);
  const parent = path
    .slice(0, -1)
    .reduce((value, name) => (value as Record<string, unknown>)[name], copy);
  const [name = ''] = path.slice(-1);
  const members = parent as Record<string, unknown>;
  const value = change(members[name]);
  if (value === undefined) delete members[name];
  else members[name] = value;
  return copy;
}

/** Other values of the same kind, as near as can be. */
function neighboursOf(value: unknown): unknown[] {
  if (typeof value === 'string') {
    const middle = Math.floor(value.length / 2);
    const flip = (at: number) =>
      `${value.slice(0, at)}${value[at] === 'A' ? 'B' : 'A'}${value.slice(at + 1)}`;
    return [
      `${value} `,
      `${value},`,
      value.slice(0, -1),
      flip(0),
      flip(middle),
      flip(value.length - 1),
      '',
    ];
  }
  if (typeof value === 'number') return [value + 1, value - 1, String(value), null];
  if (typeof value === 'boolean') return [!value, null, Number(value)];
  if (value === null) return ['', false, {}];
  return [null, [], { ...value, added: 1 }, JSON.stringify(value)];
}

describe('a changed comma', () => {
  test('fails: every member, changed in turn to its neighbours', async () => {
    const paths = pathsOf(receipt);
    expect(paths.length).toBeGreaterThan(90);
    let tried = 0;
    for (const path of paths) {
      const original = path.reduce<unknown>(
        (value, name) => (value as Record<string, unknown>)[name],
        receipt,
      );
      for (const neighbour of neighboursOf(original)) {
        if (neighbour === original) continue;
        const { verdict } = await verify(changed(path, () => neighbour));
        expect.soft(verdict, `${path.join('.')} = ${JSON.stringify(neighbour)}`).toBe('refused');
        tried += 1;
      }
    }
    expect(tried).toBeGreaterThan(400);
  });

  test('fails: every member, taken out in turn; only a whole piece of personal text may be missing', async () => {
    for (const path of pathsOf(receipt)) {
      const { verdict } = await verify(changed(path, () => undefined));
      const isPiece = path[0] === 'disclosures' && path.length === 2;
      expect.soft(verdict, path.join('.')).toBe(isPiece ? 'withheld' : 'refused');
    }
  });

  test('fails: a member added to every object in turn', async () => {
    const objects = [[], ...pathsOf(receipt)].filter(
      (path) =>
        typeof path.reduce<unknown>(
          (value, name) => (value as Record<string, unknown>)[name],
          receipt,
        ) === 'object',
    );
    for (const path of objects) {
      const added = changed([...path, 'extra'], () => 1);
      expect.soft((await verify(added)).verdict, path.join('.')).toBe('refused');
    }
  });

  test('fails: every character of the file that is not between its members, taken out in turn', async () => {
    const text = JSON.stringify(receipt);
    // Every seventh, so that each run stays short; the place of the first moves with the text's length.
    for (let at = text.length % 7; at < text.length; at += 7) {
      const { verdict } = await verify(text.slice(0, at) + text.slice(at + 1));
      expect.soft(verdict, String(at)).toBe('refused');
    }
  });

  test('fails: a member that is there twice, the second as a reader would not see it', async () => {
    const text = JSON.stringify(receipt);
    for (const twin of ['"status":"approved"', '"st\\u0061tus":"denied"']) {
      const { verdict, checks } = await verify(`{${twin},${text.slice(1)}`);
      expect(verdict).toBe('refused');
      expect(checks[0]?.says).toContain('twice');
    }
  });

  test('fails: the other spelling of the bank’s signature', async () => {
    const [header, payload, signature = ''] = receipt.signature.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const s = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
    bytes.set(Buffer.from(s.toString(16).padStart(64, '0'), 'hex'), 32);
    const twin = [header, payload, bytes.toString('base64url')].join('.');
    expect(failuresOf(await verify({ ...receipt, signature: twin }))).toEqual(['bank_signature']);
  });
});

const strangersKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const lies: readonly [string, ReceiptChanges, string][] = [
  ['a passkey’s signature by another key', { spoil: { wrongKey: true } }, 'passkey_signature'],
  [
    'a passkey’s signature over another challenge',
    { spoil: { challenge: 'A'.repeat(43) } },
    'passkey_challenge',
  ],
  [
    'a registration in place of a signature',
    { spoil: { type: 'webauthn.create' } },
    'passkey_challenge',
  ],
  ['another origin', { spoil: { origin: 'https://bank.example.evil' } }, 'passkey_origin'],
  ['an origin without TLS', { spoil: { origin: 'http://bank.example' } }, 'passkey_origin'],
  ['a frame in another page', { spoil: { clientData: { crossOrigin: true } } }, 'passkey_origin'],
  [
    'a page around it',
    { spoil: { clientData: { topOrigin: 'https://evil.example' } } },
    'passkey_origin',
  ],
  ['another bank’s passkey', { spoil: { rpId: 'evil.example' } }, 'passkey_origin'],
  ['nobody there', { spoil: { userPresent: false } }, 'passkey_user'],
  ['nobody recognised', { spoil: { userVerified: false } }, 'passkey_user'],
  [
    'another counter than was signed',
    { claims: (c) => ({ ...c, passkey: { ...c.passkey, signCount: 7 } }) },
    'passkey_user',
  ],
  [
    'a passkey said to be synced',
    { claims: (c) => ({ ...c, passkey: { ...c.passkey, backupEligible: true } }) },
    'passkey_user',
  ],
  ['an approval by another key', { approval: { key: strangersKey } }, 'approval_key'],
  ['an approval of another request', { approval: { challenge: 'A'.repeat(43) } }, 'approval_key'],
  [
    'a proof of the approval key from enrollment',
    { approval: { typ: 'latchkey-approval-key+jwt' } },
    'approval_key',
  ],
  [
    'another challenge than the text gives',
    { claims: (c) => ({ ...c, challenge: 'A'.repeat(43) }) },
    'challenge',
  ],
  ['a text that is not canonical', { rewritten: (text) => text.replace(',', ', ') }, 'agreement'],
  [
    'a text with another algorithm',
    { rewritten: (text) => text.replace('SHA-256', 'SHA-1') },
    'agreement',
  ],
  ['a text of another tenant', { preimage: { tenant: 'ten_2' } }, 'agreement'],
  [
    'a text of another relying party',
    {
      preimage: { rpId: 'app.bank.example' },
      claims: (c) => ({ ...c, passkey: { ...c.passkey, rpId: 'bank.example' } }),
    },
    'agreement',
  ],
  ['a text of another step-up', { preimage: { stepUpId: 'cer_2' } }, 'agreement'],
  ['a text of another customer', { preimage: { customer: 'cus_2' } }, 'agreement'],
  ['a text under another policy', { preimage: { policy: '1' } }, 'agreement'],
  ['a text under another epoch', { preimage: { epoch: 3 } }, 'agreement'],
  ['a text with another end', { preimage: { exp: 1 } }, 'agreement'],
  ['a text that was sent before it was asked for', { preimage: { iat: 1 } }, 'agreement'],
  ['another action type', { claims: (c) => ({ ...c, actionType: 'log_in' }) }, 'agreement'],
  [
    'another context',
    { claims: (c) => ({ ...c, context: { ...c.context, onCall: true } }) },
    'agreement',
  ],
  [
    'another requester',
    { claims: (c) => ({ ...c, requester: { ...c.requester, id: 'cards' } }) },
    'agreement',
  ],
  ['a strength without its factor', { claims: (c) => ({ ...c, acr: 'latchkey:4' }) }, 'strength'],
  [
    'a factor without its audit row',
    { withCode: true, claims: (c) => ({ ...c, audit: { ...c.audit, code: null } }) },
    'strength',
  ],
  ['an approval before the request', times({ requestedAt: '2027-03-01T10:01:00.000Z' }), 'times'],
  ['an approval too late', times({ approveBy: '2027-03-01T10:00:10.000Z' }), 'times'],
  [
    'an approval apart from its last factor',
    times({ approvedAt: '2027-03-01T10:00:20.124Z' }),
    'times',
  ],
  ['a delay that was not kept', { claims: (c) => ({ ...c, delaySeconds: 60 }) }, 'times'],
  ['no time to use it', times({ consumeBy: '2027-03-01T10:00:00.000Z' }), 'times'],
  [
    'a device from the future',
    { claims: (c) => ({ ...c, device: { ...c.device, addedAt: '2028-01-01T00:00:00.000Z' } }) },
    'times',
  ],
  ['a signature made for another purpose', { typ: 'at+jwt' }, 'bank_signature'],
];

function times(changes: Partial<ReceiptClaims['times']>): ReceiptChanges {
  return { claims: (claims) => ({ ...claims, times: { ...claims.times, ...changes } }) };
}

describe('what even the bank cannot make true by signing it', () => {
  test.each(lies)('is refused: %s', async (_name, changes, check) => {
    const verification = await verify(await makeReceipt(changes));
    expect(failuresOf(verification)).toContain(check);
    expect(verification.verdict).toBe('refused');
    expect(verification).not.toHaveProperty('receipt');
  });
});

describe('the bank’s keys', () => {
  const against = (list: string) => verifyReceipt(JSON.stringify(receipt), { keys: list });
  test('count within their time alone', async () => {
    const sealedAt = receipt.times.sealedAt;
    const later = new Date(Date.parse(sealedAt) + 1).toISOString();
    expect((await against(await keyList({ validFrom: sealedAt }))).verdict).toBe('genuine');
    expect(failuresOf(await against(await keyList({ validFrom: later })))).toEqual(['bank_key']);
    expect((await against(await keyList({ validUntil: later }))).verdict).toBe('genuine');
    expect(failuresOf(await against(await keyList({ validUntil: sealedAt })))).toEqual([
      'bank_key',
    ]);
  });

  test('are those of the issuer that the receipt names, and really keys', async () => {
    const other = await keyList({ issuer: 'https://other.example' });
    expect(failuresOf(await against(other))).toEqual(['bank_key']);
    expect(failuresOf(await against(await keyList({ signer: strangeSigner })))).toEqual([
      'bank_key',
    ]);
    for (const wrong of ['', '{}', '[]', '{"issuer":"x","keys":[1]}'])
      expect(failuresOf(await against(wrong))).toEqual(['bank_key']);
  });

  test('are not exchanged under an old name', async () => {
    const [key] = await bankSigner.publicKeys('receipt');
    const [stranger] = await strangeSigner.publicKeys('receipt');
    const list = (await keyList()).replace(key.publicJwk.x, stranger.publicJwk.x);
    expect(failuresOf(await against(list))).toEqual(['bank_key']);
  });
});

describe('a hostile file', () => {
  test('neither hangs nor crashes the verifier: anything at all', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string(), fc.json(), fc.string({ unit: 'binary' })),
        async (text) => {
          expect((await verify(text)).verdict).toBe('refused');
        },
      ),
      { numRuns: 300 },
    );
  });

  test('neither hangs nor crashes the verifier: any JSON in place of any member', async () => {
    const paths = pathsOf(receipt);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.jsonValue(), async (path, value) => {
        const isWhole = path.length === 1 && path[0] === 'disclosures';
        const file = changed(path, () => value);
        fc.pre(JSON.stringify(file) !== JSON.stringify(receipt));
        const { verdict } = await verify(file);
        const isBare = isWhole && JSON.stringify(value) === '{}';
        expect(verdict).toBe(isBare ? 'withheld' : 'refused');
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['a million brackets', '['.repeat(1_000_000)],
    ['brackets below the limit of size', '['.repeat(200_000)],
    ['objects in objects', '{"a":'.repeat(30_000)],
    ['a string that never ends', `"${'\\'.repeat(200_000)}`],
    [
      'a hundred thousand members',
      `{${Array.from({ length: 20_000 }, (_, index) => `"${String(index)}":1`).join(',')}}`,
    ],
    ['a number without an end', `{"version":${'9'.repeat(200_000)}}`],
    ['a prototype', '{"__proto__":{"type":"latchkey-receipt"}}'],
    ['nothing', ''],
    ['a byte order mark', '\u{feff}{}'],
  ])('is refused soon: %s', async (_name, text) => {
    const startedMs = performance.now();
    expect((await verify(text)).verdict).toBe('refused');
    expect(performance.now() - startedMs).toBeLessThan(2000);
  });

  test('is refused soon when it is deep or large inside the right form', async () => {
    const deep = JSON.stringify(receipt).replace(
      '"value":"400.00"',
      `"value":${'['.repeat(5000)}${']'.repeat(5000)}`,
    );
    const wide = {
      ...receipt,
      passkey: { ...receipt.passkey, clientDataJSON: 'A'.repeat(200_000) },
    };
    const many = {
      ...receipt,
      disclosures: Object.fromEntries(
        Array.from({ length: 5000 }, (_, index) => [
          `x${String(index)}`,
          { salt: 'A'.repeat(22), value: 1 },
        ]),
      ),
    };
    for (const file of [deep, wide, many]) expect((await verify(file)).verdict).toBe('refused');
  });
});

function never(): never {
  throw new Error('a genuine receipt is given back');
}
