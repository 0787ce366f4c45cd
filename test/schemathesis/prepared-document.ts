/**
 * The document that schemathesis generates from: docs/openapi.json with the names of things that there are, and without what the signing proxy
 * adds. It must never loosen an answer: those stay as documented.
 */
import type { OpenApiDocument, Parameter } from './operations.ts';

/** For each parameter of a path: ids that lead somewhere, and one that leads nowhere. */
export type Dictionary = Readonly<Record<string, readonly string[]>>;

export function prepareDocument(
  document: OpenApiDocument,
  options: {
    readonly door: 'public' | 'operations';
    readonly inPaths: Dictionary;
    /** By operation and member: words for a request's body. */
    readonly inBodies: Readonly<Record<string, Dictionary>>;
  },
): unknown {
  const copy = structuredClone(document);
  for (const [path, methods] of Object.entries(copy.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const isHere = (operation['x-latchkey-door'] ?? 'public') === options.door;
      if (!isHere) {
        delete methods[method];
        continue;
      }
      Object.assign(operation, { security: [] });
      for (const parameter of operation.parameters ?? []) nameThings(parameter, options.inPaths);
      const words = options.inBodies[operation.operationId] ?? {};
      for (const { schema } of Object.values(operation.requestBody?.content ?? {}))
        nameMembers(schema, words);
    }
    if (Object.keys(methods).length === 0) delete copy.paths[path];
  }
  return copy;
}

function nameThings(parameter: Parameter, dictionary: Dictionary): void {
  const words = dictionary[parameter.name];
  if (parameter.in === 'path' && words !== undefined)
    parameter.schema = { type: 'string', enum: words };
}

function nameMembers(schema: Readonly<Record<string, unknown>>, words: Dictionary): void {
  const properties = schema['properties'];
  if (typeof properties !== 'object' || properties === null) return;
  for (const [member, values] of Object.entries(words))
    Object.assign(properties, { [member]: { type: 'string', enum: values } });
}
