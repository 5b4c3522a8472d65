import type { CatchUp } from '../access/catch-up.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import { clientSignal, type Handler } from '../request/context.ts';
import type { DividedSlots } from '../request/slots.ts';
import { xmlElements, xmlResponse } from '../request/xml.ts';
import { admitDelegation, announce, objectExists } from '../upload/delegation.ts';
import { readFolder } from '../upload/delegation-query.ts';

/**
 * `POST /{object}?create-folder&visibility`: creates an empty object for a client, which the chain seals at once,
 * and returns the hash of the transaction.
 */
export function createFolder(
  dependencies: GatewayDependencies,
  uploads: DividedSlots,
  catchUp: CatchUp,
): Handler {
  return async (c) => {
    // In Node the JS SDK parses the answer to this request only if it has this content type.
    c.set('xmlType', 'text/xml');
    const signal = clientSignal(c);
    const delegation = await catchUp(() => admitDelegation(dependencies, c, readFolder, signal), signal);
    const release = uploads.take(c.get('share').names);
    try {
      const { transactionHash } = await announce(dependencies, delegation, signal);
      if (transactionHash === undefined) throw objectExists(delegation.announcement.objectName);
      return xmlResponse(c, `<CreateHash>${xmlElements({ TxHash: transactionHash })}</CreateHash>`);
    } finally {
      release();
    }
  };
}
