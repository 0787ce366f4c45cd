/**
 * The line between the phone at the stage and the API: the public port of a development stack. A button loses the next answer after its
 * commit and leaves the phone without a line for a while; everything else that passes it is left alone. Never in production.
 */
import { startDroppingProxy } from './dropping-proxy.ts';
import type { DroppingProxy, LostAnswer, PassingAnswer, PassingRequest } from './dropping-proxy.ts';

/** Longer than the app's own three quick repeats take (sdk/http.ts): the customer sees that it waits, and that it goes on by itself. */
const NO_LINE_MS = 6_000;

export type LineStatus = 'up' | 'armed' | 'down';

export interface PhoneLine {
  status(): LineStatus;
  /** Loses the next answer to something that the phone had done; the line stays down for a while then. */
  dropNextAnswer(): void;
  /** The line as it was: nothing is armed, everything passes. */
  restore(): void;
  onChange(listener: LineListener): void;
  stop(): Promise<void>;
}

/** Hears of each change, with what was lost when that brought it about. */
export type LineListener = (status: LineStatus, lost?: LostAnswer) => void;

export interface PhoneLineOptions {
  readonly port: number;
  readonly targetPort: number;
  readonly host: string;
  readonly noLineMs?: number;
}

/** Listens at the public port. @throws Error naming the holder of a taken port. */
export async function startPhoneLine(options: PhoneLineOptions): Promise<PhoneLine> {
  const { port, targetPort, host } = options;
  return new Line(
    await startDroppingProxy({ port, targetPort, host, purpose: 'the API' }),
    options.noLineMs ?? NO_LINE_MS,
  );
}

class Line implements PhoneLine {
  readonly #proxy: DroppingProxy;
  readonly #noLineMs: number;
  readonly #listeners = new Set<LineListener>();
  #status: LineStatus = 'up';
  #undo = (): void => undefined;

  constructor(proxy: DroppingProxy, noLineMs: number) {
    this.#proxy = proxy;
    this.#noLineMs = noLineMs;
  }

  onChange(listener: LineListener): void {
    this.#listeners.add(listener);
  }

  status(): LineStatus {
    return this.#status;
  }

  dropNextAnswer(): void {
    if (this.#status !== 'up') return;
    const disarming = new AbortController();
    this.#undo = () => {
      disarming.abort();
    };
    this.#become('armed');
    void this.#proxy.loseNextAnswer(isCommit, disarming.signal).then((lost) => {
      this.#goDown(lost);
    });
  }

  restore(): void {
    if (this.#status === 'up') return;
    this.#undo();
    this.#become('up');
  }

  async stop(): Promise<void> {
    this.#undo();
    await this.#proxy.stop();
  }

  #goDown(lost: LostAnswer): void {
    const mend = this.#proxy.cut(isFromPhone);
    const timer = setTimeout(() => {
      this.restore();
    }, this.#noLineMs);
    this.#undo = () => {
      clearTimeout(timer);
      mend();
    };
    this.#become('down', lost);
  }

  #become(status: LineStatus, lost?: LostAnswer): void {
    this.#status = status;
    for (const listener of this.#listeners) listener(status, lost);
  }
}

/** A call of the app in the page: what loads the page itself, and what servers send, has its line elsewhere. */
function isFromPhone({ path, headers }: PassingRequest): boolean {
  return headers['sec-fetch-dest'] === 'empty' && path.startsWith('/t/');
}

/** Something was done. Asking for a challenge writes nothing, so that losing its answer would show nothing. */
function isCommit(answer: PassingAnswer): boolean {
  const { method, path, status } = answer;
  const isDone = method === 'POST' && status >= 200 && status < 300;
  return isDone && !path.endsWith('-options') && isFromPhone(answer);
}
