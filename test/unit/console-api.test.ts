/** What the console of staff asks for is what the API document promises; and its addresses. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  callAddress,
  customerAddress,
  placeOf,
  recoveryAddress,
} from '../../console/operations/address.ts';
import { createStaffApi } from '../../console/operations/staff-api.ts';

const CUSTOMER = `cus_${'0'.repeat(32)}`;
const document = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as {
  readonly paths: Record<string, Record<string, unknown>>;
};
const api = createStaffApi('demo');
const { recoveries } = api;
const CASE = `cer_${'0'.repeat(32)}`;
/** What is no question: a bell, and the address of a download. */
type Asked = Exclude<keyof typeof recoveries, 'bell' | 'recordAddress'>;
const CALLS: Record<
  Exclude<keyof typeof api, 'recoveries'> | `recoveries.${Asked}`,
  () => Promise<unknown>
> = {
  'recoveries.list': () => recoveries.list(new URLSearchParams()),
  'recoveries.one': () => recoveries.one(CASE),
  'recoveries.open': () =>
    recoveries.open(
      CUSTOMER,
      { report: 'lost', proof: { method: 'call_back', reference: 'c' } },
      'key',
    ),
  'recoveries.claim': () => recoveries.claim(CASE, 'key'),
  'recoveries.handOver': () => recoveries.handOver(CASE, null, 'key'),
  'recoveries.evidence': () => recoveries.evidence(CASE, 'branch', 'b', 'key'),
  'recoveries.confirm': () => recoveries.confirm(CASE, 'fac_1', 'key'),
  'recoveries.callBack': () => recoveries.callBack(CASE, 'c', 'key'),
  'recoveries.decide': () =>
    recoveries.decide(CASE, { kind: 'approve', revision: 0, reason: 'other' }, 'key'),
  find: () => api.find('+64210000000'),
  customer: () => api.customer(CUSTOMER),
  sessions: () => api.sessions(CUSTOMER),
  endSession: () => api.endSession('ses_1', 'lost_device', 'key'),
  changeDevice: () => api.changeDevice('dev_1', 'suspend', 'lost_device', 'key'),
  reportDevice: () => api.reportDevice('dev_1', 'lost', 'lost_device', 'key'),
  liftReport: () => api.liftReport('dev_1', 'other', 'key'),
  freeze: () => api.freeze(CUSTOMER, 'lost_device', 'key'),
  liftFreeze: () => api.liftFreeze(CUSTOMER, 'other', 'key'),
  reveal: () => api.reveal(CUSTOMER, 'phone', 'call_back', 'key'),
  ceremonies: () => api.ceremonies(CUSTOMER),
  audit: () => api.audit(new URLSearchParams()),
  auditFile: () => api.auditFile(new URLSearchParams()),
  worksNow: () => api.worksNow(),
  requestRelease: () => api.requestRelease('hld_1', 'false_alarm', 'key'),
  approvals: () => api.approvals(),
  decide: () => api.decide('apr_1', 'approve', 'key'),
  startCall: () => api.startCall(CUSTOMER, '4711', 'key'),
  call: () => api.call('cer_1'),
};

const answerWith = (status: number, body: unknown) => {
  const fetched = vi.fn<(path: string, options: RequestInit) => Promise<Response>>(() =>
    Promise.resolve(new Response(JSON.stringify(body), { status })),
  );
  vi.stubGlobal('fetch', fetched);
  return fetched;
};

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the console’s calls', () => {
  it.each(Object.entries(CALLS))('%s is an operation of the document', async (_name, call) => {
    const fetched = answerWith(200, {});
    await call();
    const [path = '', { method = '' } = {}] = fetched.mock.calls[0] ?? [];
    const asked = path.split('?')[0] ?? '';
    const found = Object.entries(document.paths).find(
      ([template, methods]) =>
        new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(asked) &&
        Object.hasOwn(methods, method.toLowerCase()),
    );
    expect(found?.[0]).toMatch(/^\/t\/\{tenant\}\/staff\//);
  });

  it.each([
    [401, { code: 'staff_login_required' }, { kind: 'logged-out' }],
    [
      401,
      { code: 'reauthentication_required', title: 'Again.' },
      { kind: 'refused', code: 'reauthentication_required', title: 'Again.' },
    ],
    [500, { code: 'internal_error', title: 'Oh.' }, { kind: 'silent' }],
    [
      503,
      { code: 'temporal_unavailable', title: 'Later.' },
      { kind: 'refused', code: 'temporal_unavailable', title: 'Later.' },
    ],
    [200, { customerId: CUSTOMER }, { kind: 'answered', value: { customerId: CUSTOMER } }],
  ])('tell an answer of %i for what it is', async (status, body, told) => {
    answerWith(status, body);
    expect(await api.customer(CUSTOMER)).toEqual(told);
  });

  it('say nothing of what nobody answered', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no line')));
    expect(await api.customer(CUSTOMER)).toEqual({ kind: 'silent' });
  });
});

describe('an address', () => {
  it('leads to a customer, a call and a case, and to nothing when it is cut off', () => {
    expect(placeOf(customerAddress(CUSTOMER))).toEqual({ kind: 'customer', customerId: CUSTOMER });
    expect(placeOf(callAddress(CUSTOMER))).toEqual({ kind: 'call', customerId: CUSTOMER });
    expect(placeOf('/customers')).toEqual({ kind: 'customers' });
    expect(placeOf(recoveryAddress(CASE))).toEqual({ kind: 'recovery', recoveryId: CASE });
    expect(placeOf('/recoveries')).toEqual({ kind: 'recoveries' });
    for (const path of [
      '/recoveries/cer_1',
      '/customers/',
      '/customers/cus_1',
      `${customerAddress(CUSTOMER)}/x`,
      '/x',
    ])
      expect(placeOf(path)).toBeUndefined();
  });
});
