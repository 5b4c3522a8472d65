import { formatJobId } from '#protocols/job/identity';
import type { JobRecord, Records } from '#runtime/records/records';
import type { PeerReport } from './peer-report.ts';
import type { SearchHit } from './provider-view.ts';

/** Jobs that one search finds at most. */
const JOBS_FOUND = 50;

export interface SearchSources {
  readonly records: Pick<Records, 'search'>;
  readonly nodes: () => Promise<readonly string[]>;
  readonly peers: () => Promise<readonly PeerReport[]>;
}

/** Nodes, SPs and jobs that a text may mean. @throws Retryable `records-unavailable` */
export async function searchAll(text: string, sources: SearchSources): Promise<readonly SearchHit[]> {
  const asked = text.trim();
  if (asked === '') return [];
  const [jobs, nodes, peers] = await Promise.all([
    sources.records.search(asked, JOBS_FOUND),
    sources.nodes().catch(() => []),
    sources.peers().catch(() => []),
  ]);
  const spId = Number(/^(?:sp *)?([0-9]{1,9})$/i.exec(asked)?.[1] ?? Number.NaN);
  return [
    ...peers.filter((peer) => peer.spId === spId || isNamed(peer, asked)).map(peerHit),
    ...nodes.filter((node) => node === asked || node.endsWith(`@${asked}`)).map(nodeHit),
    ...jobs.map(jobHit),
  ];
}

function isNamed({ operatorAddress, endpoint }: PeerReport, text: string): boolean {
  return operatorAddress?.toLowerCase() === text.toLowerCase() || endpoint === text;
}

function peerHit({ spId, endpoint }: PeerReport): SearchHit {
  return { kind: 'peer', path: '/peers', title: `SP ${spId}${endpoint ? `, ${endpoint}` : ''}` };
}

function nodeHit(node: string): SearchHit {
  return { kind: 'node', path: '/', title: node };
}

function jobHit(job: JobRecord): SearchHit {
  const id = formatJobId(job.job);
  return { kind: 'job', path: `/objects/${id}`, title: `${job.bucketName}/${job.objectName}`, job };
}
