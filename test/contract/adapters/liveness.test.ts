/** One contract for every liveness vendor, kept by the generic signed call (against the developer's vendor) and by Rekognition (against a local server). */
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../adapters/clock.ts';
import { createLivenessChecker } from '../../../adapters/liveness/checker.ts';
import { createRekognitionLivenessChecker } from '../../../adapters/liveness/rekognition.ts';
import { createHttpLivenessChecker } from '../../../adapters/liveness/signed-http.ts';
import { createSignatureVerifier, SIGNATURE_HEADER } from '../../../adapters/signed-http.ts';
import { parseLivenessResult } from '../../../domain/liveness.ts';
import type { LivenessChecker } from '../../../domain/ports.ts';
import { startLivenessVendor } from '../../../runtime/liveness-vendor.ts';
import type { LivenessVendor } from '../../../runtime/liveness-vendor.ts';
import { listenLocally, stopServer } from '../../../runtime/local-http.ts';
import { FakeRekognition, PICTURE } from '../../setup/vendors/fake-rekognition.ts';
import { startHttpVendor } from './http-vendor.ts';
import type { HttpVendor } from './http-vendor.ts';

const secret = 'a secret of the test';
const clock = systemClock;
const check = {
  reference: 'att_1',
  caseId: 'cer_1',
  newJkt: 'j'.repeat(43),
  referenceImageId: 'evd_enrolled',
  callbackUrl: 'https://bank.example/t/demo/vendors/liveness/results',
  expiresInSeconds: 120,
};
const AWS = { region: 'eu-west-1', referenceBucket: 'bank-faces', outputBucket: 'bank-sessions' };
const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'of the test' };

let rekognition: FakeRekognition;
let rekognitionUrl: string;
let bank: HttpVendor;
let local: LivenessVendor;
const before: Record<string, string | undefined> = {};

beforeAll(async () => {
  for (const [name, value] of Object.entries(CREDENTIALS)) {
    before[name] = process.env[name];
    process.env[name] = value;
  }
  bank = await startHttpVendor();
});
afterAll(async () => {
  for (const name of Object.keys(CREDENTIALS))
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  await bank.stop();
});
beforeEach(async () => {
  rekognition = new FakeRekognition();
  rekognitionUrl = await rekognition.start();
  local = await startLivenessVendor({ port: 0, secret, clock, checkMs: 1 });
  bank.requests.length = 0;
});
afterEach(async () => {
  await Promise.all([rekognition.stop(), local.stop()]);
});

const signed = (url: string, timeoutMs = 5_000) =>
  createHttpLivenessChecker({ url, secret, clock, timeoutMs });
const aws = (endpoint: string, timeoutMs = 5_000) =>
  createRekognitionLivenessChecker({ ...AWS, endpoint, clock, timeoutMs });
const adapters = [
  {
    name: 'the generic signed call',
    make: (): LivenessChecker => signed(local.url),
    at: signed,
    bringAbout: (end: 'pass' | 'fail' | 'pending') => {
      local.setNextEnd(end === 'pending' ? 'silent' : end);
    },
  },
  {
    name: 'Rekognition',
    make: (): LivenessChecker => aws(rekognitionUrl),
    at: aws,
    bringAbout: (end: 'pass' | 'fail' | 'pending') => {
      rekognition.status = { pass: 'SUCCEEDED', fail: 'FAILED', pending: 'IN_PROGRESS' }[end];
    },
  },
] as const;

