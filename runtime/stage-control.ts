/**
 * What the demo's stage needs and only development has: the inbox, the vendors' behaviour, the fraud desk's buttons, the demo bank.
 * It holds the demo client's key so that the page need not. Loopback only, and only for pages of the public URL's own origin.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { Clock } from '../domain/clock.ts';
import type { CeremonyBuilds } from './ceremony-build.ts';
import { answerBankRequest } from './demo-bank.ts';
import { answerTimeRequest } from './demo-time.ts';
import type { DemoTime } from './demo-time.ts';
import { IDENTITY_BEHAVIOURS } from './identity-vendor.ts';
import type { IdentityBehaviour, IdentityVendor } from './identity-vendor.ts';
import type { Inbox, InboxMessage } from './inbox.ts';
import type { LivenessVendor } from './liveness-vendor.ts';
import { openStream, readObject, startLocalServer } from './local-http.ts';
import type { LocalAnswer, LocalRequest, LocalServer } from './local-http.ts';
import { MachineClient } from './machine-client.ts';
import type { Parts } from './parts.ts';
import { answerPartsRequest } from './stage-control-parts.ts';
import { createRiskDesk } from './risk-desk.ts';
import type { RiskDesk } from './risk-desk.ts';
import { DemoAgent } from './demo-agent.ts';
import { DEMO_FRAUD_KEY, DEMO_RISK_SECRET } from './demo-secrets.ts';
import { answerCallsRequest } from './stage-control-calls.ts';
import { answerLivenessRequest, describeLiveness } from './stage-control-liveness.ts';
import { openPaymentsDesk } from './stage-control-payments.ts';
import type { PaymentsDesk } from './stage-control-payments.ts';

const SCOPE = 'fraud:signal fraud:release timeline:read';

export interface StageControlOptions {
  /** 0 means a free one. */
  readonly port: number;
  /** The origin of the stage's page. */
  readonly publicUrl: string;
  readonly issuer: string;
  readonly appClientId: string;
  readonly fraudClientId: string;
  readonly gatewayId: string;
  readonly inbox: Inbox;
  readonly identityVendor: IdentityVendor;
  /** Without it nobody looks into a camera here. */
  readonly livenessVendor?: LivenessVendor;
  /** Without it time passes here as everywhere. */
  readonly time?: DemoTime;
  readonly parts: Parts;
  readonly builds: Pick<CeremonyBuilds, 'of'>;
  readonly clock: Clock;
  /** What Latchkey signs its questions about risk with; the demo's when left out. */
  readonly riskSecret?: string;
  readonly temporalUiUrl?: string;
  readonly temporalNamespace?: string;
  /** For links to workflows, whose ids name it. */
  readonly tenantId?: string;
  /** Where staff come in; without it nobody at the bank can be called. */
  readonly operationsUrl?: string;
  /** Where the demo bank's own workflows run too; without it there are none. */
  readonly temporal?: { readonly address: string; readonly namespace: string };
  readonly onError?: (error: unknown) => void;
}

/** What the routes work with. */
interface Stage extends StageControlOptions {
  readonly fraudEngine: MachineClient;
  readonly riskDesk: RiskDesk;
  readonly desk: PaymentsDesk;
  readonly agent: DemoAgent | undefined;
  readonly ownUrl: () => string;
}

type Route = (request: LocalRequest, stage: Stage) => Promise<LocalAnswer | undefined>;

/** Listens. @throws Error naming the holder of a taken port. */
export async function startStageControl(options: StageControlOptions): Promise<LocalServer> {
  const { issuer, clock, publicUrl, operationsUrl } = options;
  const onError = options.onError ?? (() => undefined);
  const origin = () => server.url;
  const { temporal } = options;
  const desk = await openPaymentsDesk({ issuer, origin, clock, onError, temporal });
  const stage: Stage = {
    ...options,
    desk,
    agent: operationsUrl === undefined ? undefined : agentAt(operationsUrl, issuer),
    fraudEngine: new MachineClient({
      issuer,
      clientId: options.fraudClientId,
      key: DEMO_FRAUD_KEY,
      scope: SCOPE,
      clock,
    }),
    riskDesk: createRiskDesk({ secret: options.riskSecret ?? DEMO_RISK_SECRET, clock }),
    ownUrl: () => server.url,
  };
  const server = await startLocalServer({
    name: 'stage control',
    port: options.port,
    onError,
    handle: async (request) => {
      // Latchkey itself asks, and signs: it is no page and has no origin.
      if (request.url.pathname === '/risk/evaluations') return stage.riskDesk.answer(request);
      // A page of another origin must neither read the inbox nor press a button; what has no origin is no page.
      if (request.headers.origin !== publicUrl) {
        return { status: 403, body: { error: 'foreign_origin' } };
      }
      const answer = await dispatch(request, stage);
      return answer && { ...answer, headers: { ...answer.headers, ...cors(publicUrl) } };
    },
  });
  desk.open();
  return {
    url: server.url,
    stop: async () => {
      await desk.stop();
      await server.stop();
    },
  };
}

