import { z } from '@hono/zod-openapi';
import type { SpaceReport } from '#actors/caretaker/space/report';
import type { TreeNode } from '#runtime/actors/types';
import type { LoadReport } from '#runtime/load/background';
import { loadReport, type NodeReport, nodeReport, nodeReports } from '../view/node-report.ts';
import type { ProviderView } from '../view/provider-view.ts';
import { treeNode, trees } from '../view/trees.ts';
import { type Api, serveEndpoint } from './endpoint.ts';

/** What the node that serves the API says of itself. */
export interface OwnNode {
  report(): Promise<NodeReport>;
  tree(): TreeNode;
  load(): LoadReport;
  /** Differences between the stored data and the chain. */
  space(): Promise<SpaceReport>;
}

const spaceReport = z
  .looseObject({ unneeded: z.array(z.looseObject({})), incomplete: z.array(z.looseObject({})) })
  .openapi('SpaceReport');

/** The nodes of the SP, and the one that is asked. */
export function serveNodes(api: Api, view: ProviderView, own: OwnNode): void {
  serveEndpoint(api, {
    method: 'get',
    path: '/api/nodes',
    summary: 'What each node of the storage provider says of itself',
    role: 'view',
    answer: nodeReports,
    handle: (_, c) => view.nodes(c.req.raw.signal),
  });
  serveEndpoint(api, {
    method: 'get',
    path: '/api/trees',
    summary: 'The supervision tree of each node',
    role: 'view',
    answer: trees,
    handle: (_, c) => view.trees(c.req.raw.signal),
  });
  serveEndpoint(api, {
    method: 'get',
    path: '/api/nodes/self',
    summary: 'What the node that is asked says of itself',
    role: 'view',
    answer: nodeReport,
    handle: () => own.report(),
  });
  serveEndpoint(api, {
    method: 'get',
    path: '/api/nodes/self/tree',
    summary: 'Its supervision tree',
    role: 'view',
    answer: treeNode,
    handle: () => own.tree(),
  });
  serveEndpoint(api, {
    method: 'get',
    path: '/api/nodes/self/load',
    summary: 'How late its event loop is, requests in progress, jobs in work and allowed',
    role: 'view',
    answer: loadReport,
    handle: () => own.load(),
  });
  serveEndpoint(api, {
    method: 'get',
    path: '/api/nodes/self/space',
    summary: 'Stored data: needed, unneeded and waiting to be deleted, incomplete',
    role: 'view',
    answer: spaceReport,
    handle: () => own.space(),
  });
}