/** Held open or spoilt answers of a vendor, whatever it speaks. */
const SPOILT: readonly (readonly [string, (response: ServerResponse) => void, string])[] = [
  [
    'JSON that breaks off',
    (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"Sess'),
    'vendor_refused|vendor_unavailable',
  ],
  ['an inner error', (response) => response.writeHead(500).end('{}'), 'vendor_unavailable'],
  ['nothing in time', () => undefined, 'vendor_unavailable'],
  [
    'a way elsewhere',
    (response) => response.writeHead(307, { location: `${bank.url}/elsewhere` }).end(),
    'vendor_refused|vendor_unavailable',
  ],
  [
    'a torn connection',
    (response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{');
      response.destroy();
    },
    'vendor_unavailable',
  ],
];

describe.each(adapters)('a liveness check through $name', ({ make, at, bringAbout }) => {
  const begin = async (given = check) => {
    const adapter = make();
    const started = await adapter.startSession({ ...given, callbackUrl: `${bank.url}/results` });
    return { adapter, started, asked: { ...given, vendorSession: started.vendorSession } };
  };

  it('begins a session that the app can open, and that does not outlive what was asked', async () => {
    const from = clock.nowMs();
    const { started } = await begin();
    expect(started.vendorSession).toMatch(/^\S{10,200}$/);
    expect(Object.values(started.clientParameters)).toContain(started.vendorSession);
    expect(started.expiresAtMs).toBeGreaterThan(from);
    expect(started.expiresAtMs).toBeLessThanOrEqual(clock.nowMs() + 120_000);
  });

  it('finds the same session for a repeated start, and another one for another attempt', async () => {
    const first = await begin();
    const again = await begin();
    const other = await begin({ ...check, reference: 'att_2' });
    expect(again.started.vendorSession).toBe(first.started.vendorSession);
    expect(other.started.vendorSession).not.toBe(first.started.vendorSession);
  });

  it('waits while nobody has looked into the camera', async () => {
    bringAbout('pending');
    const { adapter, asked } = await begin();
    await expect(adapter.readResult(asked)).resolves.toStrictEqual({ status: 'pending' });
  });

  it.each([
    ['pass', 'passed'],
    ['fail', 'failed'],
  ] as const)('answers %s as a verdict of exactly that check', async (end, outcome) => {
    bringAbout(end);
    const { adapter, asked } = await begin();
    await expect.poll(async () => (await adapter.readResult(asked)).status).toBe('done');
    const reading = await adapter.readResult(asked);
    const { reference, caseId, newJkt, vendorSession } = asked;
    expect(reading).toMatchObject({
      verdict: { reference, caseId, newJkt, vendorSession, outcome },
    });
    expect(JSON.stringify(reading)).not.toContain(PICTURE);
  });

  it('calls a session that the vendor does not know over', async () => {
    const vendorSession = '00000000-0000-0000-0000-000000000000';
    await expect(make().readResult({ ...check, vendorSession })).resolves.toStrictEqual({
      status: 'expired',
    });
  });

  it.each([
    ['reference', 'att_2'],
    ['caseId', 'cer_2'],
    ['newJkt', 'k'.repeat(43)],
  ])('takes no verdict that was made for another %s', async (name, value) => {
    bringAbout('pass');
    const { adapter, asked } = await begin();
    await expect.poll(async () => (await adapter.readResult(asked)).status).toBe('done');
    await expect(adapter.readResult({ ...asked, [name]: value })).rejects.toMatchObject({
      code: 'vendor_refused',
    });
  });

  describe('met with', () => {
    let answer: (response: ServerResponse) => void = () => undefined;
    let server: Server;
    let url: string;
    beforeAll(async () => {
      server = createServer((request, response) => {
        request.resume();
        answer(response);
      });
      url = `http://127.0.0.1:${await listenLocally(server, { name: 'a spoilt vendor', port: 0 })}`;
    });
    afterAll(() => stopServer(server));

    it.each(SPOILT)('%s says so and goes nowhere else', async (_, spoil, codes) => {
      answer = spoil;
      const adapter = at(url, 1_500);
      const vendorSession = '00000000-0000-0000-0000-000000000000';
      for (const call of [
        () => adapter.startSession(check),
        () => adapter.readResult({ ...check, vendorSession }),
      ]) {
        const error: unknown = await call().catch((caught: unknown) => caught);
        expect(codes.split('|')).toContain((error as { code?: string }).code);
      }
      expect(bank.requests).toEqual([]);
    });
  });
});

describe('the generic signed call', () => {
  let vendor: HttpVendor;
  beforeAll(async () => {
    vendor = await startHttpVendor();
  });
  afterAll(() => vendor.stop());
  const session = (changes: Record<string, unknown> = {}) => ({
    status: 202,
    body: JSON.stringify({
      vendorSession: 'lvs_1',
      clientParameters: { token: 'opaque' },
      expiresAt: new Date(clock.nowMs() + 3_600_000).toISOString(),
      ...changes,
    }),
  });
  const start = () => signed(`${vendor.url}/v1/`).startSession(check);
  const read = () => signed(`${vendor.url}/v1`).readResult({ ...check, vendorSession: 'a/b' });

  it('signs what it sends, and the path of what it reads', async () => {
    vendor.answer = () => session();
    await start();
    const posted = vendor.requests.at(-1);
    expect(posted).toMatchObject({ method: 'POST', path: '/v1/sessions' });
    expect(JSON.parse(posted?.body ?? '')).toStrictEqual(check);
    vendor.answer = () => ({ status: 200, body: '{"status":"expired"}' });
    await expect(read()).resolves.toStrictEqual({ status: 'expired' });
    const got = vendor.requests.at(-1);
    expect(got).toMatchObject({ method: 'GET', path: '/v1/sessions/a%2Fb' });
    const verifier = createSignatureVerifier({ secret, clock });
    const header = String(got?.headers[SIGNATURE_HEADER]);
    expect(verifier.isSigned(header, '/v1/sessions/a%2Fb')).toBe(true);
    expect(verifier.isSigned(header, '')).toBe(false);
  });

  it.each([
    ['no session', { vendorSession: '' }],
    ['a parameter that is no text', { clientParameters: { token: 7 } }],
    ['a parameter long enough for a picture', { clientParameters: { token: 'x'.repeat(5_000) } }],
    ['a name that is none', { clientParameters: { '__proto__ x': 'y' } }],
    ['no end', { expiresAt: 'soon' }],
  ])('refuses a started session with %s', async (_, changes) => {
    vendor.answer = () => session(changes);
    await expect(start()).rejects.toMatchObject({ code: 'vendor_refused' });
  });

  it.each([
    ['a huge answer', 200, `"${'x'.repeat(70_000)}"`, 'vendor_refused'],
    ['no status', 200, '{}', 'vendor_refused'],
    ['a result without its members', 200, '{"status":"done","outcome":"passed"}', 'vendor_refused'],
    ['too many calls', 429, '', 'vendor_unavailable'],
    ['a refusal', 403, '', 'vendor_refused'],
  ])('tells %s when asked for a result', async (_, status, body, code) => {
    vendor.answer = () => ({ status, body });
    await expect(read()).rejects.toMatchObject({ code });
  });

  it('drops a picture that comes along with a verdict', async () => {
    const { reference, caseId, newJkt } = check;
    const result = {
      reference,
      caseId,
      newJkt,
      vendorSession: 'a/b',
      outcome: 'passed',
      livenessConfidence: 99,
      matchConfidence: 97,
      evidenceId: 'evd_1',
      at: '2026-11-23T06:00:00Z',
    };
    const body = JSON.stringify({ ...result, status: 'done', auditImages: [PICTURE] });
    vendor.answer = () => ({ status: 200, body });
    const { at: _, ...verdict } = result;
    await expect(read()).resolves.toStrictEqual({ status: 'done', verdict });
  });
});

describe('Rekognition', () => {
  const begin = async () => {
    const adapter = aws(rekognitionUrl);
    const { vendorSession } = await adapter.startSession(check);
    return () => adapter.readResult({ ...check, vendorSession });
  };

  it('asks for no picture, the stronger challenge, and the output in the bank’s own bucket', async () => {
    await begin();
    const [call] = rekognition.calls;
    const token = call?.input['ClientRequestToken'];
    expect(token).toMatch(/^[a-f0-9]{64}$/);
    expect(call).toStrictEqual({
      operation: 'CreateFaceLivenessSession',
      input: {
        ClientRequestToken: token,
        Settings: {
          AuditImagesLimit: 0,
          OutputConfig: { S3Bucket: 'bank-sessions', S3KeyPrefix: token },
          ChallengePreferences: [{ Type: 'FaceMovementAndLightChallenge' }],
        },
      },
    });
  });

  it('compares object with object, without bytes, and answers no bytes', async () => {
    const reading = await (await begin())();
    const compared = rekognition.calls.at(-1);
    expect(compared?.operation).toBe('CompareFaces');
    expect(compared?.input['SourceImage']).toStrictEqual({
      S3Object: { Bucket: 'bank-faces', Name: 'evd_enrolled' },
    });
    expect(JSON.stringify(rekognition.calls)).not.toContain('Bytes');
    expect(reading).toMatchObject({
      verdict: { outcome: 'passed', livenessConfidence: 99.5, matchConfidence: 98.25 },
    });
    expect(JSON.stringify(reading)).not.toContain(PICTURE);
  });

  it.each([
    ['a face that is not the enrolled one', { similarity: undefined }, 'failed', 0],
    ['hardly a living person', { confidence: 12 }, 'failed', null],
    ['no figure', { confidence: undefined }, 'failed', null],
    ['no face to compare', { hasReference: false }, 'low_confidence', null],
    ['the weaker challenge', { challenge: 'FaceMovementChallenge' }, 'low_confidence', null],
  ])('tells %s', async (_, state, outcome, matchConfidence) => {
    Object.assign(rekognition, state);
    const reading = await (await begin())();
    expect(reading).toMatchObject({ verdict: { outcome, matchConfidence } });
  });

  it.each([
    [{ Bucket: 'bank-sessions', Name: 'another-check/reference.jpg' }],
    [{ Bucket: 'somebody-elses', Name: 'reference.jpg' }],
  ])('takes no face from elsewhere: %o', async (placed) => {
    rekognition.placed = placed;
    await expect((await begin())()).rejects.toMatchObject({ code: 'vendor_refused' });
  });

  it('calls a session over that AWS calls expired', async () => {
    rekognition.status = 'EXPIRED';
    await expect((await begin())()).resolves.toStrictEqual({ status: 'expired' });
  });

  it.each([
    ['ThrottlingException', 500, 'vendor_unavailable'],
    ['ProvisionedThroughputExceededException', 400, 'vendor_unavailable'],
    ['InternalServerError', 500, 'vendor_unavailable'],
    ['ExpiredTokenException', 400, 'vendor_unavailable'],
    ['AccessDeniedException', 400, 'vendor_refused'],
    ['InvalidParameterException', 400, 'vendor_refused'],
    ['ValidationException', 400, 'vendor_refused'],
    ['InvalidS3ObjectException', 400, 'vendor_refused'],
  ])('tells %s (%i) as %s, by its name alone', async (name, status, code) => {
    const readResult = await begin();
    rekognition.faults.set('CompareFaces', { name, status });
    const error: unknown = await readResult().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code });
    const cause = error instanceof Error ? String(error.cause) : '';
    expect(cause).toContain(name);
    expect(cause).not.toContain('said by the vendor');
  });

  it('asks for no object that a handle could lead astray to', async () => {
    const adapter = aws(rekognitionUrl);
    const { vendorSession } = await adapter.startSession(check);
    const asked = { ...check, vendorSession, referenceImageId: '../another' };
    await expect(adapter.readResult(asked)).rejects.toMatchObject({ code: 'vendor_refused' });
  });
});

