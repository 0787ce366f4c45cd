import { defaultPayloadConverter } from '@temporalio/common';
import type { Payload } from '@temporalio/common';
import type { SerializationContext } from '@temporalio/common/lib/converter/serialization-context.js';
import { describe, expect, test } from 'vitest';
import { PayloadEncryption } from '../../temporal/payload-codec.ts';

const OLD = { kid: 'old', key: new Uint8Array(32).fill(1) };
const NEW = { kid: 'new', key: new Uint8Array(32).fill(2) };
const context = (workflowId: string): SerializationContext => ({
  type: 'workflow',
  namespace: 'latchkey',
  workflowId,
});
const HERE = context('session/ten_1/ses_1');

const codec = (...keys: (typeof OLD)[]) => new PayloadEncryption({ namespace: 'latchkey', keys });
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const textOf = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('utf8');
const seal = async (by: PayloadEncryption, at = HERE): Promise<Payload> => {
  const [sealed] = await by.encode([payloadOf({ secret: 'plain-words' })], at);
  if (sealed === undefined) throw new Error('nothing encoded');
  return sealed;
};
const open = async (by: PayloadEncryption, sealed: Payload, at?: SerializationContext) => {
  const [opened] = await by.decode([sealed], at);
  return defaultPayloadConverter.fromPayload(opened ?? {});
};
const refused = { code: 'payload_not_ours' };

describe('the payload codec', () => {
  test('shows nothing of a payload but the key id and the workflow it belongs to', async () => {
    const sealed = await seal(codec(NEW));
    expect(textOf(sealed.data)).not.toContain('plain-words');
    expect(
      Object.entries(sealed.metadata ?? {}).map(([name, value]) => [name, textOf(value)]),
    ).toEqual([
      ['encoding', 'binary/encrypted'],
      ['encryption-key-id', 'new'],
      ['latchkey-workflow', 'session/ten_1/ses_1'],
    ]);
  });

  test('encrypts with the first key and still decrypts what an older one encrypted', async () => {
    const written = await seal(codec(OLD));
    const rotated = codec(NEW, OLD);
    expect(await open(rotated, written, HERE)).toEqual({ secret: 'plain-words' });
    expect(textOf((await seal(rotated)).metadata?.['encryption-key-id'])).toBe('new');
  });

  test('opens for staff without a context, who only know the payload', async () => {
    expect(await open(codec(NEW), await seal(codec(NEW)))).toEqual({ secret: 'plain-words' });
  });

  test('refuses a payload whose key was thrown away', async () => {
    const sealed = await seal(codec(OLD));
    await expect(open(codec(NEW), sealed, HERE)).rejects.toMatchObject(refused);
  });

  test('refuses a payload that nobody encrypted', async () => {
    await expect(open(codec(NEW), payloadOf({ forged: true }), HERE)).rejects.toMatchObject(
      refused,
    );
  });

  test('refuses a payload of another workflow, relabelled or not', async () => {
    const sealed = await seal(codec(NEW));
    await expect(open(codec(NEW), sealed, context('session/ten_1/ses_2'))).rejects.toMatchObject(
      refused,
    );
    const relabelled = {
      ...sealed,
      metadata: { ...sealed.metadata, 'latchkey-workflow': Buffer.from('session/ten_1/ses_2') },
    };
    await expect(
      open(codec(NEW), relabelled, context('session/ten_1/ses_2')),
    ).rejects.toMatchObject(refused);
    const unbound = { ...sealed, metadata: { ...sealed.metadata } };
    delete unbound.metadata['latchkey-workflow'];
    await expect(open(codec(NEW), unbound, HERE)).rejects.toMatchObject(refused);
  });

  test('refuses a payload of another namespace', async () => {
    const foreign = new PayloadEncryption({ namespace: 'elsewhere', keys: [NEW] });
    const sealed = await seal(foreign);
    await expect(open(codec(NEW), sealed, HERE)).rejects.toMatchObject(refused);
  });

  test('refuses a payload with any byte changed, or cut short', async () => {
    const sealed = await seal(codec(NEW));
    const data = Buffer.from(sealed.data ?? []);
    for (const index of [0, 1, 13, data.length - 1]) {
      const changed = Buffer.from(data);
      changed[index] = (changed[index] ?? 0) ^ 1;
      await expect(open(codec(NEW), { ...sealed, data: changed }, HERE)).rejects.toMatchObject(
        refused,
      );
    }
    for (const length of [0, 1, 28, data.length - 1]) {
      const cut = { ...sealed, data: data.subarray(0, length) };
      await expect(open(codec(NEW), cut, HERE)).rejects.toMatchObject(refused);
    }
  });
});
