/** Whether the process lives and whether it can serve. Public, without a tenant; names what is missing, never where it was looked for. */
import { Type } from 'typebox';
import type { ApiServices } from '../dependencies.ts';
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

async function runChecks({ database, temporal }: ApiServices): Promise<Check[]> {
  return await Promise.all([
    check('database', 'does not answer', async () => {
      await database.ping();
      return true;
    }),
    // The narrow door of the schema opens only once the schema is there.
    check(
      'migrations',
      'no tenant: migrate and make one',
      async () => (await database.tenants()).length > 0,
    ),
    check('temporal', 'does not answer', () => temporal.healthy()),
  ]);
}

async function check(name: string, detail: string, ask: () => Promise<boolean>): Promise<Check> {
  try {
    return (await ask()) ? { name, ready: true } : { name, ready: false, detail };
  } catch {
    return { name, ready: false, detail };
  }
}