describe("the developer's liveness vendor", () => {
  const begin = async (expiresInSeconds = 120) => {
    const given = { ...check, callbackUrl: `${bank.url}/results`, expiresInSeconds };
    return await signed(local.url).startSession(given);
  };
  const told = () => bank.requests.map(({ body }) => parseLivenessResult(JSON.parse(body)));

  it.each([
    ['pass', 'passed'],
    ['fail', 'failed'],
    ['low_confidence', 'low_confidence'],
    ['injection_suspected', 'injection_suspected'],
    ['time_out', 'timed_out'],
  ] as const)('tells %s once, signed', async (end, outcome) => {
    local.setNextEnd(end);
    await begin();
    await expect.poll(told).toMatchObject([{ reference: 'att_1', caseId: 'cer_1', outcome }]);
    const [request] = bank.requests;
    const header = String(request?.headers[SIGNATURE_HEADER]);
    const verifier = createSignatureVerifier({ secret, clock });
    expect(verifier.isSigned(header, request?.body ?? '')).toBe(true);
    expect(local.nextEnd()).toBe('pass');
  });

  it('tells a duplicate twice alike, and another case’s once', async () => {
    local.setNextEnd('duplicate');
    await begin();
    await expect.poll(told).toHaveLength(2);
    expect(told()[0]).toStrictEqual(told()[1]);
    bank.requests.length = 0;
    local.setNextEnd('wrong_case');
    await signed(local.url).startSession({
      ...check,
      reference: 'att_2',
      callbackUrl: `${bank.url}/results`,
    });
    await expect.poll(told).toMatchObject([{ reference: 'att_2', caseId: 'cer_another' }]);
  });

  it('tells a late one when its session is over, and never when asked', async () => {
    local.setNextEnd('late');
    const { vendorSession, expiresAtMs } = await begin(1);
    await expect.poll(told, { timeout: 5_000 }).toHaveLength(1);
    expect(told()[0]?.atMs).toBeGreaterThanOrEqual(expiresAtMs);
    await expect(signed(local.url).readResult({ ...check, vendorSession })).resolves.toStrictEqual({
      status: 'expired',
    });
  });

  it('stays silent until released, and refuses a reference that comes back for another case', async () => {
    local.setNextEnd('silent');
    await begin();
    expect(local.waiting()).toEqual(['att_1']);
    await expect(
      signed(local.url).startSession({ ...check, caseId: 'cer_2' }),
    ).rejects.toMatchObject({ code: 'vendor_refused' });
    local.release();
    await expect.poll(told).toMatchObject([{ outcome: 'passed' }]);
  });
});

describe('the liveness vendor of a process', () => {
  it('is the configured one, and without one every check is refused', async () => {
    const configured = { vendor: 'signed-http', url: local.url, secret } as const;
    const started = await createLivenessChecker(configured, { clock }).startSession(check);
    expect(started.vendorSession).toMatch(/^lvs_/);
    const endpoint = rekognitionUrl;
    const ofAws = createLivenessChecker({ vendor: 'rekognition', ...AWS, endpoint }, { clock });
    await expect(ofAws.startSession(check)).resolves.toMatchObject({
      clientParameters: { region: 'eu-west-1' },
    });
    const none = createLivenessChecker(undefined, { clock });
    for (const call of [
      () => none.startSession(check),
      () => none.readResult({ ...check, vendorSession: 'lvs_1' }),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'vendor_refused' });
  });
});
