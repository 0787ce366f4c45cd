/** Dead letters at the operations door: what could not be delivered, and trying again. What a letter carries stays where it is. */
import { appendAudit } from '../../db/audit.ts';
import { listDead, retryDead } from '../../db/outbox.ts';
import type { DeadRow } from '../../db/outbox.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { ApiServices } from '../dependencies.ts';
import { isoTime } from '../iso-time.ts';
import { PageQuery, pageOf, readPage } from '../page-cursor.ts';
import { DeadLetterParams, DeadLettersAnswer, RetriedAnswer } from '../schemas/dead-letters.ts';
import type { DeadLetterView } from '../schemas/dead-letters.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

const tags = ['operations'];
const POSITION = /^[0-9]{1,15}$/;

export function registerDeadLetterRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerList(app, services);
  registerRetry(app, services);
}

function registerList(app: LatchkeyApp, { database }: ApiServices): void {
  const schema = {
    summary: 'List dead letters',
    description: 'In the order in which they were written.',
    tags,
    querystring: PageQuery,
    response: { 200: DeadLettersAnswer },
  };
  const config = { operationId: 'listDeadLetters' } as const;
  app.get('/ops/dead-letters', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const asked = readPage(request.query, POSITION);
    const after = asked.after === undefined ? 0 : Number(asked.after);
    const rows = await database.tenant(tenantId, (tx) =>
      listDead(tx, { tenantId, after, limit: asked.readLimit }),
    );
    const { entries, next } = pageOf(rows, asked, ({ position }) => String(position));
    return { deadLetters: entries.map(deadLetterView), next };
  });
}

function registerRetry(app: LatchkeyApp, { database, idempotency }: ApiServices): void {
  const schema = {
    summary: 'Deliver a dead letter again',
    description: 'Due at once, at its old place in the order, its attempts counted anew.',
    tags,
    params: DeadLetterParams,
    body: EmptyBody,
    response: { 200: RetriedAnswer },
  };
  const config = { operationId: 'retryDeadLetter', problems: ['not_found'] } as const;
  app.post('/ops/dead-letters/:outboxId/retry', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const { outboxId } = request.params;
    return await idempotency.run(request, {
      work: async (claim) => {
        await database.tenant(tenantId, async (tx) => {
          if (!(await retryDead(tx, { tenantId, outboxId }))) throw new LatchkeyError('not_found');
          await appendAudit(tx, {
            tenantId,
            actor: { kind: 'staff', id: staffId },
            action: 'staff.dead_letter_retried',
            subject: { kind: 'outbox', id: outboxId },
          });
          await claim.settle(tx, outboxId);
        });
        return { reference: outboxId, answer: { outboxId } };
      },
      replay: () => Promise.resolve({ outboxId }),
    });
  });
}

function deadLetterView({ createdAtMs, position: _position, ...row }: DeadRow): DeadLetterView {
  return { ...row, sinks: [...row.sinks], createdAt: isoTime(createdAtMs) };
}
