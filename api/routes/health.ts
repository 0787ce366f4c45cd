/** Whether the process lives and whether it can serve. Public, without a tenant; names what is missing, never where it was looked for. */
import { Type } from 'typebox';
import type { ApiServices, ReadinessCheck } from '../dependencies.ts';
import type { LatchkeyApp } from '../types.ts';

const HealthAnswer = Type.Object({
  status: Type.Union([Type.Literal('ready'), Type.Literal('not_ready')]),
  checks: Type.Array(
    Type.Object({
      name: Type.String(),
      ready: Type.Boolean(),
      detail: Type.Optional(Type.String()),
    }),
  ),
});

interface Check {
  readonly name: string;
  readonly ready: boolean;
  readonly detail?: string;
}

export function registerHealthRoutes(app: LatchkeyApp, services: ApiServices): void {
  app.get(
    '/livez',
    {
      schema: {
        summary: 'Is the process alive?',
        tags: ['health'],
        response: { 200: HealthAnswer },
      },
      config: { operationId: 'livez' },
    },
    async () => ({ status: 'ready' as const, checks: [] }),
  );
  app.get(
    '/readyz',
    {
      schema: {
        summary: 'Can the process serve? Names what is not ready.',
        tags: ['health'],
        response: { 200: HealthAnswer, 503: HealthAnswer },
      },
      config: { operationId: 'readyz' },
    },
    async (_request, reply) => {
      const checks = await runChecks(services);
      const isReady = checks.every(({ ready }) => ready);
      if (!isReady) reply.header('retry-after', '1');
      return await reply
        .code(isReady ? 200 : 503)
        .send({ status: isReady ? 'ready' : 'not_ready', checks });
    },
  );
}

async function runChecks({ database, temporal, readiness = [] }: ApiServices): Promise<Check[]> {
  const all: readonly ReadinessCheck[] = [
    {
      name: 'database',
      detail: 'does not answer',
      isReady: () => database.ping().then(() => true),
    },
    {
      name: 'migrations',
      // The schema's narrow door opens only once the schema is there.
      detail: 'there is no tenant: migrate and make one',
      isReady: () => database.tenants().then((tenants) => tenants.length > 0),
    },
    { name: 'temporal', detail: 'does not answer', isReady: () => temporal.healthy() },
    ...readiness,
  ];
  return await Promise.all(all.map(check));
}

async function check({ name, detail, isReady }: ReadinessCheck): Promise<Check> {
  const ready = await isReady().catch(() => false);
  return ready ? { name, ready } : { name, ready, detail };
}
