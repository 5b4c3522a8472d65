import type { JobEvent } from '#protocols/job/events';
import { replay } from '#protocols/job/evolve';
import type { TreeNode } from '#runtime/actors/types';
import type { JobRecord } from '#runtime/records/records';
import type { Actions, Following } from '../../actions/action.ts';
import { reportOf, viewOf } from '../../testing/view.ts';
import type { JobView } from '../../view/job-view.ts';
import type { PeerReport } from '../../view/peer-report.ts';
import type { ProviderView } from '../../view/provider-view.ts';

/** A provider with something of everything, for tests of what the pages look like. */

const NOW = Date.now();
const HEX = 'ab'.repeat(32);
const HASHES = Array.from({ length: 7 }, (_, i) => `${i}${HEX.slice(1)}`);
/** Text that a page must never take for its own. */
export const HOSTILE = '<script>alert(1)</script>"\'&';

const OBJECT = {
  bucketName: 'photos',
  objectName: `2026/11/${HOSTILE}-${'a-long-name-'.repeat(12)}.jpg`,
  owner: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A',
  contentType: 'image/jpeg',
  payloadSize: 200 * 2 ** 20,
  redundancy: 'EC',
  checksums: HASHES,
  maxSegmentSize: 16 * 2 ** 20,
  dataChunks: 4,
  parityChunks: 2,
  familyId: 1,
  primarySpId: 1,
  createdAt: Math.floor(NOW / 1_000) - 600,
  isUpdate: false,
} as const;

const EVENTS: readonly JobEvent[] = [
  {
    type: 'JobCreated',
    at: NOW - 600_000,
    id: { objectId: '4711', version: 0 },
    object: OBJECT,
    deadlineAt: NOW + 80_000_000,
  },
  { type: 'UploadStarted', at: NOW - 590_000, attempt: 1, deadlineAt: NOW + 80_000_000 },
  { type: 'UploadCompleted', at: NOW - 580_000, segmentChecksums: HASHES, integrityHash: HASHES[0] ?? '' },
  { type: 'AllocationStarted', at: NOW - 579_000 },
  {
    type: 'AllocationCompleted',
    at: NOW - 578_000,
    gvgId: 3,
    secondarySpIds: [2, 3, 4, 5, 6, 7],
    approvals: [],
  },
  { type: 'ReplicationStarted', at: NOW - 577_000 },
];