function agentAt(operationsUrl: string, issuer: string): DemoAgent {
  const slug = issuer.split('/').at(-1) ?? '';
  return new DemoAgent({ operationsUrl, slug, person: 'ana' });
}

async function dispatch(request: LocalRequest, stage: Stage): Promise<LocalAnswer | undefined> {
  if (request.method === 'OPTIONS') return { status: 204 };
  const route = ROUTES[`${request.method} ${request.url.pathname}`];
  if (route !== undefined) return await route(request, stage);
  const answered =
    (await answerPartsRequest(request, stage)) ??
    (await answerCallsRequest(request, stage.agent)) ??
    answerLivenessRequest(request, stage.livenessVendor) ??
    (await answerTimeRequest(request, stage.time)) ??
    (await stage.desk.answer(request));
  if (answered !== undefined) return answered;
  const revocation = /^\/fraud\/revocations\/[A-Za-z0-9_-]{1,64}$/.exec(request.url.pathname)?.[0];
  if (request.method === 'GET' && revocation !== undefined) {
    return await passOn(await stage.fraudEngine.call({ method: 'GET', path: revocation }));
  }
  return { status: 404, body: { error: 'not_found' } };
}

const ROUTES: Readonly<Record<string, Route | undefined>> = {
  'GET /status': (_request, stage) => Promise.resolve({ status: 200, body: describe(stage) }),
  'GET /inbox': (_request, { inbox }) =>
    Promise.resolve({ status: 200, body: { messages: inbox.messages() } }),
  'GET /inbox/stream': (request, stage) => Promise.resolve(streamInbox(request, stage)),
  'GET /timeline': streamTimeline,
  'POST /fraud/signals': askFraudEngine,
  'POST /fraud/releases': askFraudEngine,
  'POST /identity/behaviour': (request, stage) => Promise.resolve(setBehaviour(request, stage)),
  'POST /identity/release': (_request, { identityVendor }) => {
    identityVendor.release();
    return Promise.resolve({ status: 200, body: identityOf(identityVendor) });
  },
  'POST /risk/behaviour': ({ body }, { riskDesk }) => {
    const risks = riskDesk.set(body);
    return Promise.resolve(
      risks === undefined
        ? { status: 400, body: { error: 'unknown_risk' } }
        : { status: 200, body: risks },
    );
  },
  'GET /bank/accounts': (request, stage) =>
    hasLine(request, stage) ? answerBankRequest(request, stage) : Promise.resolve(undefined),
  'POST /bank/payments': (request, stage) =>
    hasLine(request, stage) ? stage.desk.answer(request) : Promise.resolve(undefined),
  'POST /start-over': (_request, stage) => {
    const { inbox, identityVendor, livenessVendor, riskDesk, desk, parts, onError } = stage;
    desk.startOver();
    livenessVendor?.setNextEnd('pass');
    livenessVendor?.release();
    identityVendor.setBehaviour('normal');
    riskDesk.calm();
    identityVendor.release();
    inbox.clear();
    // A worker takes seconds; the stage shows that it starts.
    parts.startOver().catch((error: unknown) => onError?.(error));
    return Promise.resolve({ status: 204 });
  },
};

/** A phone without a line reaches no bank either. */
function hasLine({ response }: LocalRequest, { parts }: Stage): boolean {
  const isUp = parts.view().line.status !== 'down';
  if (!isUp) response.destroy();
  return isUp;
}

