/** A login at the demo's staff directory, for the tests of the door. */
export { logInAtDirectory } from '../../../runtime/directory-login.ts';
