import { Terminal } from '#protocols/errors';
import { REPLICATE_PIECE_PATH } from '#protocols/replication/receive-message';
import { RECOVER_PIECE_PATH } from '#protocols/replication/recovery-message';
import type { Address, Target } from './address.ts';

/** What the gateway serves. */
export type Operation =
  | 'put-object'
  | 'put-part'
  | 'put-delegated'
  | 'put-delegated-part'
  | 'create-folder'
  | 'get-object'
  | 'upload-context'
  | 'upload-progress'
  | 'object-meta'
  | 'view-object'
  | 'download-object'
  | 'status'
  | 'replicate-piece'
  | 'recover-piece'
  | 'register-key'
  | 'list-keys'
  | 'delete-keys';

interface Route {
  readonly method: 'GET' | 'PUT' | 'POST';
  /** Query parameters that must be there, whatever their value. */
  readonly query: readonly string[];
  readonly operation: Operation | 'not served';
}

/** What can be asked of an object, in the order in which it is matched (protocols/greenfield/README.md#gateway-routes). */
const ROUTES: readonly Route[] = [
  { method: 'POST', query: ['delegate'], operation: 'put-delegated-part' },
  { method: 'POST', query: ['offset', 'complete'], operation: 'put-part' },
  { method: 'PUT', query: ['delegate'], operation: 'put-delegated' },
  { method: 'PUT', query: [], operation: 'put-object' },
  { method: 'POST', query: ['create-folder'], operation: 'create-folder' },
  { method: 'GET', query: ['upload-context'], operation: 'upload-context' },
  { method: 'GET', query: ['upload-progress'], operation: 'upload-progress' },
  { method: 'GET', query: ['bucket-meta'], operation: 'not served' },
  { method: 'GET', query: ['bucket-migration-progress'], operation: 'not served' },
  { method: 'GET', query: ['object-meta'], operation: 'object-meta' },
  { method: 'GET', query: ['object-policies'], operation: 'not served' },
  { method: 'GET', query: [], operation: 'get-object' },
];

/** What can be asked at paths of Greenfield's own. */
const SERVICES: readonly {
  readonly method: Route['method'];
  readonly service: string;
  readonly operation: Operation;
}[] = [
  { method: 'POST', service: 'auth/update_key_v2', operation: 'register-key' },
  { method: 'GET', service: 'auth/keys_v2', operation: 'list-keys' },
  { method: 'POST', service: 'auth/delete_keys_v2', operation: 'delete-keys' },
  { method: 'GET', service: 'view', operation: 'view-object' },
  { method: 'GET', service: 'download', operation: 'download-object' },
  { method: 'GET', service: 'status', operation: 'status' },
  { method: 'PUT', service: REPLICATE_PIECE_PATH.slice(1), operation: 'replicate-piece' },
  { method: 'GET', service: RECOVER_PIECE_PATH.slice(1), operation: 'recover-piece' },
];

/**
 * Which operation a request asks for. HEAD asks for what GET would answer, without the body.
 * @throws Terminal 400/50008 for everything that is not served here
 */
export function matchRoute(method: string, target: Target, address: Address): Operation {
  const asked = method === 'HEAD' ? 'GET' : method;
  if (address.service !== undefined) {
    const found = SERVICES.find(({ method, service }) => method === asked && service === address.service);
    if (!found) throw notServed(method, undefined, address);
    return found.operation;
  }
  const route = address.object
    ? ROUTES.find(({ method, query }) => method === asked && query.every((name) => target.query.has(name)))
    : undefined;
  if (!route || route.operation === 'not served') throw notServed(method, route, address);
  return route.operation;
}

/** @param route where there is one for a part of the request */
export function notServed(method: string, route: Route | undefined, address: Address): Terminal {
  const what = address.service ?? (address.object ? 'an object' : address.bucket ? 'a bucket' : 'this path');
  const query = route ? ` with ?${route.query.join('&')}` : '';
  return new Terminal({
    code: 'not-served',
    message: `${method} of ${what}${query} is not served here.`,
    advice: 'PUT and GET an object, or GET its ?upload-progress.',
    gatewayCode: 50008,
  });
}
