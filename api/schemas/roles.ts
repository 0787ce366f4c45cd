/** Roles as the bank's systems set them. */
import { Type } from 'typebox';
import { idPattern } from '../../domain/ids.ts';

const Roles = Type.Array(Type.String({ pattern: '^[a-z][a-z0-9_:.-]{0,63}$' }), {
  maxItems: 16,
  uniqueItems: true,
  description: 'All of them: what is not named is taken away.',
});

export const RolesParams = Type.Object({
  customerId: Type.String({ pattern: idPattern('customer'), description: 'Whose.' }),
});
export const RolesBody = Type.Object({ roles: Roles }, { additionalProperties: false });
export const RolesAnswer = Type.Object({ roles: Roles }, { additionalProperties: false });
