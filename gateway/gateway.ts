import { Hono } from 'hono';
import { catchUpWith } from './access/catch-up.ts';
import { payloadDelivery } from './download/delivery.ts';
import { createFolder } from './handlers/create-folder.ts';
import { deleteKeys } from './handlers/delete-keys.ts';
import { getObject } from './handlers/get-object.ts';
import { listKeys } from './handlers/list-keys.ts';
import { objectMeta } from './handlers/object-meta.ts';
import { putDelegated } from './handlers/put-delegated.ts';
import { putDelegatedPart } from './handlers/put-delegated-part.ts';
import { putObject } from './handlers/put-object.ts';
import { putPart } from './handlers/put-part.ts';
import { recoverPiece } from './handlers/recover-piece.ts';
import { registerKey } from './handlers/register-key.ts';
import { replicatePiece } from './handlers/replicate-piece.ts';
import { status } from './handlers/status.ts';
import { universalEndpoint } from './handlers/universal-endpoint.ts';
import { uploadContext } from './handlers/upload-context.ts';
import { uploadProgress } from './handlers/upload-progress.ts';
import type { GatewayParts } from './parts.ts';
import { readAddress } from './request/address.ts';
import { clientRates } from './request/client-rates.ts';
import { type GatewayEnv, type Handler, targetOf } from './request/context.ts';
import { crossOrigin } from './request/cors.ts';
import { errorResponse } from './request/errors.ts';
import { boundHead } from './request/head-bounds.ts';
import { requestLog } from './request/log.ts';
import { ownHosts } from './request/own-hosts.ts';
import { matchRoute, notServed, type Operation } from './request/routes.ts';
import { Slots } from './request/slots.ts';
import { AnnouncementQuota } from './upload/announcement-quota.ts';
import { payloadIntake } from './upload/intake.ts';

export type Gateway = Hono<GatewayEnv>;

/** The HTTP face of a storage provider: payloads in, payloads out, progress. Serve it with `serveGateway`. */
export function createGateway(parts: GatewayParts): Gateway {
  const deliver = payloadDelivery(parts);
  const uploads = new Slots(parts.limits.maxUploads, 'uploads');
  const take = payloadIntake(parts, uploads);
  const catchUp = catchUpWith(parts.chain);
  const { delegation } = parts.limits;
  const delegating = { ...parts, quota: new AnnouncementQuota(delegation) };
  const handlers: Readonly<Record<Operation, Handler>> = {
    'put-object': putObject(parts, take, catchUp),
    'put-part': putPart(parts, take, catchUp),
    'put-delegated': delegation.enabled ? putDelegated(delegating, take, catchUp) : refuseOperation,
    'put-delegated-part': delegation.enabled ? putDelegatedPart(delegating, take, catchUp) : refuseOperation,
    'create-folder': delegation.enabled ? createFolder(delegating, uploads, catchUp) : refuseOperation,
    'get-object': getObject(parts, deliver),
    'upload-context': uploadContext(parts),
    'upload-progress': uploadProgress(parts),
    'object-meta': objectMeta(parts),
    'view-object': universalEndpoint(parts, deliver, 'view'),
    'download-object': universalEndpoint(parts, deliver, 'download'),
    status: status(parts),
    'replicate-piece': parts.receivers ? replicatePiece(parts, parts.receivers) : refuseOperation,
    'recover-piece':
      parts.receivers && parts.repairer ? recoverPiece(parts, parts.repairer) : refuseOperation,
    'register-key': registerKey(parts),
    'list-keys': listKeys(parts),
    'delete-keys': deleteKeys(parts),
  };
  const checkHost = ownHosts(parts);
  const app = new Hono<GatewayEnv>();
  app.use(requestLog(parts.log));
  app.use(clientRates(parts.limits, parts.log));
  app.use(boundHead);
  if (parts.corsOrigins.length > 0) app.use(crossOrigin(parts.corsOrigins));
  // Bucket and operation hang on host and query as much as on the path, so routes.ts matches instead of Hono.
  app.all('*', async (c) => {
    const target = targetOf(c);
    await checkHost(target.host, c.env?.incoming?.socket);
    const address = readAddress(target, parts.domains);
    c.set('target', target);
    c.set('address', address);
    return handlers[matchRoute(c.req.method, target, address)](c);
  });
  app.onError(errorResponse);
  return app;
}

/** Stands in for what this provider does not take part in. */
const refuseOperation: Handler = async (c) => {
  throw notServed(c.req.method, undefined, c.get('address'));
};
