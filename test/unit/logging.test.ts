/** What the log never holds, wherever in a line it slips in; and that a line without secrets stays what it is. */
import { describe, expect, test } from 'vitest';
import { createLogger } from '../../api/frame/logging.ts';

function lineOf(logged: Record<string, unknown>): unknown {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  createLogger({ level: 'info', instance: 'test', destination }).info(logged, 'said');
  return JSON.parse(lines[0] ?? '');
}

describe('a line of the log', () => {
  test.each([
    ['beside the message', { token: 's3cret' }],
    ['in headers', { headers: { authorization: 's3cret' } }],
    ['in a body', { body: { refresh_token: 's3cret' } }],
    ['in the headers of something', { request: { headers: { dpop: 's3cret' } } }],
    ['in the body of something', { answer: { body: { otp: 's3cret' } } }],
    ['deep in a body', { answer: { body: { contact: { phone: 's3cret' } } } }],
    ['as the code of a body', { body: { code: 's3cret' } }],
    ['deeper than anything of ours', { a: { b: { c: { d: { e: 's3cret' } } } } }],
  ])('cuts a secret %s', (_place, logged) => {
    expect(JSON.stringify(lineOf(logged))).not.toContain('s3cret');
    expect(JSON.stringify(lineOf(logged))).toContain('[cut]');
  });

  test('keeps our own codes and everything that is no secret', () => {
    const logged = { code: 'session_ended', status: 401, detail: { code: 'x', at: [1, 2] } };
    expect(lineOf(logged)).toMatchObject(logged);
  });

  test('tells of an error its name, code and stack, and nothing that it carries', () => {
    const error = Object.assign(new Error('s3cret'), { code: 'E1', parameters: ['s3cret'] });
    const line = lineOf({ err: error });
    expect(line).toMatchObject({ err: { type: 'Error', code: 'E1' } });
    expect(JSON.stringify(line)).not.toContain('s3cret');
  });

  test('changes nothing of what it was given', () => {
    const logged = { body: { phone: '+6421000000' } };
    lineOf(logged);
    expect(logged).toEqual({ body: { phone: '+6421000000' } });
  });
});
