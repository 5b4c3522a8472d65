import type { FollowedActions } from '../actions/followed-actions.ts';
import type { ProviderView } from '../view/provider-view.ts';
import { serveActions } from './actions.ts';
import { type Api, createApi } from './endpoint.ts';
import { serveJobs } from './jobs.ts';
import { type OwnNode, serveNodes } from './nodes.ts';
import { serveProvider } from './provider.ts';

/** Where the description of the API is served. */
export const OPENAPI_PATH = '/api/openapi.json';

export interface ApiOptions {
  readonly view: ProviderView;
  readonly own: OwnNode;
  readonly actions: FollowedActions;
  readonly version: string;
}

/** The JSON API for operators and the command line; `OPENAPI_PATH` describes it. */
export function operatorApi({ view, own, actions, version }: ApiOptions): Api {
  const api = createApi();
  api.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  serveNodes(api, view, own);
  serveJobs(api, view);
  serveProvider(api, view);
  serveActions(api, actions);
  api.doc31(OPENAPI_PATH, {
    openapi: '3.1.0',
    info: {
      title: 'Sealion, for operators',
      version,
      description: 'What a storage provider does and waits for. Times are unix ms, sizes bytes.',
    },
    security: [{ token: [] }],
  });
  return api;
}
