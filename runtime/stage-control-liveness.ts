/** The liveness vendor's buttons on the stage: how its next session ends, and the release of those that wait. */
import { LIVENESS_ENDS } from './liveness-vendor.ts';
import type { LivenessVendor } from './liveness-vendor.ts';
import { readObject } from './local-http.ts';
import type { LocalAnswer, LocalRequest } from './local-http.ts';

/** undefined: it is no request about liveness. */
export function answerLivenessRequest(
  { method, url, body }: Pick<LocalRequest, 'method' | 'url' | 'body'>,
  vendor: LivenessVendor | undefined,
): LocalAnswer | undefined {
  if (method !== 'POST' || !url.pathname.startsWith('/liveness/')) return undefined;
  if (vendor === undefined) return { status: 409, body: { error: 'no_liveness_vendor' } };
  if (url.pathname === '/liveness/release') vendor.release();
  else if (url.pathname === '/liveness/next') {
    const wanted = readObject(body)?.['end'];
    const end = LIVENESS_ENDS.find((known) => known === wanted);
    if (end === undefined) return { status: 400, body: { error: 'unknown_end' } };
    vendor.setNextEnd(end);
  } else return undefined;
  return { status: 200, body: describeLiveness(vendor) };
}

/** With every end that may be asked for, so that the page need not know them. */
export const describeLiveness = (vendor: LivenessVendor) => ({
  next: vendor.nextEnd(),
  ends: LIVENESS_ENDS,
  waiting: vendor.waiting(),
});
