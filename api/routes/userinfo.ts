/**
 * Userinfo, OpenID Connect Core section 5.3: what an app is told of the customer who is logged in, by the scopes that his session has now. Personal
 * data is opened only for a scope that names it, which a session that may only read never has.
 */
import type { FastifyRequest } from 'fastify';
import { customerClaims } from '../../db/customer-claims.ts';
import type { CustomerClaims } from '../../db/customer-claims.ts';
import type { ApiServices } from '../dependencies.ts';
import { NoBody, UserinfoAnswer } from '../schemas/userinfo.ts';
import { callerOf } from '../types.ts';
import type { CustomerCaller, LatchkeyApp } from '../types.ts';

const PATH = '/oauth/userinfo';

export function registerUserinfoRoutes(app: LatchkeyApp, services: ApiServices): void {
  const schema = {
    summary: 'Who the customer is, by scope',
    description:
      'OpenID Connect Core section 5.3, with a DPoP-bound access token. `openid` tells `sub`; `profile`, `email` and `phone` open what they name.',
    tags: ['oauth'],
    response: { 200: UserinfoAnswer },
  };
  const problems = ['insufficient_scope'] as const;
  const answer = (request: FastifyRequest) => tellAbout(request, services);
  app.get(PATH, { schema, config: { operationId: 'userinfo', problems } }, answer);
  const posted = { ...schema, consumes: ['application/x-www-form-urlencoded'], body: NoBody };
  app.post(PATH, { schema: posted, config: { operationId: 'postUserinfo', problems } }, answer);
}

async function tellAbout(
  request: FastifyRequest,
  { database, personalData }: ApiServices,
): Promise<UserinfoAnswer> {
  const { tenantId } = request.tenant;
  const caller = callerOf(request, 'customer');
  const has = (scope: string) => caller.scopes.includes(scope);
  const may = { profile: has('profile'), email: has('email'), phone: has('phone') };
  const subject = { tenantId, customerId: caller.customerId };
  const claims = await database.tenant(tenantId, (tx) =>
    customerClaims(tx, personalData, subject, may),
  );
  return toAnswer(caller, claims);
}

function toAnswer(
  { customerId, acr, roles }: CustomerCaller,
  { identity, locale, email, phone }: CustomerClaims,
): UserinfoAnswer {
  return {
    sub: customerId,
    acr,
    ...(roles.length === 0 ? {} : { roles: [...roles] }),
    ...(identity === undefined
      ? {}
      : {
          name: `${identity.givenName} ${identity.familyName}`,
          given_name: identity.givenName,
          family_name: identity.familyName,
          birthdate: identity.birthDate,
        }),
    ...(locale === undefined ? {} : { locale }),
    ...(email === undefined ? {} : { email, email_verified: true }),
    ...(phone === undefined ? {} : { phone_number: phone, phone_number_verified: true }),
  };
}
