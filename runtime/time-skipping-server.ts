/**
 * Temporal's time-skipping test server, from its Maven artifact: fetched once into the cache with everything it needs, started
 * by a script that the SDK takes as its executable. For tests only: its clock jumps.
 */
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './cache-folder.ts';
import { withFileLock } from './file-lock.ts';

const VERSION = '1.38.0';
const MAIN_CLASS = 'io.temporal.testserver.TestServer';
const FETCH_TIMEOUT_MS = 600_000;

/**
 * The path of the script, for `TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path',
 * path } } })`.
 * @throws Error that says what is missing: Java, Maven or the artifact.
 */
export async function findTimeSkippingServer(
  onProgress: (line: string) => void = () => undefined,
): Promise<string> {
  await refuseWithout('java', ['-version'], 'install a Java runtime of version 11 or later');
  const home = homeFolder();
  const script = join(home, 'temporal-test-server');
  if (await exists(script)) return script;
  await mkdir(dirname(home), { recursive: true });
  await withFileLock(
    `${home}.lock`,
    async () => {
      if (await exists(script)) return;
      await refuseWithout('mvn', ['--version'], 'install Maven, which fetches the server once');
      onProgress(`fetching the time-skipping server ${VERSION} by Maven, once for this machine`);
      await fetchTo(home);
    },
    (holderPid) => {
      onProgress(`waiting for process ${holderPid}, which is fetching the time-skipping server`);
    },
  );
  return script;
}

/** Whether it was fetched already, for `doctor`. */
export async function hasTimeSkippingServer(): Promise<boolean> {
  return await exists(join(homeFolder(), 'temporal-test-server'));
}

const homeFolder = (): string => join(cacheFolder(), `temporal-test-server-${VERSION}`);

async function fetchTo(home: string): Promise<void> {
  const partial = `${home}.${process.pid}`;
  const project = await mkdtemp(join(tmpdir(), 'latchkey-maven-'));
  await rm(partial, { recursive: true, force: true });
  try {
    await writeFile(join(project, 'pom.xml'), POM);
    await mkdir(partial, { recursive: true });
    await promisify(execFile)(
      'mvn',
      ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${join(partial, 'lib')}`],
      { cwd: project, timeout: FETCH_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 },
    );
    await writeFile(join(partial, 'temporal-test-server'), startScript(home), { mode: 0o755 });
    await rm(home, { recursive: true, force: true });
    await rename(partial, home);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown reason';
    throw new Error(`the time-skipping server cannot be had by Maven: ${reason}`, { cause });
  } finally {
    await rm(partial, { recursive: true, force: true });
    await rm(project, { recursive: true, force: true });
  }
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dev.latchkey</groupId>
  <artifactId>time-skipping-server</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId>
      <artifactId>temporal-test-server</artifactId>
      <version>${VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;

/** The SDK gives the port as the one argument and ends the process by a signal, so the script must become Java. */
function startScript(home: string): string {
  const classPath = join(home, 'lib', '*').replaceAll("'", `'\\''`);
  return `#!/bin/sh\nexec java -cp '${classPath}' ${MAIN_CLASS} "$@"\n`;
}

async function refuseWithout(program: string, args: string[], advice: string): Promise<void> {
  try {
    await promisify(execFile)(program, args);
  } catch (cause) {
    throw new Error(`\`${program}\` is missing: ${advice}`, { cause });
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
