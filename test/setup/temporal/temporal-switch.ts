/** Temporal behind a switch: for tests of what goes on, and what waits, while it is away. */
import type { TemporalGateway } from '../../../temporal/client.ts';
import { absentTemporal } from '../api.ts';

/** A Temporal that a test can take away and give back. */
export class TemporalSwitch {
  isDown = false;
  readonly gateway: TemporalGateway;

  constructor(real: TemporalGateway) {
    const absent = absentTemporal();
    const pick = () => (this.isDown ? absent : real);
    this.gateway = {
      start: (...args) => pick().start(...args),
      update: (...args) => pick().update(...args),
      signal: (...args) => pick().signal(...args),
      signalWithStart: (...args) => pick().signalWithStart(...args),
      describe: (...args) => pick().describe(...args),
      healthy: () => pick().healthy(),
      close: () => real.close(),
    };
  }
}
