/**
 * What a node does for its SP. A node has any of them; all of them together are one SP.
 *
 * - `gateway` serves HTTP, and owns an upload until it is acknowledged.
 * - `task` owns jobs from the queue: approvals, erasure coding, replication, sealing.
 * - `receiver` answers other SPs over NATS: approvals, columns, what they repair.
 * - `keeper` may hold what only one node at a time may do: signing by each key, announcing, the caretaker, the
 *   projection into a shared SQL DB. Each is leased by itself.
 */
export const ROLES = ['gateway', 'task', 'receiver', 'keeper'] as const;
export type Role = (typeof ROLES)[number];

/** Roles as a configuration states them. */
export type StatedRoles = 'all' | readonly Role[];

/** The keys of an SP. */
export const KEYS = ['operator', 'approval', 'seal', 'bls'] as const;
export type KeyName = (typeof KEYS)[number];

/** The roles for which a node signs with a key; a node needs no key that it does not sign with. @param wires to other SPs */
function signersWith(key: KeyName, wires: readonly string[]): readonly Role[] {
  switch (key) {
    // what it tells other SPs, and asks them for
    case 'operator':
      return ROLES;
    case 'approval':
      return ['gateway', 'receiver'];
    case 'seal':
      return ['keeper'];
    case 'bls':
      return wires.includes('http') ? ['gateway', 'receiver'] : ['receiver'];
  }
}

export function needsKey(stated: StatedRoles, key: KeyName, wires: readonly string[]): boolean {
  return signersWith(key, wires).some((role) => hasRole(stated, role));
}

/** Each role at one of so many nodes, as evenly as can be; a fifth node and those after it have all roles. */
export function rolesApart(nodes: number): readonly StatedRoles[] {
  const apart = Array.from({ length: nodes }, (_, i) => ROLES.filter((_role, r) => r % nodes === i));
  return apart.map((roles) => (roles.length === 0 ? 'all' : roles));
}

export function hasRole(stated: StatedRoles, role: Role): boolean {
  return stated === 'all' || stated.includes(role);
}

export function hasAllRoles(stated: StatedRoles): boolean {
  return ROLES.every((role) => hasRole(stated, role));
}