function describe(stage: Stage): Readonly<Record<string, unknown>> {
  return {
    publicUrl: stage.publicUrl,
    issuer: stage.issuer,
    clientId: stage.appClientId,
    bankUrl: `${stage.ownUrl()}/bank/accounts`,
    paymentsUrl: `${stage.ownUrl()}/bank/payments`,
    temporalUiUrl: stage.temporalUiUrl,
    temporalNamespace: stage.temporalNamespace,
    tenantId: stage.tenantId,
    operationsUrl: stage.operationsUrl,
    hasTime: stage.time !== undefined,
    identity: identityOf(stage.identityVendor),
    liveness: stage.livenessVendor && describeLiveness(stage.livenessVendor),
    risk: stage.riskDesk.risks(),
  };
}

const identityOf = (vendor: IdentityVendor) => ({
  behaviour: vendor.behaviour(),
  waiting: vendor.waiting(),
});

function setBehaviour({ body }: LocalRequest, { identityVendor }: Stage): LocalAnswer {
  const wanted = readObject(body)?.['behaviour'];
  const behaviour = IDENTITY_BEHAVIOURS.find(
    (known): known is IdentityBehaviour => known === wanted,
  );
  if (behaviour === undefined) return { status: 400, body: { error: 'unknown_behaviour' } };
  identityVendor.setBehaviour(behaviour);
  return { status: 200, body: identityOf(identityVendor) };
}

async function askFraudEngine(
  { url, body, headers }: LocalRequest,
  { fraudEngine }: Stage,
): Promise<LocalAnswer> {
  const content = readObject(body);
  if (content === undefined) return { status: 400, body: { error: 'malformed' } };
  const key = headers['idempotency-key'];
  const answer = await fraudEngine.call({
    method: 'POST',
    path: url.pathname,
    body: content,
    ...(typeof key === 'string' ? { idempotencyKey: key } : {}),
  });
  return await passOn(answer);
}

async function passOn(answer: Response): Promise<LocalAnswer> {
  const body: unknown = await answer.json().catch(() => undefined);
  const type = answer.headers.get('content-type');
  return {
    status: answer.status,
    body,
    ...(type === null ? {} : { headers: { 'content-type': type } }),
  };
}

function streamInbox({ response, headers }: LocalRequest, { inbox, publicUrl }: Stage): undefined {
  const seen = Number(headers['last-event-id'] ?? '0');
  let unsubscribe = (): void => undefined;
  const send = openStream(response, cors(publicUrl), () => {
    unsubscribe();
  });
  const tell = (message: InboxMessage) => {
    send({ id: String(message.position), name: 'message', data: message });
  };
  for (const message of inbox.messages()) if (message.position > seen) tell(message);
  unsubscribe = inbox.subscribe(tell);
  return undefined;
}

/** The API's own stream, byte for byte; when either side ends, both do. */
async function streamTimeline(
  { url, response, headers }: LocalRequest,
  { fraudEngine, publicUrl }: Stage,
): Promise<LocalAnswer | undefined> {
  const query = new URLSearchParams();
  for (const name of ['customerId', 'ceremonyId', 'after']) {
    const value = url.searchParams.get(name);
    if (value !== null) query.set(name, value);
  }
  const lastEventId = headers['last-event-id'];
  if (typeof lastEventId === 'string') query.set('after', lastEventId);
  const closing = new AbortController();
  response.once('close', () => {
    closing.abort();
  });
  const answer = await fraudEngine.call({
    method: 'GET',
    path: '/ops/timeline',
    query,
    signal: closing.signal,
  });
  if (!answer.ok || answer.body === null) return await passOn(answer);
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    ...cors(publicUrl),
  });
  response.flushHeaders();
  // The two declarations of a web stream, the DOM's and Node's, name the same object.
  const source = Readable.fromWeb(answer.body as ReadableStream);
  await pipeline(source, response).catch(() => undefined);
  return undefined;
}

function cors(origin: string): Readonly<Record<string, string>> {
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers':
      'authorization, content-digest, content-type, dpop, idempotency-key, last-event-id, signature, signature-input',
    'access-control-expose-headers': 'dpop-nonce, retry-after, www-authenticate',
    'access-control-max-age': '600',
    vary: 'origin',
  };
}
