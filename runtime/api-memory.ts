/**
 * How much memory V8 may give the API process. Named here alone for whoever starts it from TypeScript; the Dockerfile and the compose file repeat
 * the same words, and a test holds them against these.
 */

/**
 * MiB. The API keeps a few caches of fixed size; left alone, V8 lets the heap grow with the machine. The bound on old space also says how far the heap
 * grows before all of it is marked anew, which at 256 came half as often again as at 640 (docs/decisions/0040).
 */
export const API_MEMORY_FLAGS = ['--max-semi-space-size=16', '--max-old-space-size=640'] as const;
