/** `latchkey verify-receipt`, as a process that may open no connection: what it says and what it exits with. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withoutPersonalText } from '../../sdk/receipt/copy.ts';
import type { Receipt } from '../../domain/receipt.ts';
import { keyList, makeReceipt, strangeSigner } from '../setup/receipt.ts';

const program = fileURLToPath(new URL('../../cli/latchkey.ts', import.meta.url));
/** Whoever opens a connection or asks for a name dies of it. */
const CUT = `data:text/javascript,${encodeURIComponent(`
  import net from 'node:net';
  import dns from 'node:dns';
  const cut = () => process.exit(99);
  net.Socket.prototype.connect = cut;
  dns.lookup = cut;
  globalThis.fetch = cut;
`)}`;

let folder: string;
let receipt: Receipt;
const pathOf = (name: string) => join(folder, name);
const keep = (name: string, content: unknown) =>
  writeFile(pathOf(name), typeof content === 'string' ? content : JSON.stringify(content));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-receipt-'));
  receipt = await makeReceipt();
  await keep('receipt.json', receipt);
  await keep(
    'changed.json',
    JSON.stringify(receipt).replace('Invoice 7, April', 'Invoice 7 April'),
  );
  await keep('copy.json', withoutPersonalText(receipt));
  await keep('forged.json', await makeReceipt({ signer: strangeSigner }));
  await keep('keys.json', await keyList());
  await keep('big.json', 'x'.repeat(2_000_000));
});
afterAll(() => rm(folder, { recursive: true }));

const run = (...args: readonly string[]) =>
  new Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>(
    (resolve) => {
      execFile(
        process.execPath,
        ['--import', CUT, program, 'verify-receipt', ...args],
        { env: { PATH: process.env['PATH'] } },
        (error, stdout, stderr) => {
          resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
        },
      );
    },
  );

describe('latchkey verify-receipt, with the network cut', () => {
  test.each([
    [0, 'receipt.json', 'This receipt is genuine.'],
    [1, 'changed.json', 'This is not a genuine receipt.'],
    [1, 'forged.json', 'none of the bank’s'],
    [4, 'copy.json', 'personal text was taken out'],
  ])('exits with %i for %s', async (code, file, said) => {
    const outcome = await run(pathOf(file), '--keys', pathOf('keys.json'));
    expect(outcome).toMatchObject({ code, stderr: '' });
    expect(outcome.stdout).toContain(said);
  });

  test('explains each check, and says what the receipt proves', async () => {
    const { stdout } = await run(pathOf('receipt.json'), '--keys', pathOf('keys.json'));
    expect(stdout.match(/^ok {6}/gm)).toHaveLength(13);
    // Line by line, as it was shown; each further one stands in, so that it is not taken for one of ours.
    expect(stdout).toContain(
      'What was sent to be shown: Pay 400.00 NZD to Mere Kahu\n    Account: 12-3456-7890123-00\n',
    );
    const changed = await run(pathOf('changed.json'), '--keys', pathOf('keys.json'));
    expect(changed.stdout).toContain('FAILED  Is the personal text in the file');
    expect(changed.stdout).not.toContain('What was sent to be shown:');
  });

  test('exits with 3 without keys: nobody vouches for the signer', async () => {
    const { code, stdout } = await run(pathOf('receipt.json'));
    expect(code).toBe(3);
    expect(stdout).toContain('nobody vouches');
  });

  test('answers programs in JSON', async () => {
    const { code, stdout } = await run(
      pathOf('changed.json'),
      '--keys',
      pathOf('keys.json'),
      '--json',
    );
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'refused' });
  });

  test('exits with 2 for what it cannot read', async () => {
    expect((await run(pathOf('missing.json'))).code).toBe(2);
    expect((await run(pathOf('big.json'))).code).toBe(2);
    expect((await run(pathOf('receipt.json'), '--keys', pathOf('missing.json'))).code).toBe(2);
    expect((await run()).code).toBe(2);
  });
});
