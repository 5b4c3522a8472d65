import { Action } from '#protocols/greenfield/types';
import { authenticateIfSigned } from '../access/authentication.ts';
import { authorise, findObject, isPublic } from '../access/permission.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import type { Delivery } from '../download/delivery.ts';
import type { Disposition } from '../download/disposition.ts';
import { clientSignal, type GatewayContext, type Handler } from '../request/context.ts';

/**
 * `GET /{object}`, with or without `Range`: the payload of an object. Public objects need no signature; others can
 * also be read by a pre-signed URL, with which browsers save the payload unless it has `view=true`.
 */
export function getObject(dependencies: GatewayDependencies, deliver: Delivery): Handler {
  return async (c) => {
    const signal = clientSignal(c);
    const address = c.get('address');
    const found = await findObject(dependencies, address, signal);
    if (isPublic(found)) return deliver(c, found, signal);
    const signed = await authenticateIfSigned(dependencies.offChainKeys, c);
    await authorise(dependencies.chain, signed?.accounts ?? [], address, Action.GET_OBJECT, signal);
    return deliver(c, found, signal, signed?.byUrl ? dispositionAskedFor(c) : undefined);
  };
}

function dispositionAskedFor(c: GatewayContext): Disposition {
  const view = c.get('target').query.get('view') ?? '';
  return /^(?:1|t|true)$/i.test(view) ? 'inline' : 'attachment';
}
