/** What an app may ask of its stream: nothing, the session says for whom it is. */
import { Type } from 'typebox';

export const AppStreamQuery = Type.Object({}, { additionalProperties: false });
