import type { Hono, MiddlewareHandler } from 'hono';
import { Terminal } from '#protocols/errors';
import { APPROVAL_PATH, RECOMMENDED_FAMILY_PATH } from '#protocols/greenfield/creation-approval';
import { REPLICATE_PIECE_PATH } from '#protocols/replication/receive-message';
import { RECOVER_PIECE_PATH } from '#protocols/replication/recovery-message';
import type { GatewayContext, GatewayEnv, Handler } from './context.ts';
import { OBJECT } from './target.ts';

/** The operations that the gateway serves; absent ones are those that this provider does not offer. */
export interface Handlers {
  readonly putObject: Handler;
  readonly putPart: Handler;
  readonly putDelegated?: Handler;
  readonly putDelegatedPart?: Handler;
  readonly createFolder?: Handler;
  readonly getObject: Handler;
  readonly uploadContext: Handler;
  readonly uploadProgress: Handler;
  readonly objectMeta: Handler;
  readonly viewObject: Handler;
  readonly downloadObject: Handler;
  readonly status: Handler;
  readonly replicatePiece?: Handler;
  readonly recoverPiece?: Handler;
  readonly approve: Handler;
  readonly recommendedFamily: Handler;
  readonly registerKey: Handler;
  readonly listKeys: Handler;
  readonly deleteKeys: Handler;
}

/**
 * Maps requests to handlers: the first matching row counts (protocols/greenfield/README.md#gateway-routes). HEAD is
 * answered as GET, without the body.
 */
export function addRoutes(app: Hono<GatewayEnv>, given: Handlers): void {
  const handlers = named(given);
  app.post(OBJECT, withQuery(['delegate'], handlers.putDelegatedPart));
  app.post(OBJECT, withQuery(['offset', 'complete'], handlers.putPart));
  app.put(OBJECT, withQuery(['delegate'], handlers.putDelegated));
  app.put(OBJECT, handlers.putObject);
  app.post(OBJECT, withQuery(['create-folder'], handlers.createFolder));
  app.get(OBJECT, withQuery(['upload-context'], handlers.uploadContext));
  app.get(OBJECT, withQuery(['upload-progress'], handlers.uploadProgress));
  app.get(OBJECT, withQuery(['bucket-meta'], undefined));
  app.get(OBJECT, withQuery(['bucket-migration-progress'], undefined));
  app.get(OBJECT, withQuery(['object-meta'], handlers.objectMeta));
  app.get(OBJECT, withQuery(['object-policies'], undefined));
  app.get(OBJECT, handlers.getObject);

  app.get('/view', handlers.viewObject);
  app.get('/download', handlers.downloadObject);
  app.post('/auth/update_key_v2', handlers.registerKey);
  app.get('/auth/keys_v2', handlers.listKeys);
  app.post('/auth/delete_keys_v2', handlers.deleteKeys);
  app.get('/status', handlers.status);
  app.get(APPROVAL_PATH, handlers.approve);
  app.get(RECOMMENDED_FAMILY_PATH, handlers.recommendedFamily);
  if (handlers.replicatePiece) app.put(REPLICATE_PIECE_PATH, handlers.replicatePiece);
  if (handlers.recoverPiece) app.get(RECOVER_PIECE_PATH, handlers.recoverPiece);

  app.notFound((c) => {
    throw notServed(c);
  });
}

/** The same handlers; each notes its name in the request's variables. */
function named(handlers: Handlers): Handlers {
  return Object.fromEntries(
    Object.entries(handlers).map(([name, handler]: [string, Handler]) => [
      name,
      (c: GatewayContext) => {
        c.set('operation', name);
        return handler(c);
      },
    ]),
  ) as unknown as Handlers;
}

/**
 * Passes a request to the next row unless its query has all of these parameters, whatever their value.
 * @param handler without one, the request is refused
 */
function withQuery(names: readonly string[], handler: Handler | undefined): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    if (!names.every((name) => c.get('target').query.has(name))) return next();
    if (!handler) throw notServed(c, names);
    return handler(c);
  };
}

/** 400/50008. @param query the parameters that are not supported, if the path is served without them */
function notServed(c: GatewayContext, query: readonly string[] = []): Terminal {
  const { service, bucket, object } = c.get('address');
  const what = service ?? (object ? 'an object' : bucket ? 'a bucket' : 'this path');
  const having = query.length > 0 ? ` with ?${query.join('&')}` : '';
  return new Terminal({
    code: 'not-served',
    message: `${c.req.method} of ${what}${having} is not served here.`,
    advice: 'PUT and GET an object, or GET its ?upload-progress.',
    gatewayCode: 50008,
  });
}
