/** A live list fed by server-sent events: what arrived, whether it still lives, and when it was last heard. It reconnects by itself. */
import { useEffect, useState } from 'react';

const REOPEN_MS = 1_500;

export type StreamStatus = 'idle' | 'connecting' | 'live' | 'lost';

export interface Stream<Item> {
  /** In the order of arrival. */
  readonly items: readonly Item[];
  readonly status: StreamStatus;
  readonly heardAtMs: number;
}

export interface StreamOptions<Item> {
  /** undefined: nothing to listen to yet. */
  readonly url: string | undefined;
  /** The name of the events to take. */
  readonly event: string;
  readonly read: (data: unknown) => Item | undefined;
  /** Two events of one key are one item. */
  readonly keyOf: (item: Item) => string;
}

/** `read` and `keyOf` must be stable functions. */
export function useEventStream<Item>(options: StreamOptions<Item>): Stream<Item> {
  const { url, event, read, keyOf } = options;
  const [items, setItems] = useState<ReadonlyMap<string, Item>>(new Map());
  const [status, setStatus] = useState<StreamStatus>('connecting');
  const [heardAtMs, setHeardAtMs] = useState(() => Date.now());

  useEffect(() => {
    if (url === undefined) return undefined;
    const heard = (next: StreamStatus) => {
      setStatus(next);
      if (next === 'live') setHeardAtMs(Date.now());
    };
    return listen({ url, event }, heard, (data) => {
      const item = read(data);
      if (item !== undefined) setItems((before) => new Map(before).set(keyOf(item), item));
    });
  }, [url, event, read, keyOf]);

  return { items: [...items.values()], status: url === undefined ? 'idle' : status, heardAtMs };
}

/** Listens until the returned function is called. The browser reconnects after a break, but not after a refusal: we do. */
function listen(
  { url, event }: { readonly url: string; readonly event: string },
  onStatus: (status: StreamStatus) => void,
  onData: (data: unknown) => void,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let source: EventSource | undefined;
  const open = () => {
    source = new EventSource(url);
    source.addEventListener('open', () => {
      onStatus('live');
    });
    source.addEventListener(event, ({ data }: MessageEvent<string>) => {
      onStatus('live');
      onData(JSON.parse(data));
    });
    source.addEventListener('error', () => {
      onStatus('lost');
      if (source?.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, REOPEN_MS);
    });
  };
  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}
