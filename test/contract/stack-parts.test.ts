/** The stage's buttons on processes that are real enough to end: what each does, in which order, and what is remembered of it. */
import { describe, expect, test } from 'vitest';
import type { WorkerProcess } from '../../runtime/latchkey-processes.ts';
import type { ManagedProcess, ProcessExit } from '../../runtime/managed-process.ts';
import type { LineListener, LineStatus, PhoneLine } from '../../runtime/phone-line.ts';
import { StackParts } from '../../runtime/stack-parts.ts';
import { WantedEnds } from '../../runtime/wanted-ends.ts';

const clock = { nowMs: () => Date.parse('2026-03-01T10:00:00.000Z') };

class FakeLine implements PhoneLine {
  #status: LineStatus = 'up';
  #tell: LineListener = () => undefined;
  status = () => this.#status;
  onChange = (listener: LineListener) => {
    this.#tell = listener;
  };
  dropNextAnswer = () => {
    this.become('armed');
  };
  restore = () => {
    if (this.#status !== 'up') this.become('up');
  };
  stop = () => Promise.resolve();

  become(status: LineStatus, path?: string): void {
    this.#status = status;
    this.#tell(
      status,
      path === undefined ? undefined : { method: 'POST', path, status: 201, body: '' },
    );
  }
}

const openStage = ({ isTemporalOurs = true, isNextPromoted = true } = {}) => {
  const done: string[] = [];
  let pid = 0;
  const process = (name: string): ManagedProcess & { crash: () => void } => {
    pid += 1;
    const { promise: exited, resolve } = Promise.withResolvers<ProcessExit>();
    const end = () => {
      done.push(`${name} ends`);
      resolve({ code: 0, signal: null });
      return Promise.resolve();
    };
    done.push(`${name} starts`);
    return { name, pid, exited, stop: end, kill: end, crash: () => void end() };
  };
  const worker = (buildId: string, isPromoted = true): WorkerProcess => ({
    ...process(`worker ${buildId}`),
    promoted: Promise.resolve(isPromoted ? buildId : undefined),
  });
  const line = new FakeLine();
  const hold = () => {
    done.push('port held');
    return Promise.resolve(() => {
      done.push('port let go');
      return Promise.resolve();
    });
  };
  const parts = new StackParts({
    clock,
    line,
    ends: new WantedEnds(),
    worker: worker('b'),
    launchWorker: (buildId = 'b') => Promise.resolve(worker(buildId, isNextPromoted)),
    temporal: isTemporalOurs
      ? {
          process: process('temporal'),
          launch: () => Promise.resolve(process('temporal')),
          holdPort: hold,
        }
      : undefined,
  });
  const happened = () => parts.view().events.map(({ what }) => what);
  return { parts, line, done, happened };
};

