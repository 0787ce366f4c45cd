/** The name of a build as people tell two apart: `8a5488ce`, and `8a5488ce.2` for the second deployed from it. */
export function shortBuild(buildId: string): string {
  const [hash = '', ...rest] = buildId.split('.');
  return [hash.slice(0, 8), ...rest].join('.');
}
