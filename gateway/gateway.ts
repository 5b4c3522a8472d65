import { Hono } from 'hono';
import { catchUpWith } from './access/catch-up.ts';
import type { GatewayDependencies } from './dependencies.ts';
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
export function createGateway(dependencies: GatewayDependencies): Gateway {
  const deliver = payloadDelivery(dependencies);
  const uploads = new Slots(dependencies.limits.maxUploads, 'uploads');
  const take = payloadIntake(dependencies, uploads);
  const catchUp = catchUpWith(dependencies.chain);
  const { delegation } = dependencies.limits;
  const delegating = { ...dependencies, quota: new AnnouncementQuota(delegation) };
  const handlers: Readonly<Record<Operation, Handler>> = {
    'put-object': putObject(dependencies, take, catchUp),
    'put-part': putPart(dependencies, take, catchUp),
    'put-delegated': delegation.enabled ? putDelegated(delegating, take, catchUp) : refuseOperation,
    'put-delegated-part': delegation.enabled ? putDelegatedPart(delegating, take, catchUp) : refuseOperation,
    'create-folder': delegation.enabled ? createFolder(delegating, uploads, catchUp) : refuseOperation,
    'get-object': getObject(dependencies, deliver),
    'upload-context': uploadContext(dependencies),
    'upload-progress': uploadProgress(dependencies),
    'object-meta': objectMeta(dependencies),
    'view-object': universalEndpoint(dependencies, deliver, 'view'),
    'download-object': universalEndpoint(dependencies, deliver, 'download'),
    status: status(dependencies),
    'replicate-piece': dependencies.receivers
      ? replicatePiece(dependencies, dependencies.receivers)
      : refuseOperation,
    'recover-piece':
      dependencies.receivers && dependencies.repairer
        ? recoverPiece(dependencies, dependencies.repairer)
        : refuseOperation,
    'register-key': registerKey(dependencies),
    'list-keys': listKeys(dependencies),
    'delete-keys': deleteKeys(dependencies),
  };
  const checkHost = ownHosts(dependencies);
  const app = new Hono<GatewayEnv>();
  app.use(requestLog(dependencies.log));
  app.use(clientRates(dependencies.limits, dependencies.log));
  app.use(boundHead);
  if (dependencies.corsOrigins.length > 0) app.use(crossOrigin(dependencies.corsOrigins));
  // Bucket and operation hang on host and query as much as on the path, so routes.ts matches instead of Hono.
  app.all('*', async (c) => {
    const target = targetOf(c);
    await checkHost(target.host, c.env?.incoming?.socket);
    const address = readAddress(target, dependencies.domains);
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
