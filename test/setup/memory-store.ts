/** The SDK's store without a browser: keeps what it is given as it is. */
import type { Store } from '../../sdk/store.ts';

export function memoryStore(): Store & { readonly records: Map<string, unknown> } {
  const records = new Map<string, unknown>();
  return {
    records,
    get: (key) => Promise.resolve(records.get(key)),
    set: (key, value) => {
      records.set(key, value);
      return Promise.resolve();
    },
    delete: (key) => {
      records.delete(key);
      return Promise.resolve();
    },
    keep: (key, value) => {
      if (!records.has(key)) records.set(key, value);
      return Promise.resolve(records.get(key));
    },
    clear: () => {
      records.clear();
      return Promise.resolve();
    },
  };
}
