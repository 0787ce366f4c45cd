/** What a customer reads of his own logins, where they came from, and that nobody else's and nothing of staff's stands there. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createPhone } from '../setup/callers.ts';
import type { Caller } from '../setup/callers.ts';
import { addDevice, createBanker, logIn, refresh } from '../setup/login-bed.ts';

const PROXY = '127.0.0.1';
const PLACE_HEADER = 'x-client-place';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({
    configuration: {
      http: {
        publicUrl: 'http://localhost:4600',
        trustedProxies: [PROXY],
        placeHeader: PLACE_HEADER,
      },
    },
  });
});
afterAll(() => api.close());

const throughProxy = (place: string) => ({
  headers: {
    'x-forwarded-for': '203.0.113.7',
    [PLACE_HEADER]: Buffer.from(place, 'utf8').toString('latin1'),
  },
});
const historyOf = async (phone: Caller, query = '') =>
  (await phone.get(`/auth/login-history${query}`)).body;

describe('the login history', () => {
  test('tells logins, refusals, ends and removed devices with device, place and reason, the youngest first', async () => {
    const own = await createBanker(api);
    const tablet = await addDevice(api, own);
    await logIn(tablet, tablet.phone, { options: throughProxy('Auckland, NZ') });
    await logIn(own, own.phone, { options: throughProxy('Māngere, NZ') });
    await own.phone.post(`/auth/devices/${tablet.deviceId}/suspend`, {});
    await logIn(tablet, tablet.phone);
    const { entries, next } = await historyOf(own.phone);
    const own_ = { deviceName: 'Ada’s phone', platform: 'test', model: null };
    const other = { deviceName: 'Ada’s tablet', platform: 'test', model: null };
    expect(next).toBeNull();
    expect(entries).toEqual(
      [
        { event: 'login_refused', by: 'you', reason: 'device_not_allowed', ...other },
        { event: 'device_suspended', by: 'you', reason: null, ...other },
        {
          event: 'session_ended',
          by: 'you',
          reason: 'device_suspended',
          ...other,
          place: 'Auckland, NZ',
          acr: 'latchkey:2',
        },
        {
          event: 'logged_in',
          by: 'you',
          current: true,
          ...own_,
          place: 'Māngere, NZ',
          acr: 'latchkey:2',
        },
        { event: 'logged_in', by: 'you', current: false, ...other, place: 'Auckland, NZ' },
      ].map((entry) => expect.objectContaining(entry)),
    );
  });

  test('comes in pages that neither repeat nor miss', async () => {
    const own = await createBanker(api);
    for (let count = 0; count < 4; count += 1) await logIn(own, own.phone);
    const whole = await historyOf(own.phone);
    expect(whole.entries).toHaveLength(7);
    const seen = [];
    let cursor = '';
    for (let page = 0; page < 4; page += 1) {
      const { entries, next } = await historyOf(
        own.phone,
        `?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      seen.push(...entries);
      cursor = String(next);
    }
    expect(cursor).toBe('null');
    expect(seen).toEqual(whole.entries);
    expect(await own.phone.get('/auth/login-history?cursor=bm8')).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
  });

  test('holds nothing of another customer', async () => {
    const [own, neighbour] = [await createBanker(api), await createBanker(api)];
    await logIn(neighbour, neighbour.phone);
    await logIn(own, own.phone);
    expect((await historyOf(own.phone)).entries).toHaveLength(1);
  });

  test('says that a copied refresh token ended a session, and that it was not the customer', async () => {
    const own = await createBanker(api);
    const tablet = await addDevice(api, own);
    const { body } = await logIn(tablet, tablet.phone);
    const first = String(body.refresh_token);
    const second = await refresh(tablet.phone, first, { requestId: 'one' });
    await refresh(tablet.phone, String(second.body.refresh_token), { requestId: 'two' });
    await refresh(tablet.phone, first, { requestId: 'three' });
    await logIn(own, own.phone);
    expect((await historyOf(own.phone)).entries).toContainEqual(
      expect.objectContaining({ event: 'session_ended', reason: 'reuse_detected' }),
    );
  });
});

describe('the place of a login', () => {
  const placesOf = async (phone: Caller) =>
    (await phone.get('/auth/sessions')).body.sessions.map(
      ({ place }: { place: string | null }) => place,
    );

  test('stands beside the session, sealed in its row', async () => {
    const own = await createBanker(api);
    await logIn(own, own.phone, { options: throughProxy('Auckland, NZ') });
    expect(await placesOf(own.phone)).toEqual(['Auckland, NZ']);
    const [row] = await api.inTenant(
      (tx) => tx<{ sealedPlace: Uint8Array }[]>`
        select sealed_place from session where customer_id = ${own.customerId}`,
    );
    expect(Buffer.from(row?.sealedPlace ?? []).toString('latin1')).not.toContain('Auckland');
  });

  test('is not shown to a session that may only read', async () => {
    const own = await createBanker(api);
    const stranger = await createPhone(api);
    await logIn(own, own.phone, { options: throughProxy('Auckland, NZ') });
    await logIn(own, stranger, { options: throughProxy('Wellington, NZ') });
    expect(await placesOf(stranger)).toEqual([null, null]);
    const { entries } = await historyOf(stranger);
    expect(entries.map(({ place }: { place: unknown }) => place)).toEqual([null, null]);
    expect((await placesOf(own.phone)).toSorted()).toEqual(['Auckland, NZ', 'Wellington, NZ']);
  });

  test.each([
    ['comes from the client itself', { headers: { [PLACE_HEADER]: 'Paris, FR' } }],
    ['is too long', throughProxy('a'.repeat(65))],
    ['is no place name', throughProxy('<b>Paris</b>')],
  ])('is unknown where it %s', async (_name, options) => {
    const own = await createBanker(api);
    await logIn(own, own.phone, { options });
    expect(await placesOf(own.phone)).toEqual([null]);
  });
});
