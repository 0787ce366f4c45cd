/** What a tenant publishes is true: every endpoint, method, grant, scope and claim that is named exists, and nothing else is named. */
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import { createCaller } from '../setup/callers.ts';
import { createBanker, logIn } from '../setup/login-bed.ts';
import { createMachine } from '../setup/machine.ts';
import type { TestApi } from '../setup/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  await api.close();
});

interface Metadata {
  readonly [member: string]: string | boolean | readonly string[];
}

const WELL_KNOWN = '/.well-known/oauth-authorization-server';

async function read(path: string, from = api): Promise<Metadata> {
  const answer = await from.app.inject({ url: path });
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['cache-control']).toBe('public, max-age=60');
  return answer.json<Metadata>();
}

const list = (value: Metadata[string] | undefined) => (Array.isArray(value) ? [...value] : []);

describe('metadata', () => {
  it('is the same at every address where the standards look for it', async () => {
    const metadata = await read(`${WELL_KNOWN}/t/demo`);
    expect(metadata['issuer']).toBe(`${api.publicUrl}/t/demo`);
    expect(await read('/t/demo/.well-known/openid-configuration')).toEqual(metadata);
    expect(await read(`/t/demo${WELL_KNOWN}`)).toEqual(metadata);
  });

  it('of a tenant at the root stands at the root, and others’ where they were', async () => {
    const own = await startTestApi({ tenantAtRoot: 'demo' });
    await own.addTenant('other');
    const metadata = await read(WELL_KNOWN, own);
    const other = await read(`${WELL_KNOWN}/t/other`, own);
    await own.close();
    expect(metadata['issuer']).toBe(own.publicUrl);
    expect(other['issuer']).toBe(`${own.publicUrl}/t/other`);
  });

  it('of a tenant that nobody knows is not there', async () => {
    const answer = await api.app.inject({ url: `${WELL_KNOWN}/t/nobody` });
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ code: 'not_found' });
  });

  it('may be read by any page', async () => {
    const answer = await api.app.inject({
      url: `${WELL_KNOWN}/t/demo`,
      headers: { origin: 'https://anywhere.test' },
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
  });

  it('names endpoints that are there', async () => {
    const metadata = await read(`${WELL_KNOWN}/t/demo`);
    const endpoints = Object.entries(metadata).filter(([name]) => /_endpoint$|_uri$/.test(name));
    expect(endpoints.map(([name]) => name)).toEqual([
      'jwks_uri',
      'token_endpoint',
      'introspection_endpoint',
      'revocation_endpoint',
      'userinfo_endpoint',
    ]);
    for (const [, url] of endpoints) {
      const { pathname } = new URL(String(url));
      const codes = await Promise.all(
        (['GET', 'POST'] as const).map(async (method) => {
          const answer = await api.app.inject({ method, url: pathname });
          return answer.statusCode;
        }),
      );
      expect(codes.some((code) => code !== 404 && code !== 405)).toBe(true);
    }
  });

  it('names the grants that the token endpoint knows, and no other is known', async () => {
    const { grant_types_supported: named } = await read(`${WELL_KNOWN}/t/demo`);
    expect(named).toEqual(['client_credentials', 'refresh_token']);
    for (const grant_type of [...list(named), 'password', 'authorization_code']) {
      const { body } = await (await createCaller(api)).postForm('/oauth/token', { grant_type });
      expect({ [grant_type]: body.error === 'unsupported_grant_type' }).toEqual({
        [grant_type]: !list(named).includes(grant_type),
      });
    }
  });

  it('names every scope, claim and strength that a token has', async () => {
    const metadata = await read(`${WELL_KNOWN}/t/demo`);
    const banker = await createBanker(api);
    const { body } = await logIn(banker, banker.phone);
    const machine = await createMachine(api, { client: 'demo-bank' });
    const scopes = [String(body.scope), String(decodeJwt(machine.accessToken ?? '')['scope'])];
    expect(list(metadata['scopes_supported'])).toEqual(
      expect.arrayContaining(scopes.flatMap((scope) => scope.split(' '))),
    );
    expect(list(metadata['acr_values_supported'])).toContain(body.acr);
    const userinfo = await banker.phone.get('/oauth/userinfo');
    const claims = [decodeJwt(String(body.id_token)), userinfo.body as object].flatMap(Object.keys);
    expect(list(metadata['claims_supported'])).toEqual(expect.arrayContaining(claims));
  });

  it('names no way that a request could bring more than it seems to', async () => {
    const metadata = await read(`${WELL_KNOWN}/t/demo`);
    expect(metadata).toMatchObject({
      response_types_supported: [],
      request_parameter_supported: false,
      request_uri_parameter_supported: false,
      claims_parameter_supported: false,
    });
    expect(metadata).not.toHaveProperty('authorization_endpoint');
  });
});

describe('the document', () => {
  it('says of what any page may read no refusal of an origin', () => {
    const { paths } = api.app.swagger() as unknown as {
      paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
    };
    for (const path of ['/t/{tenant}/.well-known/jwks.json', `${WELL_KNOWN}/t/{tenant}`])
      expect(Object.keys(paths[path]?.['get']?.responses ?? {})).not.toContain('403');
  });
});
