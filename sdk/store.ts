/**
 * Where the SDK keeps what must outlive the page: keys, the refresh token, the ceremony under way. The default is IndexedDB, which
 * stores a CryptoKey without ever exposing it. Access tokens, codes and names must never be written here.
 */
import { openDB } from 'idb';
import type { IDBPDatabase } from 'idb';

export interface Store {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** Keeps `value` unless something stands there already; answers what stands there now. Atomic between tabs. */
  keep(key: string, value: unknown): Promise<unknown>;
  /** Forgets everything. */
  clear(): Promise<void>;
}

const RECORDS = 'records';

/** One database a name: give each issuer and client its own. Opened at the first use. */
export function openBrowserStore(name: string): Store {
  let opened: Promise<IDBPDatabase> | undefined;
  const database = () =>
    (opened ??= openDB(name, 1, {
      upgrade: (created) => {
        created.createObjectStore(RECORDS);
      },
      terminated: () => {
        opened = undefined;
      },
    }));
  return {
    get: async (key) => (await database()).get(RECORDS, key) as Promise<unknown>,
    set: async (key, value) => {
      await (await database()).put(RECORDS, value, key);
    },
    delete: async (key) => {
      await (await database()).delete(RECORDS, key);
    },
    keep: async (key, value) => {
      const transaction = (await database()).transaction(RECORDS, 'readwrite');
      const found: unknown = await transaction.store.get(key);
      if (found === undefined) await transaction.store.put(value, key);
      await transaction.done;
      return found ?? value;
    },
    clear: async () => {
      await (await database()).clear(RECORDS);
    },
  };
}
