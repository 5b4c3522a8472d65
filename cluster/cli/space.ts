import type { SpaceReport } from '#actors/caretaker/space/report';
import type { Amount } from '#actors/caretaker/space/survey';
import { formatJobId } from '#protocols/job/identity';
import type { NodeReport } from '../admin/view/node-report.ts';
import { AdminApi } from '../client/admin-api.ts';
import { readNetwork, spOf } from './network.ts';
import { openAdmin } from './operator/admin.ts';
import { type AdminOptions, adminUrlOf } from './operator/admin-url.ts';
import type { Reporter } from './reporter.ts';
import { count, duration, exactSize } from './units.ts';
import { DEVNET_FILE } from './values.ts';

/** `sealion space`: the differences between what a provider, or each of a network, stores and the chain. */
export async function space(options: AdminOptions, report: Reporter, signal: AbortSignal): Promise<void> {
  for (const api of await providersOf(options)) {
    const { spId } = await api.get<NodeReport>('/api/nodes/self', signal);
    const found = await api.get<SpaceReport>('/api/nodes/self/space', signal);
    report.line(spaceLines(spId, found, Date.now()), { event: 'space', spId, ...found });
  }
}

async function providersOf(options: AdminOptions): Promise<readonly AdminApi[]> {
  if (adminUrlOf(options) !== undefined) return [await openAdmin(options, 'view')];
  const { sps, adminTokens, ...network } = await readNetwork(options.network ?? DEVNET_FILE);
  const asked = options.sp === undefined ? sps : [spOf({ sps, ...network }, options.sp)];
  return Promise.all(asked.map(({ admin }) => AdminApi.of(admin, adminTokens)));
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
