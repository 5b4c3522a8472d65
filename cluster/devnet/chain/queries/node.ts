import * as node from '@bnb-chain/greenfield-cosmos-types/cosmos/base/tendermint/v1beta1/query.js';
import { type QueryHandler, query } from './query.ts';

/** Queries about the node itself that clients send by gRPC rather than with CometBFT's methods. */
export const nodeQueries: Readonly<Record<string, QueryHandler>> = {
  GetNodeInfo: query(node.GetNodeInfoRequest, node.GetNodeInfoResponse, ({ committed }) =>
    node.GetNodeInfoResponse.fromPartial({
      defaultNodeInfo: { network: committed.chainId, moniker: 'devnet-chain' },
    }),
  ),
  GetSyncing: query(node.GetSyncingRequest, node.GetSyncingResponse, () => ({ syncing: false })),
  GetLatestBlock: query(node.GetLatestBlockRequest, node.GetLatestBlockResponse, ({ committed }) => {
    const { head, chainId } = committed;
    return node.GetLatestBlockResponse.fromPartial({
      blockId: { hash: Buffer.from(head.hash, 'hex') },
      sdkBlock: {
        header: {
          chainId,
          height: head.height,
          time: { seconds: Math.floor(head.time / 1000), nanos: (head.time % 1000) * 1_000_000 },
        },
      },
    });
  }),
};
