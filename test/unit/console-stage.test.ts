/** The pure parts of the stage: how events are grouped and told, what a message holds, where stage control is, how far a story is. */
import { describe, expect, it } from 'vitest';
import { groupsOf, readAuditEvent, shortId } from '../../console/behind/timeline.ts';
import type { AuditEvent, PhoneCall } from '../../console/behind/timeline.ts';
import { codeIn, readMessage } from '../../console/inbox/message.ts';
import { ago, countdown } from '../../console/parts/time.ts';
import { INITIAL } from '../../console/phone/phone-state.ts';
import { findControl } from '../../console/stage/control.ts';
import { stepsDone } from '../../console/stage/stories.ts';
import { problems } from '../../console/texts/en/problems.ts';
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

const refused: PhoneCall = {
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

describe('a story', () => {
  const fraud = { cutOff: undefined, releasedAt: undefined, failure: undefined, isBusy: false };

  it('begins at its first step and is over when the customer is in', () => {
    expect(stepsDone('enroll', INITIAL, fraud)).toBe(0);
    expect(stepsDone('enroll', { ...INITIAL, screen: { kind: 'home' } }, fraud)).toBe(6);
  });

  it('of the fraud button ends with the customer back in', () => {
    const home = { ...INITIAL, screen: { kind: 'home' } } as const;
    const cutOff = { revocationId: 'rev_1', status: 'running' } as never;
    expect(stepsDone('fraud', home, fraud)).toBe(1);
    expect(
      stepsDone('fraud', { ...INITIAL, screen: { kind: 'cut-off' } }, { ...fraud, cutOff }),
    ).toBe(2);
    expect(stepsDone('fraud', { ...INITIAL, screen: { kind: 'hold' } }, { ...fraud, cutOff })).toBe(
      3,
    );
    expect(stepsDone('fraud', home, { ...fraud, cutOff, releasedAt: 'now' })).toBe(5);
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
    expect([countdown(299_001), countdown(-5), countdown(3_600_000)]).toStrictEqual([
      '5:00',
      '0:00',
      '1:00:00',
    ]);
  });
});
