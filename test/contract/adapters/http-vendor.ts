/** A supplier's HTTP end for the contract tests, on a free port of loopback: it keeps what arrives and answers as it is told. */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

export interface VendorRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** `silent`: the connection stays open without an answer. */
export type VendorAnswer =
  | 'silent'
  | {
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

export interface HttpVendor {
  readonly url: string;
  readonly requests: VendorRequest[];
  answer: (request: VendorRequest) => VendorAnswer | Promise<VendorAnswer>;
  stop(): Promise<void>;
}

export async function startHttpVendor(): Promise<HttpVendor> {
  const requests: VendorRequest[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then(async (body) => {
      const seen = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body,
      };
      requests.push(seen);
      const answer = await vendor.answer(seen);
      if (answer === 'silent') return;
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was assigned');
  const vendor: HttpVendor = {
    url: `http://127.0.0.1:${String(address.port)}`,
    requests,
    answer: () => ({ status: 202 }),
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
  return vendor;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  // Without an encoding, an HTTP request yields buffers.
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
