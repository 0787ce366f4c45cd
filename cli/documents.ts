/**
 * Writes what the documentation takes from the code: docs/openapi.json from the routes, docs/errors.md from the table of errors,
 * docs/actions/ from the built-in types of action. Tests compare each; nothing is asked of a database.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { errorsDocument, openApiDocument } from '../api/documents.ts';
import { actionSchemas } from '../domain/action-types.ts';

const docs = (name: string): string => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));

await writeFile(docs('openapi.json'), await openApiDocument());
await writeFile(docs('errors.md'), errorsDocument());
for (const [name, schema] of actionSchemas()) await writeFile(docs(`actions/${name}`), schema);
