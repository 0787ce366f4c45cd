/** A browser at the operations door, as far as a login needs one: it keeps cookies by their rules and shows where it is sent, without going. */
import type { TestApi } from '../api.ts';
import type { Answer } from '../callers.ts';
import { knock } from '../staff.ts';

export interface StaffBrowser {
  readonly cookies: Map<string, string>;
  /** A path, as typed, or an address of the operations origin, followed from where the provider or the door names it. */
  open(address: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
}

export function createStaffBrowser(api: TestApi): StaffBrowser {
  const cookies = new Map<string, string>();
  return {
    cookies,
    open: async (address, headers = {}) => {
      const url = new URL(address, api.operations.url);
      if (url.origin !== api.operations.url) throw new Error(`${url.origin} is not the door`);
      const answer = await knock(api, {
        path: `${url.pathname}${url.search}`,
        headers: {
          accept: 'text/html',
          'sec-fetch-mode': 'navigate',
          'sec-fetch-site': address.startsWith('/') ? 'none' : 'cross-site',
          ...(cookies.size === 0
            ? {}
            : { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
          ...headers,
        },
      });
      for (const line of [answer.headers['set-cookie'] ?? []].flat()) keep(cookies, String(line));
      return answer;
    },
  };
}

function keep(cookies: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split('; ');
  const at = pair.indexOf('=');
  const name = pair.slice(0, at);
  for (const needed of ['Path=/', 'Secure', 'HttpOnly', 'SameSite=Lax']) {
    if (!attributes.includes(needed)) throw new Error(`a cookie without ${needed}`);
  }
  if (attributes.includes('Max-Age=0')) cookies.delete(name);
  else cookies.set(name, pair.slice(at + 1));
}
