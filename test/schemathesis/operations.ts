/**
 * docs/openapi.json as the contract test reads it: which operation a request is for, what it may answer, and whether an answer is what it promises.
 */
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import type { Exchange } from './signing-proxy.ts';

interface MediaType {
  readonly schema: Readonly<Record<string, unknown>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: string;
  schema: Readonly<Record<string, unknown>>;
}

export interface Operation {
  readonly operationId: string;
  readonly parameters?: Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<
    Record<string, { description?: string; content?: Readonly<Record<string, MediaType>> }>
  >;
  readonly 'x-latchkey-door'?: 'operations';
}

export interface OpenApiDocument {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

export interface Place {
  readonly method: string;
  /** As a template: `/t/{tenant}/auth/me`. */
  readonly path: string;
  readonly operation: Operation;
}

export interface Operations {
  readonly document: OpenApiDocument;
  readonly places: readonly Place[];
  find(method: string, path: string): string | undefined;
  /** What is wrong with an answer; undefined when it is one that the document promises. */
  breach(exchange: Exchange): string | undefined;
}

const DOCUMENT = new URL('../../docs/openapi.json', import.meta.url);

export function readOperations(): Operations {
  // The shape is OpenAPI's.
  const document = JSON.parse(readFileSync(DOCUMENT, 'utf8')) as OpenApiDocument;
  const places = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
      pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/?]+')}(\\?|$)`),
    })),
  );
  const judge = createJudge(document);
  return {
    document,
    places,
    find: (method, path) =>
      places.find((place) => place.method === method && place.pattern.test(path))?.operation
        .operationId,
    breach: (exchange) => {
      const place = places.find(({ operation }) => operation.operationId === exchange.operationId);
      if (place === undefined) return undefined;
      const wrong = judge(place.operation, exchange);
      return wrong === undefined
        ? undefined
        : `${place.operation.operationId}, ${exchange.method} ${exchange.path}: ${wrong}`;
    },
  };
}

function createJudge(document: OpenApiDocument) {
  const ajv = new Ajv({ strict: false, allErrors: true });
  // The module's own default, as Node sees it in CommonJS.
  formats.default(ajv);
  ajv.addSchema({ $id: 'document', components: document.components });
  return (operation: Operation, exchange: Exchange): string | undefined => {
    const { status, answerHeaders, answer } = exchange;
    const promised = operation.responses[String(status)];
    if (promised === undefined) return `${String(status)} is not documented`;
    const type = answerHeaders['content-type']?.split(';')[0];
    if (promised.content === undefined) return undefined;
    if (type === undefined && answer.length === 0 && status < 400) return undefined;
    const media = promised.content[type ?? ''];
    if (media === undefined) return `${String(status)} has the type ${type ?? '(none)'}`;
    if (type?.endsWith('json') !== true) return undefined;
    const isValid = ajv.validate(
      JSON.parse(
        JSON.stringify(media.schema).replaceAll('"#/components/', '"document#/components/'),
      ) as object,
      JSON.parse(answer.toString('utf8')),
    );
    return isValid ? undefined : `${String(status)}: ${ajv.errorsText()}`;
  };
}
