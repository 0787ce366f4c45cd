/** Who asked for a step-up, as its rows name it. */
import type { StepUpRequester } from '../domain/step-up.ts';

/** As a ceremony names who asked: what is counted and locked by requester. */
export function nameOf({ kind, id }: StepUpRequester): string {
  return `${kind}:${id}`;
}

/** For `like`: every key that began a login is a requester of its own. */
export const ANY_LOGIN = nameOf({ kind: 'login', id: '%' });

export function isRequester(
  { requester }: { readonly requester: StepUpRequester },
  { kind, id }: StepUpRequester,
): boolean {
  return requester.kind === kind && requester.id === id;
}
