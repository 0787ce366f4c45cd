/** The agent's pane of the stage: she asks the customer on the line to prove himself, and sees how that stands. As herself, through the bank's own door. */
import type { DemoAgent } from './demo-agent.ts';
import { readObject } from './local-http.ts';
import type { LocalAnswer, LocalRequest } from './local-http.ts';

const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** undefined: it is no request about calls. */
export async function answerCallsRequest(
  { method, url, body }: LocalRequest,
  agent: DemoAgent | undefined,
): Promise<LocalAnswer | undefined> {
  const [, room, stepUpId = ''] = url.pathname.split('/');
  if (room !== 'calls') return undefined;
  if (agent === undefined) return { status: 409, body: { error: 'no_agent' } };
  if (method === 'GET' && ID.test(stepUpId))
    return await passOn(await agent.call({ method, path: `/staff/calls/${stepUpId}` }));
  const { customerId, caseReference } = readObject(body) ?? {};
  if (method !== 'POST' || typeof customerId !== 'string' || !ID.test(customerId))
    return { status: 400, body: { error: 'malformed' } };
  const path = `/staff/customers/${customerId}/calls`;
  return await passOn(await agent.call({ method, path, body: { caseReference } }));
}

async function passOn(answer: Response): Promise<LocalAnswer> {
  const body: unknown = await answer.json().catch(() => ({ error: 'no_answer' }));
  return { status: answer.status, body };
}
