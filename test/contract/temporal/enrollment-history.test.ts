import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { temporal } from '@temporalio/proto';
import { workflowId } from '../../../domain/ids.ts';
import { createDataConverter } from '../../../temporal/data-converter.ts';
import { hasClosed } from '../../setup/rows/enrollment-rows.ts';
import { SOMEBODY } from '../../setup/somebody.ts';
import { EnrollmentStack } from '../../setup/beds/enrollment-stack.ts';
import type { Enrollee } from '../../setup/beds/enrollment-stack.ts';
import { TEST_PAYLOAD_KEYS } from '../../setup/payload-keys.ts';
import { recordHistory } from '../../setup/temporal/recorded-history.ts';

let stack: EnrollmentStack;
beforeAll(async () => {
  stack = await EnrollmentStack.start();
});
afterAll(async () => {
  await stack?.close();
});

async function closed(enrollee: Enrollee, name: string): Promise<string> {
  await expect.poll(() => hasClosed(stack.api, enrollee), { timeout: 30_000 }).toBe(true);
  const id = workflowId('enrollment', stack.api.tenantId, enrollee.enrollmentId);
  await expect.poll(() => stack.temporal.gateway.describe(id), { timeout: 30_000 }).toBe('closed');
  const { namespace, connection } = stack;
  await recordHistory(connection, { name: `enrollment.${name}`, namespace, workflowId: id });
  return id;
}

type Payload = temporal.api.common.v1.IPayload;

/** Every payload of a message, however deep. */
function* payloadsIn(value: unknown): Generator<Payload> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  // A payload is known by its two members.
  if ('metadata' in value && 'data' in value) yield value as Payload;
  else for (const member of Object.values(value)) yield* payloadsIn(member);
}

describe('the history of an enrollment on the real server', () => {
  test('holds neither number, address, name, document nor code, not even decoded', async () => {
    const enrollee = await stack.begin();
    const email = `${enrollee.enrollmentId}@example.test`;
    await stack.provePhone(enrollee);
    await stack.proveIdentity(enrollee, 'CANARY4711');
    await stack.proveEmail(enrollee, email);
    expect(await stack.bind(enrollee)).toMatchObject({ body: { outcome: 'completed' } });
    const id = await closed(enrollee, 'completed');

    const { namespace, connection } = stack;
    const { history } = await connection.workflowService.getWorkflowExecutionHistory({
      namespace,
      execution: { workflowId: id },
    });
    const plain = 'json/plain';
    // Search attributes stay in clear: the whole history is searched too.
    const payloads = [...payloadsIn(history)].filter(
      ({ metadata }) => Buffer.from(metadata?.['encoding'] ?? []).toString() !== plain,
    );
    const [codec] = createDataConverter({ namespace, keys: TEST_PAYLOAD_KEYS }).payloadCodecs ?? [];
    if (codec === undefined) throw new Error('payloads are encrypted by a codec');
    const decoded = await codec.decode(payloads);
    const text = [
      JSON.stringify(history),
      ...decoded.map(({ data }) => Buffer.from(data ?? []).toString('utf8')),
    ].join('\n');
    // What is there shows that the search can find something.
    expect(text).toContain(enrollee.enrollmentId);
    expect(text).toContain('code_matched');
    const secrets = [
      enrollee.number,
      enrollee.number.slice(1),
      email,
      SOMEBODY.givenName,
      SOMEBODY.familyName,
      SOMEBODY.birthDate,
      'CANARY4711',
    ];
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
    const codes = [...stack.codesTo(enrollee.number), ...stack.codesTo(email)];
    const digits = decoded.map(({ data }) => Buffer.from(data ?? []).toString('utf8')).join('\n');
    expect(codes.filter((code) => digits.includes(`"${code}"`))).toEqual([]);
    expect(history?.events?.length).toBeLessThan(120);
  });

  test('that was cancelled closes by its doorbell', async () => {
    const enrollee = await stack.begin();
    await stack.to(enrollee, 'identity');
    await enrollee.phone.post(`${enrollee.path}/cancel`, {});
    await closed(enrollee, 'cancelled');
    expect(await enrollee.phone.get(enrollee.path)).toMatchObject({
      body: { outcome: 'cancelled' },
    });
  });

  test('that was denied after wrong codes and a refused identity closes by itself', async () => {
    const enrollee = await stack.begin();
    const { phone, path, number } = enrollee;
    const wrong = (await stack.codeTo(number)) === '000000' ? '000001' : '000000';
    await phone.post(`${path}/phone-code`, { code: wrong });
    await stack.provePhone(enrollee);
    const since = stack.checks.length;
    await stack.handInIdentity(enrollee);
    await stack.decide(await stack.checkOf(enrollee, since), 'refused');
    await closed(enrollee, 'denied');
    expect(await phone.get(path)).toMatchObject({ body: { reason: 'identity_refused' } });
  });
});
