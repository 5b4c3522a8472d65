import { promisify } from 'node:util';
import { gunzip, gzipSync } from 'node:zlib';
import type { NatsConnection } from '@nats-io/nats-core';
import type { TreeNode } from '#runtime/actors/types';
import type { Logger } from '../telemetry/logger.ts';
import { answering } from './answering.ts';
import { askAll } from './ask-all.ts';
import type { InspectPoint } from './home.ts';

const READ_LIMIT_MS = 1_000;
/** Levels below the root that are shown when the whole tree is too large for one message. */
const LESS_AND_LESS = [Number.POSITIVE_INFINITY, 3, 2, 1, 0];
const HEADROOM = 4096;

/**
 * Trees on `inspect.<node>`, as gzipped JSON. A request cannot be sent to a wildcard, so all nodes also listen on
 * `inspect`.
 */
export function natsInspectPoint(connection: NatsConnection, log: Logger): InspectPoint {
  return {
    serve(node, tree) {
      const answer = () => packed(tree(), (connection.info?.max_payload ?? 1024 * 1024) - HEADROOM);
      const served = ['inspect', `inspect.${node}`].map((subject) =>
        answering(connection, subject, answer, log),
      );
      return {
        async stop() {
          for (const subscription of served) subscription.unsubscribe();
        },
      };
    },

    async read({ timeoutMs = READ_LIMIT_MS, nodes, signal } = {}) {
      const trees: TreeNode[] = [];
      const isEnough = () => nodes?.every((node) => trees.some(({ name }) => name === node)) ?? false;
      const options = { timeoutMs, isEnough, ...(signal && { signal }) };
      const answers = askAll(connection, 'inspect', 'asking the nodes for their actor trees', options);
      for await (const answer of answers) trees.push(await unpacked(answer));
      return trees.sort((a, b) => (a.name < b.name ? -1 : 1));
    },
  };
}

/** As much of the tree as fits into one message. */
function packed(tree: TreeNode, limit: number): Uint8Array {
  let bytes = new Uint8Array();
  for (const levels of LESS_AND_LESS) {
    bytes = gzipSync(JSON.stringify(upTo(levels, tree)), { level: 1 });
    if (bytes.length <= limit) break;
  }
  return bytes;
}

async function unpacked(bytes: Uint8Array): Promise<TreeNode> {
  return JSON.parse((await promisify(gunzip)(bytes)).toString());
}

function upTo(levels: number, node: TreeNode): TreeNode {
  return { ...node, children: levels > 0 ? node.children.map((child) => upTo(levels - 1, child)) : [] };
}
