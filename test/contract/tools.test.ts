/** The programs that tests fetch for themselves, from PyPI and from Debian. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { debianTool } from '../setup/programs/debian-tool.ts';
import { pythonTool } from '../setup/programs/python-tool.ts';

const run = promisify(execFile);

describe('a program that a test fetches', () => {
  it('comes from PyPI at the pinned version', async () => {
    const schemathesis = await pythonTool({
      package: 'schemathesis',
      version: '4.32.5',
      executable: 'schemathesis',
    });
    expect((await run(schemathesis, ['--version'])).stdout).toContain('4.32.5');
  });

  it('is named when PyPI has no such version', async () => {
    await expect(
      pythonTool({ package: 'schemathesis', version: '0.0.0.1', executable: 'schemathesis' }),
    ).rejects.toThrow('schemathesis==0.0.0.1 could not be got from PyPI');
  });

  it("comes out of Debian's package without being installed", async () => {
    const promtool = await debianTool({ package: 'prometheus', executable: 'promtool' });
    const { stdout, stderr } = await run(promtool, ['--version']);
    expect(stdout + stderr).toContain('promtool, version');
  });

  it('is named when the package does not bring it', async () => {
    await expect(
      debianTool({ package: 'prometheus', executable: 'no-such-program' }),
    ).rejects.toThrow("Debian's package prometheus brings no program no-such-program");
  });
});
