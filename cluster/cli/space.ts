import type { SpaceReport } from '#actors/caretaker/space/report';
import type { Amount } from '#actors/caretaker/space/survey';
import { Retryable } from '#protocols/errors';
import { formatJobId } from '#protocols/job/identity';
import { type NetworkSp, readNetwork, spOf } from './network.ts';
import type { Reporter } from './reporter.ts';
import { count, duration, exactSize } from './units.ts';

const ANSWER_LIMIT_MS = 10_000;

/** `sealion space`: the differences between what each provider stores and the chain. */
export async function space(
  options: { readonly network: string; readonly sp?: number },
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const network = await readNetwork(options.network);
  const sps = options.sp === undefined ? network.sps : [spOf(network, options.sp)];
  for (const sp of sps) {
    const found = await ask(sp, signal);
    report.line(spaceLines(sp.id, found, Date.now()).join('\n'), { event: 'space', spId: sp.id, ...found });
  }
}

async function ask({ id, admin }: NetworkSp, signal: AbortSignal): Promise<SpaceReport> {
  try {
    const limit = AbortSignal.timeout(ANSWER_LIMIT_MS);
    const response = await fetch(`${admin}/space`, { signal: AbortSignal.any([signal, limit]) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return (await response.json()) as SpaceReport;
  } catch (cause) {
    throw new Retryable({
      code: 'no-node',
      message: `The node of storage provider ${id} does not answer at ${admin}.`,
      advice: 'Check that it is running.',
      cause,
    });
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
