import type { StorageProvider } from '#protocols/greenfield/types';
import type { Exchange } from '#runtime/peers/peer-counts';
import type { Bans } from '../actions/bans.ts';
import type { Gatherer } from './gather.ts';
import { type PeerReport, peerReport } from './peer-report.ts';

/** The topic on which each node says what it has exchanged with other SPs. */
export const PEERS = 'peers';

export interface PeerSources {
  readonly spId: number;
  readonly gatherer: Gatherer;
  readonly providers: () => Promise<readonly StorageProvider[]>;
  readonly bans: Pick<Bans, 'until'>;
}

/** Every other SP on chain, with what all nodes of this one have counted. */
export async function peersOf(sources: PeerSources, signal?: AbortSignal): Promise<readonly PeerReport[]> {
  const { spId: own, gatherer, providers, bans } = sources;
  const [{ found }, onChain] = await Promise.all([gatherer.ask(PEERS, signal), providers().catch(() => [])]);
  const counted = [...found.values()].flatMap((value) => {
    const parsed = peerReport.array().safeParse(value);
    return parsed.success ? parsed.data : [];
  });
  const facts = new Map(onChain.map((provider) => [provider.id, provider]));
  const ids = new Set([...facts.keys(), ...counted.map(({ spId }) => spId)]);
  ids.delete(own);
  return [...ids]
    .sort((a, b) => a - b)
    .map((id) => {
      const provider = facts.get(id);
      const bannedUntil = bans.until(id);
      return {
        ...merged(
          id,
          counted.filter(({ spId }) => spId === id),
        ),
        ...(provider && {
          operatorAddress: provider.operatorAddress,
          endpoint: provider.endpoint,
          status: provider.status,
        }),
        ...(bannedUntil !== undefined && { bannedUntil }),
      };
    });
}

/** Adds up what several nodes have counted; of what was last, the newest. */
function merged(spId: number, counts: readonly PeerReport[]): PeerReport {
  const newest = [...counts].sort((a, b) => (b.answeredAt ?? 0) - (a.answeredAt ?? 0))[0];
  const errors = counts.flatMap(({ lastError }) => lastError ?? []).sort((a, b) => b.at - a.at);
  const exchange = (what: Exchange) => ({
    done: sum(counts.map((one) => one[what].done)),
    failed: addedUp(counts.map((one) => one[what].failed)),
    bytes: sum(counts.map((one) => one[what].bytes)),
  });
  return {
    spId,
    ...(newest?.wire && { wire: newest.wire }),
    ...(newest?.answeredAt !== undefined && { answeredAt: newest.answeredAt }),
    ...(newest?.lagMs !== undefined && { lagMs: newest.lagMs }),
    approvals: {
      given: sum(counts.map(({ approvals }) => approvals.given)),
      refused: addedUp(counts.map(({ approvals }) => approvals.refused)),
      silent: sum(counts.map(({ approvals }) => approvals.silent)),
    },
    columnsOut: exchange('columnsOut'),
    columnsIn: exchange('columnsIn'),
    fetched: exchange('fetched'),
    served: exchange('served'),
    ...(errors[0] && { lastError: errors[0] }),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function addedUp(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const one of all) for (const [code, n] of Object.entries(one)) total[code] = (total[code] ?? 0) + n;
  return total;
}
