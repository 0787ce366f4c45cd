/** The pure parts of the stage: how events are grouped and told, what a message holds, where stage control is, how far a story is. */
import { describe, expect, it } from 'vitest';
import { groupsOf, readAuditEvent, shortId } from '../../console/behind/timeline.ts';
import type { AuditEvent, StageEvent } from '../../console/behind/timeline.ts';
import { codeIn, linkIn, readMessage } from '../../console/inbox/message.ts';
import { ago, countdown, duration } from '../../console/parts/time.ts';
import { INITIAL } from '../../console/phone/phone-state.ts';
import type { PhoneState } from '../../console/phone/phone-state.ts';
import { waitingFor } from '../../console/phone/waiting.ts';
import { brokenParts, worksNow } from '../../console/behind/works-now.ts';
import { findControl } from '../../console/stage/control.ts';
import { readParts } from '../../console/stage/parts-view.ts';
import { stepsDone, storyOf } from '../../console/stage/stories.ts';
import type { StageFacts } from '../../console/stage/stories.ts';
import { problems } from '../../console/texts/en/problems.ts';
import { LatchkeyProblem } from '../../sdk/problem.ts';
import { ERRORS } from '../../domain/errors.ts';

const event = (position: number, members: Partial<AuditEvent>): AuditEvent => ({
  position: String(position),
  at: `2026-03-01T10:00:${String(position).padStart(2, '0')}.000Z`,
  action: 'enrollment.started',
  actorKind: 'customer',
  subjectKind: 'enrollment',
  subjectId: 'cer_1',
  ceremonyId: undefined,
  customerId: 'cus_1',
  detail: {},
  ...members,
});

const refused: StageEvent = {
  key: 'call 1',
  at: '2026-03-01T10:00:30.000Z',
  lane: 'refused',
  text: 'No.',
  name: 'login · customer_on_hold · 403',
  group: { kind: 'calls', id: '' },
};

describe('the timeline', () => {
  it('groups by ceremony, session and cut-off, the newest on top', () => {
    const groups = groupsOf(
      [
        event(1, { ceremonyId: 'cer_1' }),
        event(2, { ceremonyId: 'cer_1', action: 'enrollment.opened', actorKind: 'system' }),
        event(3, { action: 'session.created', subjectKind: 'session', subjectId: 'ses_1' }),
        event(4, { action: 'fraud.cut_off', subjectKind: 'revocation', subjectId: 'rev_1' }),
        event(5, { action: 'fraud.released', subjectKind: 'hold', subjectId: 'hld_1' }),
      ],
      [refused],
    );
    expect(groups.map(({ key }) => key)).toStrictEqual([
      'calls:',
      'revocation:rev_1',
      'session:ses_1',
      'enrollment:cer_1',
    ]);
    expect(groups[1]?.lines.map(({ name }) => name)).toStrictEqual([
      'fraud.released',
      'fraud.cut_off',
    ]);
  });

  it('tells what PostgreSQL decided from what Temporal drove and what was refused', () => {
    const lanes = groupsOf(
      [
        event(1, { ceremonyId: 'cer_1' }),
        event(2, { ceremonyId: 'cer_1', actorKind: 'system' }),
        event(3, { ceremonyId: 'cer_1', action: 'enrollment.code_refused' }),
      ],
      [],
    ).flatMap(({ lines }) => lines.map(({ lane }) => lane));
    expect(lanes).toStrictEqual(['refused', 'driven', 'decided']);
  });

  it('orders events of one moment by their position', () => {
    const at = '2026-03-01T10:00:00.000Z';
    const [group] = groupsOf(
      [9, 10, 11].map((n) => event(n, { at, ceremonyId: 'cer_1' })),
      [],
    );
    expect(group?.lines.map(({ key }) => key)).toStrictEqual(['event 11', 'event 10', 'event 9']);
  });

  it('shows an action that it has no words for by its name', () => {
    const [group] = groupsOf([event(1, { action: 'device.renamed_twice' })], []);
    expect(group?.lines[0]?.text).toBe('device renamed twice');
  });

  it.each([undefined, null, 'text', {}, { at: 'now', action: 'a' }, { position: 1 }])(
    'refuses %j as an event',
    (data) => {
      expect(readAuditEvent(data)).toBeUndefined();
    },
  );

  it('shortens ids to what tells two apart', () => {
    expect(shortId('cer_0192a1b2c3d4e5f60718293a4b5c6d7e')).toBe('cer_…5c6d7e');
    expect(shortId('cus_1')).toBe('cus_1');
  });
});

