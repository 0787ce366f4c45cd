/** The parts of the verifier for services that know nothing of a network: what it remembers, how it reads a stream, what a signature covers. */
import { describe, expect, test } from 'vitest';
import { CUT_OFFS_KEPT_SECONDS } from '../../db/cut-off-feed.ts';
import { LONGEST_ACCESS_TOKEN_SECONDS } from '../../domain/policy.ts';
import { signatureBase } from '../../sdk/message-signature.ts';
import { LONGEST_TOKEN_SECONDS } from '../../sdk/verifier/access-token.ts';
import type { TokenClaims } from '../../sdk/verifier/access-token.ts';
import { createCutOffs, REMEMBERED_SECONDS } from '../../sdk/verifier/cut-offs.ts';
import { EventStreamReader } from '../../sdk/verifier/event-stream.ts';
import { createProofMemory } from '../../sdk/verifier/proof-memory.ts';

const START_MS = Date.parse('2026-06-01T12:00:00Z');
const at = new Date(START_MS).toISOString();

const CLAIMS: TokenClaims = {
  sub: 'cus_1',
  sid: 'ses_1',
  client_id: 'app',
  device_id: 'dev_1',
  scope: 'openid',
  acr: 'latchkey:2',
  amr: ['swk'],
  auth_time: START_MS / 1_000,
  epoch: 3,
  iat: START_MS / 1_000,
  exp: START_MS / 1_000 + 300,
  cnf: { jkt: 'x' },
};

describe('what a service knows of cut-offs', () => {
  const knowing = () => {
    let nowMs = START_MS;
    const cutOffs = createCutOffs({ nowMs: () => nowMs, maxAgeMs: 10_000 });
    return { cutOffs, pass: (milliseconds: number) => (nowMs += milliseconds) };
  };

  test('is nothing before the first beat, and until ten seconds after the last', () => {
    const { cutOffs, pass } = knowing();
    expect(cutOffs.isCurrent()).toBe(false);
    cutOffs.apply([{ kind: 'session', id: 'ses_2', at }]);
    expect(cutOffs.isCurrent()).toBe(false);
    cutOffs.upToDateAt(START_MS);
    pass(10_000);
    expect(cutOffs.isCurrent()).toBe(true);
    pass(1);
    expect(cutOffs.isCurrent()).toBe(false);
  });

  test('is nothing when the clocks are apart, or the beat is no time', () => {
    const { cutOffs } = knowing();
    cutOffs.upToDateAt(START_MS + 10_001);
    expect(cutOffs.isCurrent()).toBe(false);
    cutOffs.upToDateAt(Number.NaN);
    expect(cutOffs.isCurrent()).toBe(false);
  });

  test.each([
    ['its customer at a later epoch', { kind: 'customer', id: 'cus_1', minimumEpoch: 4, at }, true],
    ['its customer at its epoch', { kind: 'customer', id: 'cus_1', minimumEpoch: 3, at }, false],
    ['another customer', { kind: 'customer', id: 'cus_2', minimumEpoch: 4, at }, false],
    ['its session', { kind: 'session', id: 'ses_1', at }, true],
    ['its signing key', { kind: 'signing_key', id: 'kid', at }, true],
    ['its device, after it', { kind: 'device', id: 'dev_1', issuedUpTo: CLAIMS.iat, at }, true],
    [
      'its device, before it',
      { kind: 'device', id: 'dev_1', issuedUpTo: CLAIMS.iat - 1, at },
      false,
    ],
    ['its client, after it', { kind: 'client', id: 'app', issuedUpTo: CLAIMS.iat, at }, true],
    ['a session named as its customer', { kind: 'session', id: 'cus_1', at }, false],
  ] as const)('says whether a token is cut off by %s', (_what, cutOff, isCutOff) => {
    const { cutOffs } = knowing();
    cutOffs.apply([cutOff]);
    expect(cutOffs.isCutOff(CLAIMS, 'kid')).toBe(isCutOff);
  });

  test('is the strictest of what was told, in whatever order', () => {
    const [loose, strict] = [3, 4].map((minimumEpoch) => ({
      kind: 'customer' as const,
      id: 'cus_1',
      minimumEpoch,
      at,
    }));
    if (loose === undefined || strict === undefined) throw new Error('there are two');
    for (const told of [
      [loose, strict],
      [strict, loose],
    ]) {
      const { cutOffs } = knowing();
      cutOffs.apply(told);
      expect(cutOffs.isCutOff(CLAIMS, 'kid')).toBe(true);
    }
  });

  test('is kept for as long as any token could live, and the feed tells it for as long', () => {
    expect(REMEMBERED_SECONDS).toBe(CUT_OFFS_KEPT_SECONDS);
    expect(LONGEST_TOKEN_SECONDS).toBe(LONGEST_ACCESS_TOKEN_SECONDS);
    const { cutOffs, pass } = knowing();
    cutOffs.apply([{ kind: 'session', id: 'ses_1', at }]);
    pass(REMEMBERED_SECONDS * 1_000 - 1);
    cutOffs.apply([]);
    expect(cutOffs.isCutOff(CLAIMS, 'kid')).toBe(true);
    pass(61_000);
    cutOffs.apply([]);
    expect(cutOffs.isCutOff(CLAIMS, 'kid')).toBe(false);
  });
});

