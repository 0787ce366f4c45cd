/** What a browser shows when a login did not lead to a session: what happened, what it means, and the way to try again. It knows nobody. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { sendDoorPage, wantsPage } from '../operations/door-pages.ts';
import { judgeError, sendProblem } from '../problems.ts';

const WORDS: {
  readonly [Code in ErrorCode]?: { readonly title: string; readonly told: string };
} = {
  staff_login_failed: {
    title: 'You are not logged in',
    told: 'That login was begun too long ago, in another browser, or came back in a way that cannot be accepted. Nothing was changed.',
  },
  no_staff_role: {
    title: 'No role for you here',
    told: 'Your directory knows you, but gives you no role that opens this door. Ask whoever manages your access, then log in again.',
  },
  staff_login_unavailable: {
    title: 'Nobody can log in right now',
    told: 'The identity provider of staff does not answer. Whoever is logged in can go on. Try again in a few seconds.',
  },
};

/** For the two addresses that people open: a page when they did, the problem as everywhere when a program did. */
export function sendLoginRefusal(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const refusal = judgeError(error);
  const { code, retryAfterSeconds } = refusal;
  if (!wantsPage(request) || code === 'internal_error' || code === 'not_found') {
    sendProblem(error, request, reply);
    return;
  }
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  const words = WORDS[code] ?? { title: 'You are not logged in', told: ERRORS[code].title };
  // It throws nothing, and the answer is on its way when it returns.
  void sendDoorPage(request, reply, {
    code,
    ...words,
    next: { href: 'login', text: 'Log in' },
  });
}
