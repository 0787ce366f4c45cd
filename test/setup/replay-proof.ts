/** Sends the very same bytes twice, as an HTTP layer that retries by itself does: the DPoP proof included. */
import type { TestApi } from './api.ts';
import type { Caller } from './callers.ts';
import { makeProof } from './proof.ts';

/** Answers both statuses and bodies. */
export async function sendTwice(
  api: TestApi,
  phone: Caller,
  form: Readonly<Record<string, string>>,
): Promise<readonly { readonly status: number; readonly body: unknown }[]> {
  const url = `${api.prefix}/oauth/token`;
  const first = await api.app.inject({ method: 'GET', url: '/livez' });
  const proof = await makeProof({
    key: phone.key,
    method: 'POST',
    htu: `${api.publicUrl}${url}`,
    nowMs: api.clock.nowMs(),
    nonce: String(first.headers['dpop-nonce']),
  });
  const send = async () => {
    const answer = await api.app.inject({
      method: 'POST',
      url,
      headers: { dpop: proof, 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams(form).toString(),
    });
    return { status: answer.statusCode, body: answer.json<unknown>() };
  };
  return [await send(), await send()];
}
