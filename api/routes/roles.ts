/** Where the bank's systems say which roles a customer has. Latchkey decides nothing by them: they are carried to services as a claim. */
import { rolesOf, setRoles } from '../../db/roles.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { ApiServices } from '../dependencies.ts';
import { RolesAnswer, RolesBody, RolesParams } from '../schemas/roles.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

export function registerRolesRoutes(app: LatchkeyApp, services: ApiServices): void {
  const { database, idempotency } = services;
  const schema = {
    summary: 'Say which roles a customer has',
    description:
      'Takes the place of all that he had. Introspection and userinfo tell them at once, tokens from their next issue on (RFC 9068 section 2.2.3.1).',
    tags: ['customers'],
    params: RolesParams,
    body: RolesBody,
    response: { 200: RolesAnswer },
  };
  const config = { operationId: 'setRoles', problems: ['not_found'] } as const;
  app.post('/customers/:customerId/roles', { schema, config }, (request) => {
    const { tenantId } = request.tenant;
    const { clientId } = callerOf(request, 'machine');
    const { customerId } = request.params;
    const { roles } = request.body;
    return idempotency.run(request, {
      work: async (claim) => {
        await database.tenant(tenantId, async (tx) => {
          const isThere = await setRoles(tx, { tenantId, customerId, roles, clientId });
          if (!isThere) throw new LatchkeyError('not_found');
          await claim.settle(tx, customerId);
        });
        return { reference: customerId, answer: { roles } };
      },
      replay: async () => {
        const now = await database.tenant(tenantId, (tx) => rolesOf(tx, { tenantId, customerId }));
        if (now === undefined) throw new LatchkeyError('not_found');
        return { roles: [...now] };
      },
    });
  });
}
