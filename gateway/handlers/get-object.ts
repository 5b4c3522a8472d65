import { Action } from '#protocols/greenfield/types';
import { authenticateIfSigned } from '../access/authentication.ts';
import { authorise, findObject, isPublic } from '../access/permission.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import type { Delivery } from '../download/delivery.ts';
import type { Disposition } from '../download/disposition.ts';
import { clientSignal, type GatewayContext, type Handler } from '../request/context.ts';

/**
 * `GET /{object}`, with or without `Range`: the payload of an object. Public objects need no signature; other ones can
 * also be read with a pre-signed URL, which makes browsers save the payload unless it has `view=true`.
 */
export function getObject(dependencies: GatewayDependencies, deliver: Delivery): Handler {
  return async (c) => {
    const signal = clientSignal(c);
    const address = c.get('address');
    const permission = permitted(c, signal);
    // Not awaited for a public object.
    permission.catch(() => undefined);
    const found = await findObject(dependencies, address, signal);
    if (isPublic(found)) return deliver(c, found, signal);
    const signed = await permission;
    return deliver(c, found, signal, signed?.byUrl ? dispositionAskedFor(c) : undefined);
  };

  /** Runs concurrently with the query for the object, since concurrent queries share one request to the chain. */
  async function permitted(c: GatewayContext, signal: AbortSignal) {
    const signed = await authenticateIfSigned(dependencies.offChainKeys, c);
    const accounts = signed?.accounts ?? [];
    await authorise(dependencies.chain, accounts, c.get('address'), Action.GET_OBJECT, signal);
    return signed;
  }
}

function dispositionAskedFor(c: GatewayContext): Disposition {
  const view = c.get('target').query.get('view') ?? '';
  return /^(?:1|t|true)$/i.test(view) ? 'inline' : 'attachment';
}