describe('the parts of a stack', () => {
  test('stops the worker and starts it again, once each however often it is asked', async () => {
    const { parts, done, happened } = openStage();
    await Promise.all([parts.stopWorker(), parts.stopWorker()]);
    expect(parts.view().worker).toMatchObject({ status: 'down', buildId: 'b' });
    await Promise.all([parts.startWorker(), parts.startWorker()]);
    expect(parts.view().worker).toMatchObject({ status: 'up', buildId: 'b' });
    expect(done.slice(2)).toEqual(['worker b ends', 'worker b starts']);
    expect(happened()).toEqual(['worker_stopped', 'worker_started']);
  });

  test('holds the port of a stopped Temporal until it starts again', async () => {
    const { parts, done } = openStage();
    expect(await parts.stopTemporal()).toBeUndefined();
    expect(parts.view().temporal.status).toBe('down');
    expect(await parts.startTemporal()).toBeUndefined();
    expect(done.slice(2)).toEqual(['temporal ends', 'port held', 'port let go', 'temporal starts']);
    expect(parts.view().temporal.status).toBe('up');
  });

  test('deploys: the next build is current before the old worker is drained, and a restart brings the next', async () => {
    const { parts, done } = openStage();
    expect(await parts.deploy()).toBeUndefined();
    expect(parts.view()).toMatchObject({
      worker: { status: 'up', buildId: 'b.2' },
      deployment: { from: 'b', to: 'b.2', phase: 'done' },
      events: [{ what: 'deployed', from: 'b', to: 'b.2' }],
    });
    expect(done.slice(2)).toEqual(['worker b.2 starts', 'worker b ends']);
    await parts.deploy();
    await parts.stopWorker();
    await parts.startWorker();
    expect(parts.view().worker).toMatchObject({ status: 'up', buildId: 'b.3' });
    expect(done.at(-1)).toBe('worker b.3 starts');
  });

  test('keeps the old worker when the next build could not be made current', async () => {
    const { parts, done } = openStage({ isNextPromoted: false });
    await parts.deploy();
    expect(parts.view()).toMatchObject({
      worker: { status: 'up', buildId: 'b' },
      deployment: { phase: 'failed' },
      events: [],
    });
    expect(done.slice(2)).toEqual(['worker b.2 starts', 'worker b.2 ends']);
  });

  test('refuses a deployment that nobody could carry out, and to stop a Temporal that is not ours', async () => {
    const { parts } = openStage();
    await parts.stopWorker();
    expect(await parts.deploy()).toBe('worker_down');
    await parts.startWorker();
    await parts.stopTemporal();
    expect(await parts.deploy()).toBe('temporal_down');
    const given = openStage({ isTemporalOurs: false });
    expect(await given.parts.stopTemporal()).toBe('not_ours');
    expect(given.parts.view().temporal.status).toBe('not_ours');
  });

  test('remembers what was lost and when the line came back, but not an order taken back', async () => {
    const { parts, line, happened } = openStage();
    parts.dropNextAnswer();
    parts.restoreLine();
    expect(happened()).toEqual([]);
    parts.dropNextAnswer();
    line.become('down', '/t/demo/auth/login');
    line.become('up');
    expect(parts.view().events).toMatchObject([
      { id: 1, what: 'answer_lost', path: '/t/demo/auth/login', status: 201 },
      { id: 2, what: 'line_restored' },
    ]);
  });

  test('resumes everything, Temporal before the worker that needs it', async () => {
    const { parts, line, done } = openStage();
    parts.dropNextAnswer();
    await parts.stopWorker();
    await parts.stopTemporal();
    await parts.resumeAll();
    expect(done.slice(-2)).toEqual(['temporal starts', 'worker b starts']);
    expect(line.status()).toBe('up');
  });

  test('starts over: everything up, nothing remembered', async () => {
    const { parts, happened } = openStage();
    await parts.deploy();
    await parts.stopWorker();
    await parts.startOver();
    expect(parts.view()).toMatchObject({ worker: { status: 'up' }, events: [] });
    expect(parts.view().deployment).toBeUndefined();
    await parts.stopWorker();
    expect(happened()).toEqual(['worker_stopped']);
  });

  test('says of a worker that ended by itself that it is down', async () => {
    const { promise, resolve } = Promise.withResolvers<ProcessExit>();
    const dying = new StackParts({
      clock,
      line: new FakeLine(),
      ends: new WantedEnds(),
      worker: {
        name: 'worker',
        pid: 1,
        exited: promise,
        promoted: Promise.resolve('b'),
        stop: () => Promise.resolve(),
        kill: () => Promise.resolve(),
      },
      launchWorker: () => Promise.reject(new Error('not asked')),
      temporal: undefined,
    });
    resolve({ code: null, signal: 'SIGKILL' });
    await expect.poll(() => dying.view().worker.status).toBe('down');
  });
});

describe('the end of a process', () => {
  const member = (exited: Promise<ProcessExit>) => ({
    name: 'part',
    pid: 7,
    exited,
    stop: () => Promise.resolve(),
    kill: () => Promise.resolve(),
  });

  test('is told to whoever runs everything unless a button wanted it', async () => {
    const ends = new WantedEnds();
    const told: string[] = [];
    const host = ends.host({
      onLine: () => undefined,
      adopt: (adopted) => {
        void adopted.exited?.then(() => told.push(`${adopted.name} ${adopted.pid}`));
        return Promise.resolve();
      },
    });
    const [wanted, crashed] = [
      Promise.withResolvers<ProcessExit>(),
      Promise.withResolvers<ProcessExit>(),
    ];
    const part = member(wanted.promise);
    await host.adopt(part);
    await ends.end(part);
    wanted.resolve({ code: 0, signal: null });
    await host.adopt({ ...member(crashed.promise), pid: 8 });
    crashed.resolve({ code: 1, signal: null });
    await expect.poll(() => told).toEqual(['part 8']);
  });
});
