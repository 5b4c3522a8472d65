import { Hono } from 'hono';
import { Turns } from '#runtime/load/turns';
import { catchUpWith } from './access/catch-up.ts';
import type { GatewayDependencies } from './dependencies.ts';
import { payloadDelivery } from './download/delivery.ts';
import { approve } from './handlers/approve.ts';
import { createFolder } from './handlers/create-folder.ts';
import { deleteKeys } from './handlers/delete-keys.ts';
import { getObject } from './handlers/get-object.ts';
import { listKeys } from './handlers/list-keys.ts';
import { objectMeta } from './handlers/object-meta.ts';
import { putDelegated } from './handlers/put-delegated.ts';
import { putDelegatedPart } from './handlers/put-delegated-part.ts';
import { putObject } from './handlers/put-object.ts';
import { putPart } from './handlers/put-part.ts';
import { recommendedFamily } from './handlers/recommended-family.ts';
import { recoverPiece } from './handlers/recover-piece.ts';
import { registerKey } from './handlers/register-key.ts';
import { replicatePiece } from './handlers/replicate-piece.ts';
import { status } from './handlers/status.ts';
import { universalEndpoint } from './handlers/universal-endpoint.ts';
import { uploadContext } from './handlers/upload-context.ts';
import { uploadProgress } from './handlers/upload-progress.ts';
import { clientRates } from './request/client-rates.ts';
import type { GatewayEnv } from './request/context.ts';
import { crossOrigin } from './request/cors.ts';
import { errorResponse } from './request/errors.ts';
import { firstTurn } from './request/first-turn.ts';
import { boundHead } from './request/head-bounds.ts';
import { requestLog } from './request/log.ts';
import { notStored } from './request/not-stored.ts';
import { ownHosts } from './request/own-hosts.ts';
import { addRoutes, type Handlers } from './request/routes.ts';
import { DividedSlots } from './request/slots.ts';
import { address, pathToRoute, target } from './request/target.ts';
import { traced } from './request/trace.ts';
import { familyChoice } from './upload/family-choice.ts';
import { payloadIntake } from './upload/intake.ts';

/**
 * Bytes of downloads that are handed out in one turn of the event loop, at least one portion; about half a millisecond of
 * work. A request costs as much to begin with.
 */
const BYTES_PER_TURN = 256 * 1024;

export type Gateway = Hono<GatewayEnv>;

/** The HTTP API of a storage provider: uploads, downloads, progress. Serve it with `serveGateway`. */
export function createGateway(dependencies: GatewayDependencies): Gateway {
  const { corsOrigins, domains, limits, proxies, metrics, traces, log } = dependencies;
  const app = new Hono<GatewayEnv>({ getPath: pathToRoute(domains) });
  const turns = new Turns({ costPerTurn: BYTES_PER_TURN });
  app.use(requestLog(log, proxies, metrics));
  app.use(firstTurn(turns, BYTES_PER_TURN));
  if (traces?.on) app.use(traced(traces));
  app.use(notStored);
  app.use(clientRates(limits, log, metrics));
  app.use(target);
  app.use(boundHead);
  if (corsOrigins.length > 0) app.use(crossOrigin(corsOrigins));
  app.use(ownHosts(dependencies));
  app.use(address(domains));
  addRoutes(app, handlersOf(dependencies, turns));
  app.onError(errorResponse);
  return app;
}

function handlersOf(dependencies: GatewayDependencies, turns: Turns): Handlers {
  const { receivers, repairer, limits, metrics } = dependencies;
  const deliver = payloadDelivery(dependencies, turns);
  const { gateways = () => 1 } = dependencies;
  const uploads = new DividedSlots(() => Math.ceil(limits.maxUploads / gateways()), 'uploads');
  metrics?.watchBound({
    what: 'uploads',
    unit: 'items',
    limit: () => uploads.most,
    used: () => uploads.used,
  });
  const take = payloadIntake(dependencies, uploads);
  const catchUp = catchUpWith(dependencies.chain);
  const families = familyChoice(dependencies);
  return {
    putObject: putObject(dependencies, take, catchUp),
    putPart: putPart(dependencies, take, catchUp),
    ...(limits.delegation.enabled && {
      putDelegated: putDelegated(dependencies, take, catchUp),
      putDelegatedPart: putDelegatedPart(dependencies, take, catchUp),
      createFolder: createFolder(dependencies, uploads, catchUp),
    }),
    getObject: getObject(dependencies, deliver),
    uploadContext: uploadContext(dependencies),
    uploadProgress: uploadProgress(dependencies),
    objectMeta: objectMeta(dependencies),
    viewObject: universalEndpoint(dependencies, deliver, 'view'),
    downloadObject: universalEndpoint(dependencies, deliver, 'download'),
    status: status(dependencies),
    ...(receivers && { replicatePiece: replicatePiece(dependencies, receivers) }),
    ...(receivers && repairer && { recoverPiece: recoverPiece(dependencies, repairer) }),
    approve: approve(dependencies, families),
    recommendedFamily: recommendedFamily(dependencies, families),
    registerKey: registerKey(dependencies),
    listKeys: listKeys(dependencies),
    deleteKeys: deleteKeys(dependencies),
  };
}
