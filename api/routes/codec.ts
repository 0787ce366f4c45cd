/**
 * Temporal's remote codec protocol, decoding only: what the UI shows of a history is opened here for staff who may read it. A decryption oracle
 * (SECURITY.md section 6), so: two roles, their own tenant's workflows, a bound on size and number, and an audit row of who read what.
 */
import type { Payload, PayloadCodec } from '@temporalio/common';
import { noteDecoding } from '../../db/decodings.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { boundWorkflow } from '../../temporal/payload-codec.ts';
import type { ApiServices } from '../dependencies.ts';
import { Payloads } from '../schemas/codec.ts';
import type { PayloadJson } from '../schemas/codec.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

const BODY_LIMIT_BYTES = 2 * 1024 * 1024;

export function registerCodecRoutes(
  app: LatchkeyApp,
  { database, payloadCodec }: ApiServices,
): void {
  app.post(
    '/ops/codec/decode',
    {
      bodyLimit: BODY_LIMIT_BYTES,
      config: { operationId: 'decodePayloads' },
      schema: {
        summary: "Open payloads for Temporal's web UI",
        description:
          'Only payloads of a workflow of this tenant are opened; what is not ours to open comes back as it came, still sealed. Reading is audited.',
        tags: ['operations'],
        body: Payloads,
        response: { 200: Payloads },
      },
    },
    async (request) => {
      if (payloadCodec === undefined) throw new LatchkeyError('not_found');
      const caller = callerOf(request, 'staff');
      const { tenantId } = request.tenant;
      const opened = new Map<string, number>();
      const payloads: PayloadJson[] = [];
      for (const sealed of request.body.payloads) {
        const found = await open(sealed, tenantId, payloadCodec);
        payloads.push(found?.payload ?? sealed);
        if (found !== undefined)
          opened.set(found.workflowId, (opened.get(found.workflowId) ?? 0) + 1);
      }
      // Before the answer: nobody reads what is not written down.
      await database.tenant(tenantId, (tx) => noteDecoding(tx, { tenantId, caller, opened }));
      return { payloads };
    },
  );
}

/** undefined for what may not or cannot be opened. */
async function open(
  sealed: PayloadJson,
  tenantId: string,
  codec: Pick<PayloadCodec, 'decode'>,
): Promise<{ readonly payload: PayloadJson; readonly workflowId: string } | undefined> {
  const payload = fromJson(sealed);
  const workflowId = boundWorkflow(payload);
  // The name is authenticated with the payload: whoever writes another one over it opens nothing.
  if (workflowId?.split('/')[1] !== tenantId) return undefined;
  try {
    const [plain] = await codec.decode([payload]);
    return plain === undefined ? undefined : { payload: toJson(plain), workflowId };
  } catch (error) {
    if (error instanceof LatchkeyError && error.code === 'payload_not_ours') return undefined;
    throw error;
  }
}

function fromJson({ metadata = {}, data = '' }: PayloadJson): Payload {
  return {
    metadata: Object.fromEntries(
      Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')]),
    ),
    data: Buffer.from(data, 'base64'),
  };
}

function toJson({ metadata, data }: Payload): PayloadJson {
  return {
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([name, value]) => [
        name,
        Buffer.from(value).toString('base64'),
      ]),
    ),
    data: Buffer.from(data ?? []).toString('base64'),
  };
}
