/** Every workflow of the house: what the bundle exports is what a worker can run, and what the replay gate demands histories of. */
export { enrollment } from './enrollment.ts';
export { keyRotation } from './key-rotation.ts';
export { recovery } from './recovery.ts';
export { revocation } from './revocation.ts';
export { session } from './session.ts';
export { stepUp } from './step-up.ts';
export { stepUpAnswer } from './step-up-answer.ts';
