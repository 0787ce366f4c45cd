/** What the payments desk knows when answers overtake each other: it asks each second, and its buttons ask besides. */
import { expect, it } from 'vitest';
import { readPayments, viewAfter } from '../../console/stage/payments-view.ts';

const held = readPayments({ isHeld: true, payments: [] });
const plain = readPayments({ isHeld: false, payments: [] });
const replayed = { status: 401, code: 'dpop_proof_replayed' };
const pressed = readPayments({ isHeld: false, payments: [], replay: { request: replayed } });

it('keeps how a copy was answered when the desk is looked at again', () => {
  expect(viewAfter(pressed, held, false)).toStrictEqual({ ...held, replayed });
});

it('takes how a copy was answered from an answer that was overtaken, and nothing else of it', () => {
  expect(viewAfter(held, pressed, true)).toStrictEqual({ ...held, replayed });
  expect(viewAfter(held, plain, true)).toStrictEqual(held);
});

it('learns nothing from an overtaken answer after the payments were forgotten', () => {
  expect(viewAfter(undefined, pressed, true)).toBeUndefined();
  expect(viewAfter(undefined, plain, false)).toStrictEqual(plain);
});
