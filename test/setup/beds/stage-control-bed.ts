/** Stage control over an API, an inbox and an identity vendor of its own, with parts that only note which button was pressed. */
import { startIdentityVendor } from '../../../runtime/identity-vendor.ts';
import type { IdentityVendor } from '../../../runtime/identity-vendor.ts';
import { startInbox } from '../../../runtime/inbox.ts';
import type { Inbox } from '../../../runtime/inbox.ts';
import type { LocalServer } from '../../../runtime/local-http.ts';
import type { PartRefusal, Parts, PartsView } from '../../../runtime/parts.ts';
import { findFreePort } from '../../../runtime/ports.ts';
import { startStageControl } from '../../../runtime/stage-control.ts';
import { SIGNATURE_HEADER, signBody } from '../../../runtime/vendor-signature.ts';
import { FakeStageApi } from '../vendors/fake-stage-api.ts';

export const PUBLIC_URL = 'http://localhost:4600';
export const STAGE_SECRET = 'the secret of this test';
/** When the parts came up. */
export const SINCE = '2026-03-01T10:00:00.000Z';

const clock = { nowMs: () => Date.now() };

/** Parts that note which button was pressed. */
class FakeParts implements Parts {
  readonly pressed: string[] = [];
  lineStatus: PartsView['line']['status'] = 'up';
  refusal: PartRefusal | undefined;

  view = (): PartsView => ({
    line: { status: this.lineStatus, since: SINCE },
    worker: { status: 'up', since: SINCE, buildId: 'build-1' },
    temporal: { status: 'up', since: SINCE },
    events: [],
  });
  dropNextAnswer = () => void this.#press('drop');
  restoreLine = () => void this.#press('restore');
  stopWorker = async () => void (await this.#press('stop worker'));
  startWorker = async () => void (await this.#press('start worker'));
  stopTemporal = () => this.#press('stop temporal');
  startTemporal = () => this.#press('start temporal');
  deploy = () => this.#press('deploy');
  resumeAll = async () => void (await this.#press('resume'));
  startOver = async () => void (await this.#press('start over'));

  #press(button: string): Promise<PartRefusal | undefined> {
    this.pressed.push(button);
    return Promise.resolve(this.refusal);
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown> | undefined;
}

export interface StageControlBed {
  readonly api: FakeStageApi;
  readonly issuer: string;
  readonly inbox: Inbox;
  readonly identityVendor: IdentityVendor;
  readonly parts: FakeParts;
  readonly askedBuilds: readonly string[];
  readonly control: LocalServer;
  /** As the stage's page calls. */
  call(method: string, path: string, init?: RequestInit): Promise<Answer>;
  post(path: string, content?: unknown): Promise<Answer>;
  /** A message for the inbox, as the supplier's client sends it. */
  sendSms(reference: string): Promise<void>;
  close(): Promise<void>;
}

export async function openStageControl(): Promise<StageControlBed> {
  const api = new FakeStageApi();
  const issuer = await api.start();
  const smtpPort = await findFreePort();
  const inbox = await startInbox({ port: 0, smtpPort, smsSecret: STAGE_SECRET, clock });
  const identityVendor = await startIdentityVendor({ port: 0, secret: STAGE_SECRET, clock });
  const parts = new FakeParts();
  const askedBuilds: string[] = [];
  const control = await startStageControl({
    parts,
    builds: {
      of: (workflowId) => {
        askedBuilds.push(workflowId);
        return Promise.resolve('build-1');
      },
    },
    tenantId: 'ten_1',
    port: 0,
    publicUrl: PUBLIC_URL,
    issuer,
    appClientId: 'demo-app',
    fraudClientId: 'demo-fraud',
    gatewayId: 'demo-bank',
    inbox,
    identityVendor,
    clock,
    riskSecret: STAGE_SECRET,
    onError: (error) => {
      throw error;
    },
  });
  const call = (method: string, path: string, init?: RequestInit) =>
    callFrom(control, { ...init, method, path });
  return {
    api,
    issuer,
    inbox,
    identityVendor,
    parts,
    askedBuilds,
    control,
    call,
    post: (path, content = {}) => call('POST', path, { body: JSON.stringify(content) }),
    sendSms: (reference) => sendSms(inbox, reference),
    close: async () => {
      await Promise.all([control.stop(), inbox.stop(), identityVendor.stop()]);
      api.server?.closeAllConnections();
      api.server?.close();
    },
  };
}

async function callFrom(
  { url }: LocalServer,
  { path, ...init }: RequestInit & { readonly path: string },
): Promise<Answer> {
  const headers = { origin: PUBLIC_URL, ...(init.headers as Record<string, string> | undefined) };
  const answer = await fetch(`${url}${path}`, { ...init, headers });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    // What stage control answers is JSON made by itself.
    body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>),
  };
}

async function sendSms({ smsUrl }: Inbox, reference: string): Promise<void> {
  const body = JSON.stringify({ to: '+491', text: 'code', reference });
  await fetch(smsUrl, {
    method: 'POST',
    headers: { [SIGNATURE_HEADER]: signBody({ secret: STAGE_SECRET, body }, Date.now()) },
    body,
  });
}
