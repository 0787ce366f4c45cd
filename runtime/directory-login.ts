/** Logs a person of the demo's staff directory in as a browser would, without one. It must not know anything of Latchkey's own door. */
import type { DemoPersonId } from './staff-people.ts';

const STEPS = 10;

/**
 * Follows an authorization request to where the directory sends the person back: the client's redirect URI with its code (or error).
 * `person` may be anyone whom the directory was started with.
 */
export async function logInAtDirectory(
  authorizationUrl: string,
  person: DemoPersonId | (string & {}),
): Promise<string> {
  const directory = new URL(authorizationUrl).origin;
  const cookies = new Map<string, string>();
  let next = { url: authorizationUrl, form: undefined as string | undefined };
  for (let step = 0; step < STEPS; step += 1) {
    const answer = await fetch(next.url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(next.form === undefined
        ? {}
        : { method: 'POST', body: new URLSearchParams({ person: next.form }) }),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(';')[0]?.split(/=(.*)/s) ?? [];
      cookies.set(name, value);
    }
    const location = answer.headers.get('location');
    if (location === null) {
      if (next.form !== undefined || !answer.ok) {
        throw new Error(`the staff directory answered ${answer.status}: ${await answer.text()}`);
      }
      next = { url: next.url, form: person };
      continue;
    }
    const url = new URL(location, next.url);
    if (url.origin !== directory) return url.href;
    next = { url: url.href, form: undefined };
  }
  throw new Error('the staff directory redirects without end');
}
