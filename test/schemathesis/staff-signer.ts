/** What staff bring to the operations door, for the signing proxy: the cookie of a person who has the role, and the door's own origin. */
import { ACCESS, accessOf, isOperationId } from '../../api/access.ts';
import type { StaffRole } from '../../domain/staff.ts';
import type { DemoPersonId } from '../../runtime/staff-people.ts';
import { logInAtDoor } from '../setup/staff/staff-at-door.ts';
import type { TestStack } from '../setup/stack.ts';
import type { Signer } from './signing-proxy.ts';

const PERSON: { readonly [Role in StaffRole]: DemoPersonId } = {
  agent: 'ana',
  supervisor: 'sione',
  auditor: 'aida',
  administrator: 'amir',
};

export function createStaffSigner(stack: Pick<TestStack, 'operationsUrl'>): Signer {
  const cookies = new Map<string, Promise<string>>();
  const cookieOf = (key: string, person: DemoPersonId): Promise<string> => {
    const held = cookies.get(key) ?? logInAtDoor(stack, person).then(({ cookie }) => cookie);
    cookies.set(key, held);
    return held;
  };
  return {
    sign: async ({ operationId, method }) => {
      const origin = method === 'GET' ? {} : { origin: stack.operationsUrl };
      const [role] = accessOf(operationId)?.roles ?? [];
      if (role === undefined || !isOperationId(operationId)) return origin;
      // Who logs out again and again is nobody else.
      const key = ACCESS[operationId] === ACCESS.staffLogout ? 'leaving' : role;
      return { ...origin, cookie: await cookieOf(key, PERSON[role]) };
    },
    heard: ({ operationId, status }) => {
      if (operationId === 'staffLogout' && status === 200) cookies.delete('leaving');
    },
  };
}