export function sampleTree(node: string, objects: number): TreeNode {
  const actor = (path: string, kind: string, more: Partial<TreeNode> = {}): TreeNode => ({
    name: path.slice(node.length + 1).replace(/^objects\//, ''),
    path,
    kind,
    status: 'running',
    restarts: 0,
    mailbox: 0,
    children: [],
    ...more,
  });
  const object = (i: number) =>
    actor(`${node}/objects/object/${4_711 + i}.0`, 'object', {
      activity: { doing: 'REPLICATE_OBJECT_DOING', waitsFor: 'receipts of SP 4', since: NOW - 60_000 * i },
      children: [
        actor(`${node}/objects/object/${4_711 + i}.0/encoder`, 'encoder', {
          activity: {
            doing: 'encoding segment 7 of 13',
            since: NOW - 1_000,
            progress: { done: 7, total: 13, unit: 'segments' },
          },
        }),
      ],
    });
  return {
    ...actor(node, 'system'),
    name: node,
    children: [
      actor(`${node}/objects`, 'objects', { children: Array.from({ length: objects }, (_, i) => object(i)) }),
      actor(`${node}/signer/seal`, 'signer', {
        status: 'restarting',
        restarts: 3,
        mailbox: 12,
        activity: { doing: 'connecting', since: NOW - 5_000, nextTryAt: NOW + 60_000 },
        lastError: { code: 'chain-unavailable', message: `No answer ${HOSTILE}`, at: NOW - 5_000 },
      }),
    ],
  };
}

const RECORDS: readonly JobRecord[] = [
  {
    job: { objectId: '4711', version: 0 },
    state: 'REPLICATE_OBJECT_ERROR',
    bucketName: 'photos',
    objectName: OBJECT.objectName,
    payloadSize: OBJECT.payloadSize,
    createdAt: NOW - 600_000,
    changedAt: NOW - 5_000,
    failure: { code: 'peer-silent', message: 'SP 4 does not answer.', nextTryAt: NOW + 30_000 },
  },
];

export function sampleJob(): JobView {
  const context = replay(EVENTS);
  if (!context) throw new Error('the sample has no events');
  const signature = (checked: boolean) => ({ signature: `0x${'cd'.repeat(65)}`, checked });
  return {
    job: '4711.0',
    why: 'It waits for SP 4, which has not answered for 9 minutes; the next try is in 30 seconds.',
    advice: 'Ask the operator of SP 4, or ban it so that another group is chosen.',
    context,
    events: EVENTS,
    owner: { node: 'a', state: context.state, since: NOW - 570_000 },
    actors: sampleTree('sp-1@a', 1).children[0]?.children ?? [],
    columns: [2, 3, 4, 5, 6, 7].map((spId, redundancyIndex) =>
      spId === 4
        ? {
            redundancyIndex,
            spId,
            state: 'waiting' as const,
            activity: {
              doing: 'offering the column',
              waitsFor: 'an answer of SP 4',
              since: NOW - 500_000,
              nextTryAt: NOW + 30_000,
              progress: { done: 2 ** 20, total: 50 * 2 ** 20, unit: 'bytes' as const },
            },
            lastError: { code: 'peer-silent', message: 'SP 4 does not answer.', at: NOW - 10_000 },
          }
        : {
            redundancyIndex,
            spId,
            state: 'stored' as const,
            completedAt: NOW - 560_000,
            receipt: {
              integrityHash: HASHES[redundancyIndex + 1] ?? '',
              approvalSignature: signature(true),
              blsSignature: signature(spId !== 7),
            },
          },
    ),
    approvals: [
      ...[2, 3, 4, 5, 6, 7].map((spId) => ({ spId, approved: true, expiresAt: NOW + 3_000_000 })),
      { spId: 8, approved: false, reason: 'disk reserve', at: NOW - 579_500 },
    ],
    seal: { transactionHash: HEX.toUpperCase(), signedAt: NOW - 1_000, tries: 2 },
    nextTryAt: NOW + 30_000,
  };
}

const PEERS: readonly PeerReport[] = [2, 3, 4].map((spId) => ({
  spId,
  endpoint: `http://sp${spId}.example.com`,
  status: 'IN_SERVICE',
  wire: spId === 3 ? ('http' as const) : ('nats' as const),
  answeredAt: NOW - 1_000 * spId,
  approvals: { given: 100, refused: spId === 4 ? { 'disk reserve': 3 } : {}, silent: spId === 4 ? 2 : 0 },
  columnsOut: { done: 90, failed: spId === 4 ? { 'peer-silent': 4 } : {}, bytes: 2 ** 33 },
  columnsIn: { done: 20, failed: {}, bytes: 2 ** 30 },
  fetched: { done: 0, failed: spId === 4 ? { 'peer-unreachable': 1 } : {}, bytes: 0 },
  served: { done: 3, failed: {}, bytes: 2 ** 20 },
  lagMs: 12,
  ...(spId === 4 && {
    lastError: { code: 'peer-silent', message: HOSTILE, at: NOW },
    bannedUntil: NOW + 1e7,
  }),
}));

/** @param objects objects in work on each of its nodes */
export function sampleView(objects = 3): ProviderView {
  const minutes = (factor: number) =>
    Array.from({ length: 60 }, (_, i) => Math.round(factor * (1 + Math.sin(i / 5))));
  const lastHour = {
    since: NOW - 59 * 60_000,
    uploads: minutes(4),
    bytesIn: minutes(2 ** 28),
    bytesOut: minutes(2 ** 29),
    seals: minutes(4),
    errors: { 'peer-silent': minutes(2), 'chain-unavailable': minutes(1) },
  };
  const nodes = ['sp-1@a', 'sp-1@b'];
  return viewOf({
    nodes: async () => ({
      reports: [
        reportOf('sp-1@a', {
          lastHour,
          leaseLosses: { times: 2, jobs: 3, roles: 1, lastAt: NOW - 60_000 },
        }),
        reportOf('sp-1@b', { readiness: 'draining', fenced: true, chain: { error: 'No answer.' } }),
      ],
      silent: ['sp-1@c'],
    }),
    trees: async () => ({ trees: nodes.map((node) => sampleTree(node, objects)), silent: ['sp-1@c'] }),
    jobs: async () => RECORDS,
    job: async () => sampleJob(),
    peers: async () => PEERS,
    search: async (text) => [
      {
        kind: 'job',
        path: '/objects/4711.0',
        title: `photos/${text}`,
        ...(RECORDS[0] && { job: RECORDS[0] }),
      },
      { kind: 'peer', path: '/peers#peer-4', title: 'SP 4' },
    ],
    queue: async () => ({
      waiting: { REPLICATE_OBJECT_ERROR: 1, UPLOAD_OBJECT_DOING: 2 },
      oldest: {
        job: { objectId: '4711', version: 0 },
        state: 'REPLICATE_OBJECT_ERROR',
        createdAt: NOW - 600_000,
      },
    }),
    balances: async () => [
      { key: 'operator', address: OBJECT.owner, bnb: '12.5' },
      { key: 'seal', address: OBJECT.owner, bnb: '0.25' },
    ],
  });
}

/** Actions that are recorded, and done by nobody. One begun while `slow` is there ends with it. */
export function sampleActions(): Actions & {
  readonly performed: unknown[];
  slow: Promise<void> | undefined;
} {
  const performed: unknown[] = [];
  const actions = {
    performed,
    slow: undefined as Promise<void> | undefined,
    perform: async (request: object, by: object, { onProgress }: Following = {}) => {
      performed.push({ ...request, by });
      onProgress?.('1 of 3 segments are read.');
      await actions.slow;
      return `It was done: ${HOSTILE}`;
    },
    audit: async () => [
      {
        id: '1',
        at: NOW,
        who: HOSTILE,
        action: 'retry',
        target: '4711.0',
        outcome: 'The job tries again.',
        isDone: true,
      },
      {
        id: '2',
        at: NOW,
        who: 'ann',
        action: 'reject',
        target: '4711.0',
        reason: 'asked for',
        outcome: 'A seal may still be included.',
        isDone: false,
      },
    ],
  };
  return actions;
}
