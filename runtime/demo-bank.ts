/**
 * The demo bank's accounts, a service behind the gateway check: it asks the API about each request as nginx auth_request would, and
 * itself sees only the identity headers that the check answers. It must never look at the token, and never answer when unsure.
 */
import type { LocalAnswer, LocalRequest } from './local-http.ts';

const CHECK_TIMEOUT_MS = 3_000;
/** In the country of the stage's example number; no bank has the prefix 99. */
const ACCOUNTS = [
  { number: '99-0123-0456789-00', name: 'Everyday', currency: 'NZD', balance: '2418.55' },
  { number: '99-0123-0456789-50', name: 'Savings', currency: 'NZD', balance: '15300.00' },
] as const;
const IDENTITY_HEADERS = {
  userId: 'x-user-id',
  deviceId: 'x-device-id',
  sessionId: 'x-session-id',
  scopes: 'x-scopes',
  authStrength: 'x-auth-strength',
  risk: 'x-risk',
} as const;

export interface BankGateway {
  readonly issuer: string;
  readonly gatewayId: string;
}

/** 200 with the accounts and what the bank was told, else what the check answered. */
export async function answerBankRequest(
  request: LocalRequest,
  gateway: BankGateway,
): Promise<LocalAnswer> {
  const check = await askGateway(request, gateway).catch(() => undefined);
  if (check === undefined) return { status: 503, body: { error: 'gateway_unreachable' } };
  if (check.status === 200) {
    return {
      status: 200,
      body: { accounts: ACCOUNTS, seenByTheBank: identity(check.headers) },
      headers: copyHeaders(check.headers, ['dpop-nonce']),
    };
  }
  const body: unknown = await check.json().catch(() => ({ error: 'refused' }));
  const status = check.status === 401 || check.status === 403 ? check.status : 503;
  return { status, body, headers: copyHeaders(check.headers, ['dpop-nonce', 'www-authenticate']) };
}

async function askGateway(
  { method, url, headers }: LocalRequest,
  { issuer, gatewayId }: BankGateway,
): Promise<Response> {
  const { authorization, dpop } = headers;
  return await fetch(`${issuer}/gateway/verify`, {
    headers: {
      'x-gateway-id': gatewayId,
      'x-original-method': method,
      'x-original-uri': `${url.pathname}${url.search}`,
      ...(authorization === undefined ? {} : { authorization }),
      ...(typeof dpop === 'string' ? { dpop } : {}),
    },
    redirect: 'error',
    signal: AbortSignal.timeout(CHECK_TIMEOUT_MS),
  });
}

function identity(headers: Headers): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    Object.entries(IDENTITY_HEADERS).map(([name, header]) => [name, headers.get(header)]),
  );
}

function copyHeaders(headers: Headers, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
}
