/**
 * What Temporal's own SDK counts (workflow tasks that failed, pollers, slots, schedule-to-start), brought to the worker's one door: the SDK
 * listens on a loopback port that nobody needs to know, and its text is passed on with each scrape.
 */
import { createServer } from 'node:net';

const FETCH_TIMEOUT_MS = 2_000;

/** Answers `host:port` for the SDK's exporter, free a moment ago. */
export async function chooseSdkAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  if (address === null || typeof address === 'string')
    throw new TypeError('a TCP server has a port');
  return `127.0.0.1:${String(address.port)}`;
}

/** The SDK's metrics as text; nothing when it does not answer, which `temporal_` missing from a scrape shows. */
export async function readSdkMetrics(address: string): Promise<string> {
  try {
    const answer = await fetch(`http://${address}/metrics`, {
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    return answer.ok ? await answer.text() : '';
  } catch {
    return '';
  }
}