describe('a message', () => {
  it.each([
    ['Demo Bank: 039499 is your code. Valid 5 min.', '039499'],
    ['The app is set up on 64 21 5550199 12345678901', '5550199'],
    ['No code here, call 0800.', undefined],
  ])('in %j holds the code %s', (text, code) => {
    expect(codeIn({ text })).toBe(code);
  });

  it.each([
    ['Open http://localhost:4600/recover.html#demo.Ab-_1', 'prove'],
    ['Not you? http://localhost:4600/recover.html#demo.stop.Ab', 'object'],
    ['Not you? https://id.bank.example/recover.html#stop.Ab', 'object'],
    ['Look at http://localhost:4600/other.html#demo.Ab', undefined],
  ])('in %j holds a link that would %s', (text, does) => {
    expect(linkIn({ text })?.does).toBe(does);
  });

  it('of an unknown channel is none', () => {
    const members = { id: '1', receivedAt: 'now', to: 'a', text: 'b' };
    expect(readMessage({ ...members, channel: 'pigeon' })).toBeUndefined();
    expect(readMessage({ ...members, channel: 'sms' })).toMatchObject({ channel: 'sms' });
  });
});

describe('stage control', () => {
  it.each([
    ['4600', '', 'http://localhost:4601'],
    ['4600', '?control=5123', 'http://localhost:5123'],
    ['4600', '?control=evil.example', 'http://localhost:4601'],
    ['4600', '?control=1@evil.example', 'http://localhost:4601'],
  ])('of port %s with %j is on this machine', (port, search, url) => {
    expect(findControl({ port, search })).toBe(url);
  });
});

/** What else a view holds is not looked at. */
const onCase = (view: { readonly state: string; readonly outcome?: string }): PhoneState => ({
  ...INITIAL,
  screen: { kind: 'recovery', view: view as never },
});

describe('a story', () => {
  const fraud = { cutOff: undefined, releasedAt: undefined, failure: undefined, isBusy: false };
  const facts: StageFacts = {
    phone: INITIAL,
    fraud,
    parts: undefined,
    payments: undefined,
    call: undefined,
    recovery: { newPhone: INITIAL, hasYearPassed: false },
  };
  const home = { ...INITIAL, screen: { kind: 'home' } } as const;

  it('begins at its first step and is over when the customer is in', () => {
    expect(stepsDone('enroll', facts)).toBe(0);
    expect(stepsDone('enroll', { ...facts, phone: home })).toBe(6);
  });

  it('of a lost phone follows the new one, from the year that passes to the phone that is bound', () => {
    const told = (newPhone: PhoneState, hasYearPassed = false) =>
      stepsDone('lost-phone', { ...facts, recovery: { newPhone, hasYearPassed } });
    expect(told(INITIAL)).toBe(0);
    expect(told(INITIAL, true)).toBe(1);
    const steps = ['contact', 'identity', 'review', 'held', 'cooling', 'rebind'].map((state) =>
      told(onCase({ state })),
    );
    expect(steps).toStrictEqual([1, 2, 3, 3, 4, 5]);
    expect(told(onCase({ state: 'ended', outcome: 'completed' }))).toBe(6);
    expect(told(onCase({ state: 'ended', outcome: 'denied' }))).toBe(0);
    const installation = { customerId: 'cus_1', deviceId: 'dev_1' };
    expect(told({ ...INITIAL, installation })).toBe(6);
  });

  it('of the fraud button ends with the customer back in', () => {
    const cutOff = { revocationId: 'rev_1', status: 'running' } as never;
    const cut = { ...fraud, cutOff };
    const at = (kind: 'cut-off' | 'hold') => ({ ...INITIAL, screen: { kind } }) as const;
    expect(stepsDone('fraud', { ...facts, phone: home })).toBe(1);
    expect(stepsDone('fraud', { ...facts, phone: at('cut-off'), fraud: cut })).toBe(2);
    expect(stepsDone('fraud', { ...facts, phone: at('hold'), fraud: cut })).toBe(3);
    const released = { ...cut, releasedAt: 'now' };
    expect(stepsDone('fraud', { ...facts, phone: home, fraud: released })).toBe(5);
  });

  it('of the lost network goes on only when the line is back and the phone waits no more', () => {
    const view = { enrollmentId: 'cer_1', state: 'phone' } as never;
    const phone = { ...INITIAL, screen: { kind: 'enrollment', view } } as const;
    const lost = { id: 1, at: 'now', what: 'answer_lost', path: '/a', status: 200 };
    const parts = (status: string) => readParts({ line: { status }, events: [lost] });
    const waiting = { for: 'line', sinceMs: 0 } as const;
    expect(stepsDone('lost-network', facts)).toBe(0);
    expect(stepsDone('lost-network', { ...facts, phone })).toBe(1);
    expect(
      stepsDone('lost-network', { ...facts, phone: { ...phone, waiting }, parts: parts('down') }),
    ).toBe(2);
    expect(stepsDone('lost-network', { ...facts, phone, parts: parts('up') })).toBe(3);
    expect(stepsDone('lost-network', { ...facts, phone: home, parts: parts('up') })).toBe(4);
  });

  it('stands in the address, and an address without one tells the first', () => {
    expect([storyOf('#lost-network'), storyOf('#fraud'), storyOf(''), storyOf('#x')]).toStrictEqual(
      ['lost-network', 'fraud', 'enroll', 'enroll'],
    );
  });
});

