import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';
import { formatSpStatus, type SpStatus } from '#protocols/greenfield/sp-status';
import type { ObjectInfo, ObjectOnChain, StorageProvider } from '#protocols/greenfield/types';
import {
  INTEGRITY_SIGNATURE_HEADER,
  RECEIVE_MESSAGE_HEADER,
  type ReceivedTask,
  readReceiveMessage,
} from '#protocols/replication/receive-message';
import type { Chain } from '../../chain/chain.ts';
import { HttpPeerClient, type HttpPeersOptions } from '../http/client.ts';
import type { ApprovalAsk, ColumnOffer } from '../peers.ts';
import { CHAIN_ID, operatorKey, PROVIDERS, type Sample } from './peers.ts';

/** What a primary sent to the gateway of a secondary. */
export interface Received {
  readonly path: string;
  readonly task: ReceivedTask;
  readonly body: Buffer;
}

/** The gateway of an SP of another make, as far as the wire goes; tests say what it answers. */
export interface ForeignGateway {
  readonly endpoint: string;
  readonly received: Received[];
  /** Requests for its status. */
  asked: number;
  /** The traceparent of the last of them. */
  trace?: string | undefined;
  status: SpStatus;
  /** Answers a task in place of a 200; false leaves it without any answer. */
  answer: (task: ReceivedTask, response: ServerResponse) => boolean | undefined;
  close(): Promise<void>;
}

export const BLS_SIGNATURE = 'ab'.repeat(96);

export async function foreignGateway(
  t: ExecutionContext,
  spId: number,
  prefix = '',
): Promise<ForeignGateway> {
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  t.teardown(close);
  const gateway: ForeignGateway = {
    endpoint: `http://sp${spId}.localhost:${(server.address() as AddressInfo).port}${prefix}`,
    received: [],
    asked: 0,
    status: {
      chainId: CHAIN_ID,
      operatorAddress: operatorKey(spId).address,
      domain: '',
      takesPieces: true,
      blockHeight: 1,
      blockTime: Date.now(),
    },
    answer: () => undefined,
    close,
  };
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === `${prefix}/status`) {
      gateway.asked += 1;
      gateway.trace = request.headers.traceparent?.toString();
      response.end(formatSpStatus(gateway.status));
      return;
    }
    const body = await buffer(request);
    const header = String(request.headers[RECEIVE_MESSAGE_HEADER.toLowerCase()]);
    const task = readReceiveMessage(header, Date.now());
    gateway.received.push({ path: request.url ?? '', task, body });
    const answered = gateway.answer(task, response);
    if (answered !== undefined) return;
    if (task.finished) response.setHeader(INTEGRITY_SIGNATURE_HEADER, BLS_SIGNATURE);
    response.end();
  }
  return gateway;
}

/** An error answer as today's SPs send it. */
export function refuse(response: ServerResponse, status: number, code: number): true {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no &amp; never</Message></Error>`);
  return true;
}

/** The HTTP client of SP 1, which knows the endpoints of these gateways. */
export function httpClient(
  t: ExecutionContext,
  gateways: Readonly<Record<number, { readonly endpoint: string }>>,
  options: Partial<HttpPeersOptions> & { readonly objects?: readonly ObjectOnChain[] } = {},
): HttpPeerClient {
  const providers: readonly StorageProvider[] = PROVIDERS.map((provider) => ({
    ...provider,
    endpoint: gateways[provider.id]?.endpoint ?? 'http://127.0.0.1:1',
  }));
  const client = new HttpPeerClient({
    chain: chainWith(options.objects ?? []),
    providers: async () => providers,
    operatorKey: operatorKey(1),
    times: { request: 10_000, pause: 1 },
    allowPrivateEndpoints: true,
    ...options,
  });
  t.teardown(() => client.close());
  return client;
}

function chainWith(objects: readonly ObjectOnChain[]): HttpPeersOptions['chain'] {
  const chain: Pick<Chain, 'chainId' | 'latestBlock' | 'objectById' | 'storageParams'> = {
    chainId: CHAIN_ID,
    latestBlock: async () => ({ height: 1, time: Date.now() }),
    objectById: async (id) => objects.find(({ object }) => object.id === id),
    storageParams: async () => ({
      maxSegmentSize: 1000,
      dataChunks: 4,
      parityChunks: 2,
      minChargeSize: 1,
      maxPayloadSize: 1e9,
    }),
  };
  return chain;
}

/** The object of a sample as the chain has it before its seal. */
export function onChain({ ask, checksums }: Sample, over: Partial<ObjectInfo> = {}): ObjectOnChain {
  const { address } = operatorKey(1);
  const { job, bucketName, objectName, payloadSize, redundancy } = ask;
  const object: ObjectInfo = {
    owner: address,
    creator: address,
    bucketName,
    objectName,
    id: job.objectId,
    localVirtualGroupId: 0,
    payloadSize,
    visibility: 'INHERIT',
    contentType: 'image/jpeg',
    createdAt: 1_700_000_000,
    status: 'CREATED',
    redundancy,
    checksums,
    isUpdating: false,
    updatedAt: 0,
    updatedBy: '',
    version: job.version,
    ...over,
  };
  return { object };
}

/** The offer of a sample's column as it is after an admission over HTTP. */
export function admittedOffer(sample: Sample, redundancyIndex: number): ColumnOffer {
  const { ask, maxSegmentSize, checksums } = sample;
  const [group] = ask.groups as ApprovalAsk['groups'] & { readonly 0: ApprovalAsk['groups'][number] };
  return {
    ...ask,
    from: 1,
    to: group.secondarySpIds[redundancyIndex] ?? 0,
    gvgId: group.gvgId,
    redundancyIndex,
    maxSegmentSize,
    dataChunks: 4,
    parityChunks: 2,
    approval: '',
    checksums,
  };
}
