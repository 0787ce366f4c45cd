import { describe, expect, it } from 'vitest';
import { ConfigurationError, loadPart } from '../../configuration/configuration.ts';
import { readEventSinks } from '../../configuration/events.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const read = (sinks: unknown, mode = 'production') =>
  loadPart(
    {
      LATCHKEY_MODE: mode,
      ...(sinks === undefined
        ? {}
        : { LATCHKEY_EVENT_SINKS: typeof sinks === 'string' ? sinks : JSON.stringify(sinks) }),
    },
    readEventSinks,
  );
const hook = { kind: 'webhook', url: 'https://core.bank.example/hook', secrets: [SECRET] };
const bus = { kind: 'eventbridge', bus: 'latchkey', region: 'eu-central-1' };

describe('the sinks of events', () => {
  it('are standard output alone when nothing is said, and none when that is said', () => {
    expect(read(undefined)).toEqual([{ kind: 'stdout', name: 'stdout' }]);
    expect(read({})).toEqual([]);
  });

  it('are read by name, of every kind, for all tenants or some', () => {
    const sinks = { log: { kind: 'stdout' }, bus, core: { ...hook, tenants: ['demo'] } };
    expect(read(sinks)).toEqual([
      { name: 'log', kind: 'stdout' },
      { name: 'bus', ...bus },
      { name: 'core', ...hook, tenants: ['demo'], allowsPrivateAddresses: false },
    ]);
  });

  it.each([
    ['no JSON', '{'],
    ['a list', []],
    ['a name with a slash', { 'a/b': { kind: 'stdout' } }],
    ['a kind that is none', { a: { kind: 'kafka' } }],
    ['a member too many', { a: { kind: 'stdout', url: 'https://x.example' } }],
    ['tenants that are none', { a: { kind: 'stdout', tenants: [] } }],
    ['a bus without a region', { a: { kind: 'eventbridge', bus: 'latchkey' } }],
    ['a webhook without a secret', { a: { ...hook, secrets: [] } }],
    ['a secret of another form', { a: { ...hook, secrets: ['secret'] } }],
    ['a short secret', { a: { ...hook, secrets: ['whsec_c2hvcnQ='] } }],
    ['five secrets', { a: { ...hook, secrets: Array.from({ length: 5 }, () => SECRET) } }],
    ['credentials in an address', { a: { ...hook, url: 'https://me:pw@core.bank.example/' } }],
    ['an address of another scheme', { a: { ...hook, url: 'file:///etc/passwd' } }],
    ['a permission that is no boolean', { a: { ...hook, allowsPrivateAddresses: 'yes' } }],
  ])('are refused with %s, without what was said', (_what, sinks) => {
    expect(() => read(sinks)).toThrow(ConfigurationError);
    expect(() => read(sinks)).toThrow(/^LATCHKEY_EVENT_SINKS: has the wrong form; use JSON: /);
    expect(() => read(sinks)).not.toThrow(SECRET);
  });

  it.each([
    ['a webhook', { a: { ...hook, url: 'http://core.bank.example/hook' } }, 'is not https'],
    ['a bus', { a: { ...bus, endpoint: 'http://localhost:4566' } }, 'is not https'],
    [
      'a published secret',
      { a: { ...hook, secrets: [`whsec_${Buffer.from('demo'.repeat(8)).toString('base64')}`] } },
      'has a demo secret',
    ],
  ])('in production are refused with %s that only development may have', (_what, sinks, fault) => {
    expect(() => read(sinks)).toThrow(fault);
    expect(read(sinks, 'development')).toHaveLength(1);
  });
});
