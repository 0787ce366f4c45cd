/**
 * The import law of DESIGN.md section 2 as one table, and the pure judgement of one import against it. The lint plugin beside
 * it asks for every file; test/unit/import-law.test.ts proves each refusal. It must never grow an exception for one file:
 * a room that needs more says so in its row.
 */
import { posix } from 'node:path';

/** What a room may import: other rooms fully, other rooms as types only, packages. Its own room is always allowed. */
interface Row {
  readonly rooms: readonly string[];
  readonly typeOnlyRooms: readonly string[];
  /** `any` covers Node's own modules too; `browser` is every package but none of Node's. */
  readonly packages: 'any' | 'browser' | readonly string[];
}

const law: Readonly<Record<string, Row>> = {
  domain: { rooms: [], typeOnlyRooms: [], packages: [] },
  // No room lists it: only the wiring reads the environment.
  configuration: { rooms: [], typeOnlyRooms: [], packages: 'any' },
  workflows: {
    rooms: ['domain'],
    typeOnlyRooms: ['activities'],
    packages: ['@temporalio/workflow', '@temporalio/common'],
  },
  activities: { rooms: ['domain'], typeOnlyRooms: ['db'], packages: 'any' },
  adapters: { rooms: ['domain'], typeOnlyRooms: [], packages: 'any' },
  db: { rooms: ['domain'], typeOnlyRooms: [], packages: 'any' },
  temporal: { rooms: ['domain'], typeOnlyRooms: [], packages: 'any' },
  relay: { rooms: ['domain'], typeOnlyRooms: ['db'], packages: 'any' },
  // Implements the ports through which the others tell; no room lists it.
  telemetry: {
    rooms: ['domain'],
    typeOnlyRooms: ['api', 'db', 'relay', 'temporal'],
    packages: 'any',
  },
  api: { rooms: ['domain', 'db', 'temporal', 'workflows'], typeOnlyRooms: [], packages: 'any' },
  sdk: { rooms: [], typeOnlyRooms: [], packages: 'any' },
  console: { rooms: ['sdk'], typeOnlyRooms: [], packages: 'browser' },
};

/** Files and folders that wire the rooms together: they import anything, and no room imports them. */
const wiring = new Set(['runtime', 'cli', 'worker', 'worker.ts', 'api/server.ts']);
/** Outside the house: they import anything, and nothing but themselves imports them. */
const outside = new Set(['test', 'bench', 'ops', '.ci']);

/** The rooms the law governs, for the test that walks them. */
export const governedRooms: readonly string[] = Object.keys(law);

/** The room of a path relative to the repository: a wiring file is a room of its own. */
const roomOf = (path: string): string => {
  if (wiring.has(path)) return path;
  return path.split('/')[0] ?? path;
};

const isNodeModule = (specifier: string): boolean => specifier.startsWith('node:');

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

export interface ImportUse {
  /** The importing file, relative to the repository, with forward slashes. */
  readonly from: string;
  readonly specifier: string;
  /** True only for `import type`, `export type … from` and imports whose every name is a type. */
  readonly isTypeOnly: boolean;
}

const judgePackage = (room: string, row: Row, specifier: string): string | undefined => {
  if (row.packages === 'any') return undefined;
  if (row.packages === 'browser') {
    return isNodeModule(specifier)
      ? `${room} runs in a browser and may not import ${specifier}`
      : undefined;
  }
  if (row.packages.includes(packageOf(specifier))) return undefined;
  const allowed =
    row.packages.length === 0 ? 'no package at all' : `only ${row.packages.join(', ')}`;
  return `${room} may import ${allowed}, not ${specifier}`;
};

/**
 * Says why an import breaks the law, or undefined when it does not.
 * Configuration of build tools (`*.config.ts`) is outside the house wherever it lies.
 */
export const judgeImport = ({ from, specifier, isTypeOnly }: ImportUse): string | undefined => {
  const room = roomOf(from);
  if (from.endsWith('.config.ts') || outside.has(room) || wiring.has(room)) return undefined;
  const row = law[room];
  if (row === undefined)
    return `${room} is not a room of DESIGN.md section 2: add its row to the import law`;
  if (specifier.startsWith('/') || specifier.startsWith('file:'))
    return 'imports are relative or by package';
  if (!specifier.startsWith('.')) return judgePackage(room, row, specifier);

  const target = posix.normalize(posix.join(posix.dirname(from), specifier)).split('?')[0] ?? '';
  if (target.startsWith('../')) return 'an import may not leave the repository';
  const targetRoom = roomOf(target);
  if (wiring.has(targetRoom)) return `${targetRoom} wires the rooms: nobody imports it`;
  if (targetRoom === room || row.rooms.includes(targetRoom)) return undefined;
  if (!row.typeOnlyRooms.includes(targetRoom)) return `${room} may not import ${targetRoom}`;
  return isTypeOnly
    ? undefined
    : `${room} may import only types from ${targetRoom}: use import type`;
};
