import type { SpaceReport } from '#actors/caretaker/space/report';
import type { Amount } from '#actors/caretaker/space/survey';
import { formatJobId } from '#protocols/job/identity';
import { AdminApi } from '../client/admin-api.ts';
import { readNetwork, spOf } from './network.ts';
import type { Reporter } from './reporter.ts';
import { count, duration, exactSize } from './units.ts';

/** `sealion space`: the differences between what each provider stores and the chain. */
export async function space(
  options: { readonly network: string; readonly sp?: number },
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const network = await readNetwork(options.network);
  const sps = options.sp === undefined ? network.sps : [spOf(network, options.sp)];
  for (const sp of sps) {
    const api = await AdminApi.of(sp.admin, network.adminTokens);
    const found = await api.get<SpaceReport>('/api/nodes/self/space', signal);
    report.line(spaceLines(sp.id, found, Date.now()).join('\n'), { event: 'space', spId: sp.id, ...found });
  }
}

/** @param now unix ms */
export function spaceLines(
  spId: number,
  { survey, unneeded, incomplete }: SpaceReport,
  now: number,
): string[] {
  const head = survey
    ? [
        `sp ${spId}, compared with the chain ${duration(now - (survey.finishedAt ?? now))} ago`,
        `  needed            ${amount(survey.needed)}`,
        `  no longer needed  ${amount(survey.unneeded)}`,
        `  unknown           ${amount(survey.unknown)}`,
      ]
    : [`sp ${spId} has not compared its store with the chain yet`];
  const waiting = unneeded.map(({ unit, because, goesAt }) => {
    const when = goesAt > now ? `in ${duration(goesAt - now)}` : 'in the next round';
    return `  ${unit} will be deleted ${when}: ${because}`;
  });
  const broken = incomplete.map((job) => `  ${formatJobId(job)} is needed, and incomplete here`);
  return [...head, ...waiting, ...broken];
}

function amount({ units, bytes }: Amount): string {
  return `${count(units, 'unit')} (payloads and columns), ${exactSize(bytes)}`;
}
