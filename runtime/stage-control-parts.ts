/**
 * The "break it" buttons of the stage: what stands, and one route a button. Answered when it is done, with what stands then. It must never
 * touch what this stack did not start.
 */
import { workflowId } from '../domain/ids.ts';
import type { CeremonyBuilds } from './ceremony-build.ts';
import type { LocalAnswer, LocalRequest } from './local-http.ts';
import type { PartRefusal, Parts } from './parts.ts';

const CEREMONY_ID = /^[A-Za-z0-9_-]{1,64}$/;

export interface PartsDesk {
  readonly parts: Parts;
  readonly builds: Pick<CeremonyBuilds, 'of'>;
  /** Without it no ceremony can be named. */
  readonly tenantId?: string;
}

type Button = (parts: Parts) => Promise<PartRefusal | undefined | void> | void;

const BUTTONS: Readonly<Record<string, Button | undefined>> = {
  '/parts/line/drop': (parts) => {
    parts.dropNextAnswer();
  },
  '/parts/line/restore': (parts) => {
    parts.restoreLine();
  },
  '/parts/worker/stop': (parts) => parts.stopWorker(),
  '/parts/worker/start': (parts) => parts.startWorker(),
  '/parts/worker/deploy': (parts) => parts.deploy(),
  '/parts/temporal/stop': (parts) => parts.stopTemporal(),
  '/parts/temporal/start': (parts) => parts.startTemporal(),
  '/parts/resume': (parts) => parts.resumeAll(),
};

/** undefined: it is no request about parts. */
export async function answerPartsRequest(
  { method, url }: Pick<LocalRequest, 'method' | 'url'>,
  desk: PartsDesk,
): Promise<LocalAnswer | undefined> {
  if (method === 'GET' && url.pathname === '/parts')
    return await describeParts(desk, url.searchParams.get('enrollmentId'));
  const button = method === 'POST' ? BUTTONS[url.pathname] : undefined;
  if (button === undefined) return undefined;
  const refusal = await button(desk.parts);
  if (refusal !== undefined) return { status: 409, body: { error: refusal } };
  return { status: 200, body: desk.parts.view() };
}

async function describeParts(
  { parts, builds, tenantId }: PartsDesk,
  enrollmentId: string | null,
): Promise<LocalAnswer> {
  if (enrollmentId === null) return { status: 200, body: parts.view() };
  if (!CEREMONY_ID.test(enrollmentId)) return { status: 400, body: { error: 'malformed' } };
  const buildId =
    tenantId === undefined
      ? undefined
      : await builds.of(workflowId('enrollment', tenantId, enrollmentId));
  return { status: 200, body: { ...parts.view(), ceremony: { enrollmentId, buildId } } };
}
