/**
 * What Latchkey is made of, checked: the lock file's rules, licences, the schemas of events, a bill of materials (dist/sbom.cdx.json), known vulnerabilities. What
 * could not be looked up is neither passed nor failed and is said; SUPPLY_CHAIN_STRICT=true, for a release, makes a failure of it.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { judgeEventSchemas, readEventSchemas } from './event-schemas.ts';
import { judgeLicences } from './licences.ts';
import type { Licensed } from './licences.ts';
import { judgeLockFile, nameOf } from './lock-file.ts';
import type { LockFile } from './lock-file.ts';
import { judgeAudit } from './vulnerabilities.ts';

interface Check {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'unknown';
  readonly details: readonly string[];
}

interface Bill {
  readonly metadata: { readonly component: { readonly 'bom-ref': string } };
  readonly components: readonly { readonly 'bom-ref': string; readonly purl: string }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const SBOM = 'dist/sbom.cdx.json';

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/** npm's standard output, whatever its exit code: it answers with findings by another one than 0. */
const npm = async (...args: readonly string[]): Promise<string> => {
  try {
    const { stdout } = await promisify(execFile)('npm', [...args], { maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    return error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
  }
};

const verdict = (name: string, faults: readonly string[]): Check => ({
  name,
  outcome: faults.length === 0 ? 'passed' : 'failed',
  details: faults,
});

/** Folders of the packages of production that are installed on this machine; those of other platforms are not. */
const installedOf = (lock: LockFile): string[] =>
  Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && entry.dev !== true)
    .map(([path]) => path)
    .filter((path) => manifestOf(path) !== undefined);

const manifestOf = (path: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    // A package's own manifest is an object, or npm would not have installed it.
    return readJson(`${path}/package.json`) as Record<string, unknown>;
  } catch {
    return undefined;
  }
};

/** As the package itself says; older ones write an object or a list. */
const licenceOf = (path: string): string | undefined => {
  const manifest = manifestOf(path);
  const given = manifest?.['license'] ?? manifest?.['licenses'];
  const first: unknown = Array.isArray(given) ? given[0] : given;
  if (typeof first === 'string') return first;
  if (typeof first !== 'object' || first === null || !('type' in first)) return undefined;
  return typeof first.type === 'string' ? first.type : undefined;
};

const checkLicences = (lock: LockFile): Check => {
  const here = installedOf(lock);
  const others = Object.entries(lock.packages).filter(
    ([path, entry]) => path !== '' && entry.dev !== true && !here.includes(path),
  );
  const packages: readonly Licensed[] = [
    ...here.map((path) => ({ name: nameOf(path), licence: licenceOf(path) })),
    // Of what is not installed only what the lock file says is known.
    ...others.flatMap(([path, { license }]) =>
      license === undefined ? [] : [{ name: nameOf(path), licence: license }],
    ),
  ];
  return verdict(`licences of ${packages.length} packages of production`, judgeLicences(packages));
};

const writeBill = async (lock: LockFile): Promise<Check> => {
  // Without `--omit dev`, which leaves out what production and development share (npm 11).
  const text = await npm('sbom', '--sbom-format', 'cyclonedx');
  const name = `bill of materials, ${SBOM}`;
  if (text === '') return verdict(name, ['npm sbom wrote nothing']);
  const purls = new Set(
    installedOf(lock).map((path) => `pkg:npm/${nameOf(path)}@${lock.packages[path]?.version}`),
  );
  // The form is npm's; the schema is asked right below.
  const bill = billOf(purls, JSON.parse(text) as Bill);
  const written = JSON.stringify(bill, null, 2);
  mkdirSync('dist', { recursive: true });
  writeFileSync(SBOM, `${written}\n`);
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot5);
  const errors = await validator.validate(written);
  const listed = new Set(bill.components.map(({ purl }) => decodeURIComponent(purl)));
  return verdict(name, [
    ...(errors === null ? [] : [`it is no CycloneDX 1.5: ${JSON.stringify(errors)}`]),
    ...[...purls].filter((purl) => !listed.has(purl)).map((purl) => `it leaves out ${purl}`),
  ]);
};

/** The part of npm's bill that is production. */
const billOf = (purls: ReadonlySet<string>, bill: Bill): Bill => {
  const components = bill.components.filter(({ purl }) => purls.has(decodeURIComponent(purl)));
  const root = bill.metadata.component;
  const refs = new Set([root, ...components].map((component) => component['bom-ref']));
  return {
    ...bill,
    // npm calls it after the folder it lies in.
    metadata: { ...bill.metadata, component: Object.assign({}, root, { name: 'latchkey' }) },
    components,
    dependencies: bill.dependencies
      .filter(({ ref }) => refs.has(ref))
      .map((entry) => ({ ...entry, dependsOn: entry.dependsOn.filter((ref) => refs.has(ref)) })),
  };
};

const auditPackages = async (): Promise<Check> => {
  const [today = ''] = new Date(performance.timeOrigin).toISOString().split('T');
  const audit = judgeAudit(await npm('audit', '--omit=dev', '--json', '--fetch-retries=0'), today);
  const isStrict = process.env['SUPPLY_CHAIN_STRICT'] === 'true';
  const outcome = audit.outcome === 'unknown' && isStrict ? 'failed' : audit.outcome;
  return { name: 'known vulnerabilities', outcome, details: audit.details };
};

// Both files are npm's own.
const lockFile = readJson('package-lock.json') as LockFile;
const { allowScripts } = readJson('package.json') as { allowScripts: Record<string, boolean> };
const checks: readonly Check[] = [
  verdict('lock file', judgeLockFile(lockFile, allowScripts)),
  checkLicences(lockFile),
  verdict('schemas of events, docs/events', judgeEventSchemas(readEventSchemas())),
  await writeBill(lockFile),
  await auditPackages(),
];
const signs = { passed: 'passed ', failed: 'FAILED ', unknown: 'UNKNOWN' } as const;
for (const { name, outcome, details } of checks) {
  process.stdout.write(`${signs[outcome]} ${name}\n`);
  for (const line of details) process.stdout.write(`        ${line}\n`);
}
if (checks.some(({ outcome }) => outcome === 'failed')) process.exitCode = 1;
