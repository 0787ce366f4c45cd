/**
 * What Temporal's library says inside `npm start`, where the demo bank's payment worker runs: in plain words, each once, into its log. It must never
 * write on the terminal in a form of its own.
 */
import type { TemporalLog } from '../../temporal/runtime-log.ts';

const LONGEST = 200;
/** What it does when Temporal was stopped by its button, and when it works as it should. */
const PLAIN: readonly (readonly [form: RegExp, words: string | undefined])[] = [
  [/gRPC call|poll|[Tt]ransport|connect|Unavailable/, 'cannot reach Temporal; it goes on trying'],
  [/state changed|Worker (started|stopped)|Successfully/, undefined],
];

export function paymentLog(write: (line: string) => void): TemporalLog {
  let last: string | undefined;
  const say = (message: string): void => {
    const known = PLAIN.find(([form]) => form.test(message));
    const words = known === undefined ? shortened(message) : known[1];
    if (words === undefined || words === last) return;
    last = words;
    write(`the demo bank's payment worker: ${words}`);
  };
  const silent = () => undefined;
  return {
    debug: silent,
    info: silent,
    warn: (_, message) => {
      say(message);
    },
    error: (_, message) => {
      say(message);
    },
  };
}

function shortened(message: string): string {
  const [line = ''] = message.split('\n', 1);
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
