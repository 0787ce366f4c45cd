/** A change of a device under its Idempotency-Key, whoever asks for it: done once, in one transaction, and answered again from its reference. */
import type { FastifyRequest } from 'fastify';
import type { Tx } from '../db/connection.ts';
import type { ChangedDevice } from '../db/device-changes.ts';
import type { ApiServices } from './dependencies.ts';
import type { ChangedDeviceAnswer } from './schemas/devices.ts';

/** @throws what the change throws; nothing of it stays then */
export async function changeOnce(
  { database, idempotency }: Pick<ApiServices, 'database' | 'idempotency'>,
  request: FastifyRequest,
  { deviceId, change }: { deviceId: string; change: (tx: Tx) => Promise<ChangedDevice> },
): Promise<ChangedDeviceAnswer> {
  return await idempotency.run(request, {
    work: async (claim) => {
      const reference = await database.tenant(request.tenant.tenantId, async (tx) => {
        const { status, sessionsEnded } = await change(tx);
        const made = `${status} ${String(sessionsEnded)}`;
        await claim.settle(tx, made);
        return made;
      });
      return { reference, answer: answerOf(deviceId, reference) };
    },
    replay: (reference) => Promise.resolve(answerOf(deviceId, reference)),
  });
}

function answerOf(deviceId: string, reference: string): ChangedDeviceAnswer {
  const [status = '', sessionsEnded] = reference.split(' ');
  return { deviceId, status, sessionsEnded: Number(sessionsEnded) };
}
