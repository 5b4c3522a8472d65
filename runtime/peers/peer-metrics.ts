import type { Wire } from '#protocols/approval/wire';
import type { Registry } from '../telemetry/metrics/registry.ts';
import type { Exchange, ExchangeCounts, PeerCounts } from './peer-counts.ts';

/** Shows Prometheus what is exchanged with other SPs: the same counts as on the pages for operators. */
export function watchPeers(registry: Registry, counts: PeerCounts): void {
  registry.readAll(
    'sealion_approvals_total',
    'Answers of other SPs to our asks for approval: granted, refused, or silent where none came in time.',
    ['sp', 'answer'],
    () =>
      [...counts].flatMap(([sp, { approvals }]) => [
        [[sp, 'granted'], approvals.given] as const,
        [[sp, 'refused'], sum(approvals.refused)] as const,
        [[sp, 'silent'], approvals.silent] as const,
      ]),
    'counter',
  );
  for (const [what, name, help] of OUTCOMES) {
    registry.readAll(
      name,
      `${help}, by their outcome: stored or served, or the code of the error (protocols/ERRORS.md).`,
      ['sp', 'wire', 'outcome'],
      () =>
        exchanges(counts, what).flatMap(([sp, wire, { done, failed }]) => [
          [[sp, wire, what.startsWith('columns') ? 'stored' : 'served'], done] as const,
          ...Object.entries(failed).map(([code, times]) => [[sp, wire, code], times] as const),
        ]),
      'counter',
    );
  }
  registry.readAll(
    'sealion_peer_bytes_total',
    'Pieces sent to other SPs and received from them, in columns and for repairs.',
    ['direction', 'wire', 'sp', 'purpose'],
    () =>
      BYTES.flatMap(([what, direction, purpose]) =>
        exchanges(counts, what).map(
          ([sp, wire, { bytes }]) => [[direction, wire, sp, purpose], bytes] as const,
        ),
      ),
    'counter',
  );
}

const OUTCOMES = [
  ['columnsOut', 'sealion_columns_total', 'Columns sent to other SPs'],
  [
    'columnsIn',
    'sealion_received_columns_total',
    'Columns that other SPs have sent, over HTTP each refused request',
  ],
  ['fetched', 'sealion_fetched_pieces_total', 'Pieces fetched from other SPs for repairs'],
  ['served', 'sealion_served_pieces_total', 'Pieces that other SPs have fetched for repairs'],
] as const satisfies readonly (readonly [Exchange, string, string])[];

const BYTES = [
  ['columnsOut', 'out', 'column'],
  ['columnsIn', 'in', 'column'],
  ['fetched', 'in', 'repair'],
  ['served', 'out', 'repair'],
] as const satisfies readonly (readonly [Exchange, 'in' | 'out', string])[];

function exchanges(counts: PeerCounts, what: Exchange): (readonly [number, Wire, ExchangeCounts])[] {
  return [...counts].flatMap(([spId, peer]) =>
    (['nats', 'http'] as const).flatMap((wire) => {
      const found = peer.exchanges.get(`${what}/${wire}`);
      return found ? [[spId, wire, found] as const] : [];
    }),
  );
}

function sum(times: Readonly<Record<string, number>>): number {
  return Object.values(times).reduce((total, each) => total + each, 0);
}
