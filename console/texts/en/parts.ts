/** Breaking and mending the parts of the stack, in English: for the people watching. */
export const parts = {
  title: 'Break it',
  loading: 'Looking at the parts',
  names: { line: 'Line to the phone', worker: 'Worker', temporal: 'Temporal' },
  /** What the buttons beside the part will do. */
  effects: {
    line: 'Lets the bank commit, loses its answer, and takes the phone’s line away for 6 s.',
    worker: 'Stopped, every ceremony waits. A new version takes the open ones over.',
    temporal: 'Stopped, ceremonies wait, and what PostgreSQL decides goes on.',
    not_ours: 'This stack was given its Temporal and must not stop it.',
  },
  states: {
    up: 'Up',
    armed: 'Armed',
    stopping: 'Stopping',
    down: 'Down',
    starting: 'Starting',
    not_ours: 'Not ours',
  },
  armed: 'The next thing that the phone does will be done, and the phone will not hear of it.',
  lineDown: 'The answer was lost after its commit. The line comes back by itself.',
  since: (duration: string) => `for ${duration}`,
  sinceHint: (time: string) => `Since ${time}`,
  build: (id: string) => `build ${id}`,
  deploying: {
    starting: (to: string) => `Build ${to} starts beside the old one.`,
    draining: (to: string) => `Build ${to} has the work now; the old one finishes what it holds.`,
    done: (from: string, to: string) => `Deployed ${from} → ${to}; the old one is drained.`,
    failed: (to: string) => `Build ${to} did not come up; the old one works on.`,
  },
  ceremony: (buildId: string) => `Open enrollment: on build ${buildId}`,
  ceremonyMoves: (buildId: string, next: string) =>
    `Open enrollment: so far on ${buildId}, its next step on ${next}`,
  onBuild: (id: string) => `on build ${id}`,
  buttons: {
    drop: 'Drop the next answer',
    disarm: 'Disarm',
    restore: 'Restore the line',
    stopWorker: 'Stop worker',
    startWorker: 'Start worker',
    deploy: 'Deploy new version',
    stopTemporal: 'Stop Temporal',
    startTemporal: 'Start Temporal',
    resume: 'Resume all',
  },
  works: {
    title: 'What works now',
    everything: 'Everything works',
    abilities: {
      hotPath: 'Log in, refresh, gateway check',
      cutOff: 'Fraud cut-off',
      ceremonies: 'Enrollment',
      messages: 'Codes and notices',
    },
    states: {
      works: 'works',
      waits: 'waits, nothing is lost',
      later: 'at once, receipt later',
      unreachable: 'out of the phone’s reach',
    },
  },
  outage: {
    line: 'The phone has no line',
    worker: 'The worker is stopped',
    temporal: 'Temporal is stopped',
    both: 'Temporal and the worker are stopped',
    meanwhile: {
      line: 'What was committed stands. Asking again changes nothing.',
      driven: 'Enrollment waits. Log in, refresh and the gateway go on.',
    },
    badge: 'Something is stopped',
  },
  failures: {
    not_ours: 'Temporal is not ours to stop: TEMPORAL_ADDRESS is given.',
    worker_down: 'Start the worker first: a new version takes over from it.',
    temporal_down: 'Start Temporal first: a build becomes current there.',
    unknown: 'That did not work. The terminal of npm start says why.',
  } as Readonly<Record<string, string | undefined>> & { readonly unknown: string },
  events: {
    answer_lost: (path: string, status: string) =>
      `Committed and answered ${status}, and the answer was lost: ${path}`,
    line_restored: 'The line is back',
    worker_stopped: 'The worker was stopped',
    worker_started: 'The worker is back',
    temporal_stopped: 'Temporal was stopped',
    temporal_started: 'Temporal is back',
    deployed: (from: string, to: string) =>
      `A new version was deployed: build ${from} → ${to}, the old worker drained`,
  },
} as const;