describe('the memory of proofs', () => {
  const remembering = (maxProofs = 100) => {
    let nowMs = START_MS;
    const memory = createProofMemory({
      nowMs: () => nowMs,
      keptSeconds: 65,
      skewSeconds: 5,
      maxProofs,
    });
    return { memory, pass: (seconds: number) => (nowMs += seconds * 1_000), now: () => nowMs };
  };

  test('knows a proof for as long as it could be shown again', () => {
    const { memory, pass, now } = remembering();
    pass(64);
    const issuedAtMs = now();
    expect(memory.spend('a', issuedAtMs)).toBe('fresh');
    for (let seconds = 0; seconds < 65; seconds += 1) {
      pass(1);
      expect(memory.spend('a', issuedAtMs)).toBe('replayed');
      expect(memory.spend(`other ${String(seconds)}`, issuedAtMs)).toBe('fresh');
    }
  });

  test('trusts none that could have been shown before it began', () => {
    const { memory } = remembering();
    expect(memory.spend('a', START_MS + 4_999)).toBe('replayed');
    expect(memory.spend('a', START_MS + 5_000)).toBe('fresh');
  });

  test('is full rather than forgetful', () => {
    const { memory, pass, now } = remembering(2);
    pass(6);
    expect(memory.spend('a', now())).toBe('fresh');
    expect(memory.spend('b', now())).toBe('fresh');
    expect(memory.spend('c', now())).toBe('full');
    expect(memory.spend('a', now())).toBe('replayed');
    pass(65);
    expect(memory.spend('c', now())).toBe('fresh');
  });
});

describe('the stream of events', () => {
  test('is read in whatever pieces it comes, comments aside', () => {
    const text =
      ': open\n\nid: 1\nevent: cut-offs\ndata: {"é":1}\n\nevent: beat\ndata: {}\n\nevent: x';
    const bytes = new TextEncoder().encode(text);
    for (let size = 1; size < 12; size += 1) {
      const reader = new EventStreamReader();
      const events = [];
      for (let from = 0; from < bytes.length; from += size)
        events.push(...reader.read(bytes.slice(from, from + size)));
      expect(events).toEqual([
        { event: 'cut-offs', data: '{"é":1}' },
        { event: 'beat', data: '{}' },
      ]);
    }
  });

  test('may not be one event without end', () => {
    const reader = new EventStreamReader();
    const piece = new Uint8Array(1024 * 1024).fill(120);
    expect(() => {
      for (let read = 0; read < 6; read += 1) reader.read(piece);
    }).toThrow(RangeError);
  });
});

describe('what a signature covers', () => {
  test('is spelt as RFC 9421 section 2.5 says', () => {
    const base = signatureBase(
      {
        '@method': 'POST',
        '@target-uri': 'https://pay.example/a?b=c',
        'content-digest': 'sha-256=:AA==:',
        authorization: ' DPoP t ',
        dpop: 'p',
      },
      [
        [
          ['@method', new Map()],
          ['@target-uri', new Map()],
          ['authorization', new Map()],
        ],
        new Map<string, string | number>([
          ['created', 1_700_000_000],
          ['keyid', 'k"x'],
        ]),
      ],
    );
    expect(new TextDecoder().decode(base)).toBe(
      [
        '"@method": POST',
        '"@target-uri": https://pay.example/a?b=c',
        '"authorization": DPoP t',
        String.raw`"@signature-params": ("@method" "@target-uri" "authorization");created=1700000000;keyid="k\"x"`,
      ].join('\n'),
    );
  });
});
