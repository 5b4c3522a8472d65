import { once } from 'node:events';
import { Cancelled } from '#protocols/errors';
import type { Roles } from './roles.ts';

/** The roles of a node that takes none: it waits for them until it stops. */
export const noRoles: Roles = {
  async hold(role, { signal }) {
    if (!signal.aborted) await once(signal, 'abort');
    throw new Cancelled({ code: 'aborted', message: `Stopped waiting for the role ${role}.` });
  },
};
