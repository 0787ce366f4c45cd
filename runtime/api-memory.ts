/**
 * How much memory V8 may give the API process. Named here alone for whoever starts it from TypeScript; the Dockerfile and the compose file repeat
 * the same words, and a test holds them against these.
 */

/** MiB. The API keeps a few caches of fixed size; left alone, V8 lets the heap grow with the machine. */
export const API_MEMORY_FLAGS = ['--max-semi-space-size=16', '--max-old-space-size=256'] as const;
