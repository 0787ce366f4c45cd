/** Server-sent events as Latchkey writes them (WHATWG HTML section 9.2): text in pieces in, whole events out. */

export interface StreamedEvent {
  readonly event: string;
  readonly data: string;
}

const MAX_EVENT_LENGTH = 4 * 1024 * 1024;

export class EventStreamReader {
  readonly #decoder = new TextDecoder();
  #rest = '';

  /** The events that this piece completes. @throws RangeError for an event that is larger than any should be. */
  read(piece: Uint8Array): readonly StreamedEvent[] {
    this.#rest += this.#decoder.decode(piece, { stream: true });
    const blocks = this.#rest.split('\n\n');
    this.#rest = blocks.pop() ?? '';
    if (this.#rest.length > MAX_EVENT_LENGTH) throw new RangeError('an event is too large');
    return blocks.flatMap((block) => {
      const event = eventOf(block);
      return event === undefined ? [] : [event];
    });
  }
}

/** undefined for comments. */
function eventOf(block: string): StreamedEvent | undefined {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('event: ')) event = line.slice('event: '.length);
    else if (line.startsWith('data: ')) data.push(line.slice('data: '.length));
  }
  return data.length === 0 ? undefined : { event, data: data.join('\n') };
}
