/** Addresses that two servers could read differently never pass the gateway check. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { originalRequest } from '../../api/callers/original-request.ts';

const gateway = { origin: 'https://api.bank.example', pathPrefix: '/bank', scope: 'accounts:read' };

describe('an original request', () => {
  test.each([
    ['/bank', 'https://api.bank.example/bank'],
    ['/bank/', 'https://api.bank.example/bank/'],
    ['/bank/accounts?from=2026-01-01&q=a%2Fb//..', 'https://api.bank.example/bank/accounts'],
    ['/bank/a.b/..c/%C3%A9', 'https://api.bank.example/bank/a.b/..c/%C3%A9'],
  ])('%s is known by %s', (uri, htu) => {
    expect(originalRequest(gateway, 'GET', uri)).toEqual({ method: 'GET', htu });
  });

  test.each([
    '',
    'bank',
    '*',
    'https://api.bank.example/bank',
    '//evil.example/bank',
    '/bank//accounts',
    '/bank/../admin',
    '/bank/./accounts',
    '/bank/..',
    '/bank/..;/admin',
    '/bank/%2e%2e/admin',
    '/bank/%2E./admin',
    '/bank/a%2fb',
    '/bank/a%5Cb',
    '/bank\\accounts',
    '/bank/a%252fb',
    '/bank/%00',
    '/bank/%zz',
    '/bank/%',
    '/bank/a#b',
    '/bank/a b',
    '/bank/\u00e9',
    '/bank/a\nb',
    '/banking',
    '/other',
    `/bank/${'a'.repeat(2048)}`,
  ])('%j is not judged', (uri) => {
    expect(originalRequest(gateway, 'GET', uri)).toBeUndefined();
  });

  test.each(['', 'get', 'GET ', 'GET,POST', 'X'.repeat(17)])(
    'the method %j is not judged',
    (method) => {
      expect(originalRequest(gateway, method, '/bank')).toBeUndefined();
    },
  );

  test('a prefix of / takes every sound path', () => {
    expect(originalRequest({ ...gateway, pathPrefix: '/' }, 'GET', '/x')?.htu).toBe(
      'https://api.bank.example/x',
    );
  });

  test('whatever passes is what a URL parser makes of it too, and lies inside', () => {
    let passed = 0;
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            '/bank',
            '/',
            '.',
            '..',
            '%2e',
            '%2F',
            '%41',
            'a',
            ';',
            '\\',
            '#',
            '?',
            '@',
            ':',
          ),
          {
            maxLength: 8,
          },
        ),
        (parts) => {
          const uri = parts.join('');
          const judged = originalRequest(gateway, 'GET', uri);
          if (judged === undefined) return true;
          passed += 1;
          const url = new URL(uri, gateway.origin);
          return (
            judged.htu === `${gateway.origin}${url.pathname}` &&
            url.origin === gateway.origin &&
            (url.pathname === '/bank' || url.pathname.startsWith('/bank/'))
          );
        },
      ),
      { numRuns: 5000 },
    );
    expect(passed).toBeGreaterThan(50);
  });
});
