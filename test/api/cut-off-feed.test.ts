/** The cut-off feed as a service follows it: told at once, never silent while it stands, and never longer than it may. */
import type { Readable } from 'node:stream';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { CuttableLine } from '../setup/postgres/cuttable-line.ts';
import { cutOffCustomer, insertCustomer } from '../setup/customer.ts';
import { createMachine } from '../setup/machine.ts';
import { makeProof } from '../setup/proof.ts';

let api: TestApi;
let owner: postgres.Sql;
beforeAll(async () => {
  api = await startTestApi();
  owner = postgres(api.testDatabase.ownerUrl, { max: 1 });
});
afterAll(async () => {
  await owner?.end();
  await api?.close();
});

interface FeedEvent {
  readonly id: string;
  readonly event: string;
  readonly data: { readonly asOf?: string; readonly cutOffs?: readonly Record<string, unknown>[] };
}

interface Following {
  readonly stream: Readable;
  /** So far, oldest first. */
  readonly events: () => readonly FeedEvent[];
}

async function ask(of: TestApi, after: string | undefined, lastEventId?: string) {
  const { key, accessToken } = await createMachine(of, { client: 'demo-bank' });
  const url = `${of.prefix}/feeds/cut-offs`;
  return await of.app.inject({
    url: after === undefined ? url : `${url}?after=${after}`,
    headers: {
      authorization: `DPoP ${String(accessToken)}`,
      dpop: await makeProof({
        key,
        method: 'GET',
        htu: `${of.publicUrl}${url}`,
        nowMs: of.clock.nowMs(),
        accessToken,
      }),
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
    payloadAsStream: true,
  });
}

async function follow(after?: string, of = api, lastEventId?: string): Promise<Following> {
  const response = await ask(of, after, lastEventId);
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  const stream = response.stream();
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  stream.on('error', () => undefined);
  return { stream, events: () => parse(text) };
}

function parse(text: string): readonly FeedEvent[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .map((block) => {
      const fields = new Map(
        block.split('\n').map((line) => {
          const [name = '', ...rest] = line.split(': ');
          return [name, rest.join(': ')] as const;
        }),
      );
      // The stream of this API alone is parsed here.
      const data = JSON.parse(fields.get('data') ?? '{}') as FeedEvent['data'];
      return { id: fields.get('id') ?? '', event: fields.get('event') ?? '', data };
    });
}

async function cutOffSomebody(of = api): Promise<string> {
  const { customerId } = await of.inTenant((tx) => insertCustomer(tx, of.tenantId));
  await of.inTenant((tx) => cutOffCustomer(tx, { tenantId: of.tenantId, customerId }));
  return customerId;
}

const idsOf = (events: readonly FeedEvent[]) =>
  events.flatMap(({ data }) => (data.cutOffs ?? []).map(({ id }) => id));

describe('a follower of the cut-off feed', () => {
  test('hears what happened before it came, and then until when that is all', async () => {
    const before = await cutOffSomebody();
    const { stream, events } = await follow();
    await vi.waitFor(() => expect(events().at(-1)?.event).toBe('beat'));
    expect(idsOf(events())).toContain(before);
    const asOfMs = Date.parse(events().at(-1)?.data.asOf ?? '');
    expect(Math.abs(asOfMs - Date.now())).toBeLessThan(5_000);
    stream.destroy();
  });

  test('hears of a cut-off within a second, with its epoch', async () => {
    const { stream, events } = await follow();
    await vi.waitFor(() => expect(events().at(-1)?.event).toBe('beat'));
    const customerId = await cutOffSomebody();
    await vi.waitFor(() => expect(idsOf(events())).toContain(customerId), { timeout: 1_000 });
    const told = events().flatMap(({ data }) => data.cutOffs ?? []);
    expect(told.find(({ id }) => id === customerId)).toEqual({
      kind: 'customer',
      id: customerId,
      minimumEpoch: 2,
      at: expect.any(String) as string,
    });
    stream.destroy();
  });

  test('hears a beat every two seconds while nothing happens', async () => {
    const { stream, events } = await follow();
    const beats = () => events().filter(({ event }) => event === 'beat');
    await vi.waitFor(() => expect(beats().length).toBeGreaterThanOrEqual(3), { timeout: 10_000 });
    const [first, second, third] = beats().map(({ data }) => Date.parse(data.asOf ?? ''));
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(1_500);
    expect((third ?? 0) - (second ?? 0)).toBeLessThan(3_500);
    stream.destroy();
  });

  test('goes on where it was, by the id of the last event', async () => {
    const first = await follow();
    await vi.waitFor(() => expect(first.events().at(-1)?.event).toBe('beat'));
    const [known, position] = [await cutOffSomebody(), () => first.events().at(-1)?.id];
    await vi.waitFor(() => expect(idsOf(first.events())).toContain(known));
    await vi.waitFor(() => expect(first.events().length).toBeGreaterThan(2), { timeout: 4_000 });
    first.stream.destroy();
    const missed = await cutOffSomebody();
    const again = await follow(undefined, api, position());
    await vi.waitFor(() => expect(idsOf(again.events())).toContain(missed));
    expect(idsOf(again.events()).length).toBeLessThan(idsOf(first.events()).length + 1);
    again.stream.destroy();
  });

  test('is one of several: each hears everything', async () => {
    const all = await Promise.all([follow(), follow(), follow()]);
    const customerId = await cutOffSomebody();
    for (const { events, stream } of all) {
      await vi.waitFor(() => expect(idsOf(events())).toContain(customerId));
      stream.destroy();
    }
    const later = await follow();
    const next = await cutOffSomebody();
    await vi.waitFor(() => expect(idsOf(later.events())).toContain(next));
    later.stream.destroy();
  });

  test.each([
    ['after', 'x', undefined],
    ['after', '1-2', undefined],
    ['Last-Event-ID', undefined, "1-1-1'"],
  ])('is refused for a position that is none: %s %s', async (_where, after, lastEventId) => {
    expect((await ask(api, after, lastEventId)).statusCode).toBe(400);
  });
});

describe('the cut-off feed ends', () => {
  test('with the token that opened it', async () => {
    const { stream } = await follow();
    api.clock.advance(301_000);
    await vi.waitFor(() => expect(stream.readableEnded).toBe(true), { timeout: 5_000 });
  });

  test.each([
    ['is disabled', "status = 'disabled'", "status = 'active'"],
    [
      'loses the scope',
      "scopes = array['tokens:introspect']",
      "scopes = array['tokens:introspect', 'customers:roles', 'cut-offs:read']",
    ],
  ])('within fifteen seconds after its client %s', async (_what, change, undo) => {
    const { stream, events } = await follow();
    await vi.waitFor(() => expect(events().at(-1)?.event).toBe('beat'));
    const set = (assignment: string) =>
      owner.unsafe(`update client set ${assignment} where client_id = 'demo-bank'`);
    await set(change);
    api.clock.advance(15_000);
    await vi.waitFor(() => expect(stream.readableEnded).toBe(true), { timeout: 5_000 });
    await set(undo);
  });

  test('when PostgreSQL is away: no beat says that all is well', async () => {
    const line = await CuttableLine.open();
    const away = await startTestApi({ databaseUrl: (url) => line.to(url) });
    try {
      const { stream, events } = await follow(undefined, away);
      await vi.waitFor(() => expect(events().at(-1)?.event).toBe('beat'));
      await line.cut();
      await vi.waitFor(() => expect(stream.destroyed || stream.readableEnded).toBe(true), {
        timeout: 10_000,
      });
    } finally {
      await line.cut();
      await away.close();
    }
  });

  test('when Latchkey closes', async () => {
    const closing = await startTestApi();
    const { stream, events } = await follow(undefined, closing);
    await vi.waitFor(() => expect(events().at(-1)?.event).toBe('beat'));
    await closing.close();
    await vi.waitFor(() => expect(stream.destroyed || stream.readableEnded).toBe(true));
  });
});
