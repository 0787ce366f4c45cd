/**
 * `latchkey verify-receipt`: whether a receipt is genuine, explained check by check. It asks nobody: no network, no database, no configuration.
 * Exit codes: 0 genuine · 1 not genuine · 2 wrong call or unreadable file · 3 consistent, but no keys were given · 4 genuine, text was taken out.
 */
import { open } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { verifyReceipt } from '../sdk/receipt/receipt.ts';
import { statementOf } from '../sdk/receipt/statement.ts';
import type { CheckResult, Verdict } from '../sdk/receipt/types.ts';
import { describeError, say, UsageError, warn } from './terminal.ts';

/** A receipt has some 5 KiB, a list of keys 200 bytes a key. */
const MAX_BYTES = 1024 * 1024;
const EXIT: Readonly<Record<Verdict, number>> = {
  genuine: 0,
  refused: 1,
  unconfirmed: 3,
  withheld: 4,
};
const UNREADABLE = 2;
const MARK: Readonly<Record<CheckResult, string>> = {
  passed: 'ok    ',
  failed: 'FAILED',
  not_checked: '-     ',
};

export async function verifyReceiptFile(args: readonly string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { keys: { type: 'string' }, json: { type: 'boolean', default: false } },
  });
  const [file] = positionals;
  if (file === undefined || positionals.length > 1)
    throw new UsageError(
      'verify-receipt wants one file: verify-receipt FILE [--keys FILE] [--json]',
    );
  const text = await readText(file);
  const keys = values.keys === undefined ? undefined : await readText(values.keys);
  if (text === undefined || (values.keys !== undefined && keys === undefined)) return UNREADABLE;
  const verification = await verifyReceipt(text, keys === undefined ? {} : { keys });
  const { verdict, says, checks, receipt } = verification;
  if (values.json) {
    say(JSON.stringify({ verdict, says, checks }, null, 2));
    return EXIT[verdict];
  }
  for (const { result, question, says: found } of checks) {
    say(`${MARK[result]}  ${question}`);
    say(`        ${printable(found)}`);
  }
  say('');
  if (receipt !== undefined) {
    for (const [label, value] of statementOf(receipt)) say(`${label}: ${indented(value)}`);
    say('');
  }
  say(says);
  return EXIT[verdict];
}

async function readText(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path);
    const chunks: Buffer[] = [];
    let length = 0;
    // Piece by piece: what comes through a pipe has no size.
    for (;;) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(65_536), 0, 65_536, null);
      if (bytesRead === 0) return Buffer.concat(chunks).toString('utf8');
      length += bytesRead;
      if (length > MAX_BYTES) break;
      chunks.push(buffer.subarray(0, bytesRead));
    }
    warn(`${path} is larger than any receipt or list of keys`);
    return undefined;
  } catch (error) {
    warn(`${path} cannot be read: ${describeError(error)}`);
    return undefined;
  }
}

/** What was shown has several lines; none of them looks like a line of ours. */
function indented(text: string): string {
  return text.split('\n').map(printable).join('\n    ');
}

/** A stranger's text moves no cursor and colours nothing. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}