describe('what works now', () => {
  const view = (line: string, worker: string, temporal: string) =>
    readParts({
      line: { status: line },
      worker: { status: worker },
      temporal: { status: temporal },
    });

  it.each([
    ['up', 'up', 'up', []],
    ['armed', 'up', 'not_ours', []],
    ['down', 'up', 'up', ['line']],
    ['up', 'starting', 'stopping', ['worker', 'temporal']],
  ])('with line %s, worker %s and Temporal %s is broken: %j', (line, worker, temporal, broken) => {
    expect(brokenParts(view(line, worker, temporal))).toStrictEqual(broken);
  });

  it.each([
    [[], 'works', 'works', 'works', 'works'],
    [['worker'], 'works', 'later', 'waits', 'waits'],
    [['temporal'], 'works', 'later', 'waits', 'works'],
    [['line'], 'unreachable', 'works', 'unreachable', 'works'],
  ] as const)(
    'without %j: log in %s, cut-off %s, enrollment %s, messages %s',
    (broken, hotPath, cutOff, ceremonies, messages) => {
      expect(worksNow(broken)).toStrictEqual({ hotPath, cutOff, ceremonies, messages });
    },
  );

  it('is read from what stage control sends, and nothing else gets in', () => {
    expect(readParts(undefined)).toMatchObject({ temporal: { status: 'not_ours' }, events: [] });
    const events = [
      { id: 1, at: 'now', what: 'exploded' },
      { id: 2, at: 'now', what: 'deployed' },
    ];
    expect(readParts({ worker: { status: 'dancing' }, events })).toMatchObject({
      worker: { status: 'up' },
      events: [{ id: 2, what: 'deployed' }],
    });
  });
});

describe('waiting', () => {
  it('is for outcomes that are unknown, never for a decision', () => {
    const of = (code: string) => waitingFor(new LatchkeyProblem({ code, status: 503, title: '' }));
    expect(['network_lost', 'outcome_pending', 'temporal_unavailable'].map(of)).toStrictEqual([
      'line',
      'outcome',
      'ceremonies',
    ]);
    expect(['wrong_code', 'customer_on_hold', 'passkey_cancelled'].map(of)).toStrictEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('words', () => {
  it('stand only for codes that exist: the server’s, or the phone’s own', () => {
    const own = /^(network_lost|answer_unreadable|passkey_\w+|unknown)$/;
    const strange = Object.keys(problems).filter((code) => !(code in ERRORS) && !own.test(code));
    expect(strange).toStrictEqual([]);
  });

  it('say times as people do', () => {
    expect([ago(0, 2_000), ago(0, 12_000), ago(0, 240_000), ago(0, 7_300_000)]).toStrictEqual([
      'just now',
      '12 s ago',
      '4 min ago',
      '2 h ago',
    ]);
    expect([duration(4_200), duration(65_000), duration(7_500_000)]).toStrictEqual([
      '4 s',
      '1 min 5 s',
      '2 h 5 min',
    ]);
    expect([countdown(299_001), countdown(-5), countdown(3_600_000)]).toStrictEqual([
      '5:00',
      '0:00',
      '1:00:00',
    ]);
  });
});
