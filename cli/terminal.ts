/** What the commands say to a person, and what they ask. Diagnostics go to stderr, answers to stdout. */
import { createInterface } from 'node:readline/promises';

// A reader that has gone (`latchkey doctor | head`) is no reason to fail, and must not end a running start.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

/** A wrong call of a command: shown with a hint at the help, without a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function warn(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Yes only to a typed yes; without a terminal nobody can answer, which is no. */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

/** The message of an error and of what caused it, in one paragraph. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return 'failed for an unknown reason';
  const cause = error.cause instanceof Error ? `\n  because: ${error.cause.message}` : '';
  return `${error.message}${cause}`;
}
