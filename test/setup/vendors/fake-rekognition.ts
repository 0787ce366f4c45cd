/**
 * What of Amazon Rekognition a liveness check meets, on loopback: AWS JSON 1.1 by X-Amz-Target, sessions that are the same for the same token, errors
 * in their documented shape. It demands a SigV4 signature, without checking it, and sends the pictures that AWS could send.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readLocalBody } from '../../../runtime/local-http.ts';

export interface RekognitionCall {
  readonly operation: string;
  readonly input: Record<string, unknown>;
}

export interface RekognitionFault {
  readonly name: string;
  readonly status: number;
}

interface Session {
  readonly id: string;
  readonly bucket: string;
  readonly prefix: string;
}

/** Base64 of something that could be a picture. */
export const PICTURE = Buffer.from('the face of a person').toString('base64');
const SIGNED = /^AWS4-HMAC-SHA256 Credential=[^,]+\/rekognition\/aws4_request, ?SignedHeaders=/;

export class FakeRekognition {
  readonly calls: RekognitionCall[] = [];
  /** What the next calls of an operation answer instead. */
  readonly faults = new Map<string, RekognitionFault>();
  /** Answers one call in place of the protocol. */
  raw: ((response: ServerResponse) => void) | undefined;
  status = 'SUCCEEDED';
  confidence: number | undefined = 99.5;
  similarity: number | undefined = 98.25;
  challenge = 'FaceMovementAndLightChallenge';
  hasReference = true;
  /** Where the face lies, when not where the session was told. */
  placed: { readonly Bucket: string; readonly Name: string } | undefined;
  readonly #sessions = new Map<string, Session>();
  readonly #server = createServer((request, response) => {
    void this.#handle(request, response);
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port was assigned');
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await readLocalBody(request)) ?? '';
    const [service, operation = ''] = String(request.headers['x-amz-target']).split('.');
    const isSpoken =
      service === 'RekognitionService' &&
      request.headers['content-type'] === 'application/x-amz-json-1.1';
    if (!isSpoken) {
      fail(response, { name: 'UnknownOperationException', status: 400 });
      return;
    }
    if (!SIGNED.test(request.headers.authorization ?? '') || !request.headers['x-amz-date']) {
      fail(response, { name: 'MissingAuthenticationTokenException', status: 400 });
      return;
    }
    // What the SDK sends is a JSON object.
    const input = JSON.parse(body) as Record<string, unknown>;
    this.calls.push({ operation, input });
    const fault = this.faults.get(operation);
    if (this.raw !== undefined) this.raw(response);
    else if (fault !== undefined) fail(response, fault);
    else this.#answer(operation, input, response);
  }

  #answer(operation: string, input: Record<string, unknown>, response: ServerResponse): void {
    if (operation === 'CreateFaceLivenessSession') {
      send(response, 200, { SessionId: this.#open(input).id });
    } else if (operation === 'GetFaceLivenessSessionResults') {
      const session = this.#sessions.get(String(input['SessionId']));
      if (session === undefined) fail(response, { name: 'SessionNotFoundException', status: 400 });
      else send(response, 200, this.#resultOf(session));
    } else if (operation === 'CompareFaces') {
      const face = { Similarity: this.similarity, Face: { Confidence: 99 } };
      const FaceMatches = this.similarity === undefined ? [] : [face];
      send(response, 200, { FaceMatches, UnmatchedFaces: [], SourceImageFace: {} });
    } else fail(response, { name: 'UnknownOperationException', status: 400 });
  }

  #open(input: Record<string, unknown>): Session {
    const hash = createHash('sha256').update(String(input['ClientRequestToken'])).digest('hex');
    const groups = /^(.{8})(.{4})(.{4})(.{4})(.{12})/.exec(hash)?.slice(1) ?? [];
    const settings = input['Settings'] as {
      OutputConfig: { S3Bucket: string; S3KeyPrefix: string };
    };
    const { S3Bucket: bucket, S3KeyPrefix: prefix } = settings.OutputConfig;
    const session = { id: groups.join('-'), bucket, prefix };
    this.#sessions.set(session.id, session);
    return session;
  }

  #resultOf({ id, bucket, prefix }: Session) {
    const isDone = this.status === 'SUCCEEDED';
    const face = this.placed ?? { Bucket: bucket, Name: `${prefix}/${id}/reference.jpg` };
    return {
      SessionId: id,
      Status: this.status,
      ...(isDone ? { Confidence: this.confidence, AuditImages: [{ Bytes: PICTURE }] } : {}),
      ...(isDone && this.hasReference
        ? { ReferenceImage: { Bytes: PICTURE, S3Object: face } }
        : {}),
      Challenge: { Type: this.challenge, Version: '2.0.0' },
    };
  }
}

function fail(response: ServerResponse, { name, status }: RekognitionFault): void {
  send(response, status, { __type: name, Message: 'said by the vendor', Code: name });
}

function send(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify(content));
}
