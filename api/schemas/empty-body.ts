/** The body of an operation that needs none: an object, so that it is JSON, with nothing in it. */
import { Type } from 'typebox';

export const EmptyBody = Type.Object({}, { additionalProperties: false });
