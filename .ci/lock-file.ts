/**
 * The rules for package-lock.json as one pure judgement: nothing in it may name where it was fetched from, every package is held by its
 * digest, and no package runs a script at installation that package.json does not allow.
 */
export interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly hasInstallScript?: boolean;
  readonly deprecated?: string;
  readonly link?: boolean;
}

export interface LockFile {
  readonly lockfileVersion: number;
  /** By the path of its folder; the empty one is ours. */
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/**
 * How many binaries of other platforms stand in the lock file without a digest: npm writes none for what it did not fetch. They are never
 * installed here or in the image; the number must only fall.
 */
export const BINARIES_WITHOUT_DIGEST = 61;

/** The package's name, from the folder it lies in. */
export const nameOf = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Answers one line a fault; none is the aim. */
export const judgeLockFile = (
  { lockfileVersion, packages }: LockFile,
  allowScripts: Readonly<Record<string, boolean>>,
): string[] => {
  const entries = Object.entries(packages).filter(([path]) => path !== '');
  const faults = entries.flatMap(([path, entry]) => judgePackage(path, entry, allowScripts));
  const bare = entries.filter(([, entry]) => entry.integrity === undefined && isForeign(entry));
  if (bare.length > BINARIES_WITHOUT_DIGEST) {
    faults.push(
      `${bare.length} binaries of other platforms have no digest, ${BINARIES_WITHOUT_DIGEST} are known`,
    );
  }
  if (lockfileVersion !== 3) faults.push('the lock file is not of version 3');
  return faults;
};

/** Left out at installation where system or processor is another. */
const isForeign = ({ optional, os, cpu }: LockedPackage): boolean =>
  optional === true && (os !== undefined || cpu !== undefined);

const judgePackage = (
  path: string,
  entry: LockedPackage,
  allowScripts: Readonly<Record<string, boolean>>,
): string[] => {
  const faults: string[] = [];
  const name = nameOf(path);
  if (entry.resolved !== undefined) faults.push(`${path} names the host it was fetched from`);
  if (entry.link === true) faults.push(`${path} is a link`);
  if (entry.integrity === undefined && !isForeign(entry)) faults.push(`${path} has no digest`);
  if (entry.integrity !== undefined && !entry.integrity.startsWith('sha512-'))
    faults.push(`${path} is held by a weak digest`);
  // Binaries of other platforms bring the script of the one that is allowed; npm runs none that is not named.
  if (entry.hasInstallScript === true && allowScripts[name] !== true && !isForeign(entry))
    faults.push(`${path} would run a script at installation that package.json does not allow`);
  if (entry.deprecated !== undefined && entry.dev !== true)
    faults.push(`${path} is given up by its author: ${entry.deprecated}`);
  return faults;
};
