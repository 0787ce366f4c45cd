/** Where the vectors that others wrote lie: the folder given to `npm run test:vectors`, or one beside the checkout. */

/** @throws Error that says how to name the folder. */
export function vectorsFolder(): string {
  const folder = process.env['LATCHKEY_VECTORS'];
  if (folder === undefined || folder === '')
    throw new Error('name the folder of the vectors: npm run test:vectors -- FOLDER');
  return folder;
}
