import { type Finding, VERIFY, type Verification } from '#actors/repair/verification';
import { Terminal, throwIfAborted, toSealionError } from '#protocols/errors';
import { versionOnChain } from '#protocols/greenfield/content';
import type { GlobalVirtualGroup } from '#protocols/greenfield/types';
import { PRIMARY } from '#protocols/integrity/checksums';
import { type HomeView, openHomeView } from './home-view.ts';
import { type NetworkSp, readNetwork } from './network.ts';
import type { Reporter } from './reporter.ts';
import { parseObjectName, Session } from './session.ts';
import { DEVNET_FILE } from './values.ts';

/** One SP that holds a part of the object. */
interface Holder {
  readonly spId: number;
  readonly redundancyIndex: number;
}

/** Time limit for the verification and repair of one part of an object, ms. */
const PART_LIMIT_MS = 300_000;

/**
 * `sealion verify BUCKET/OBJECT`: asks every SP that holds a part of an object to compare it with the chain, and on
 * request to repair it.
 * @throws Terminal `object-damaged` when something is still damaged afterwards, or could not be verified
 */
export async function verify(
  name: string,
  options: { readonly network?: string; readonly repair?: boolean },
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const address = parseObjectName(name);
  const network = await readNetwork(options.network ?? DEVNET_FILE);
  const session = await Session.open(network);
  try {
    const found = await session.chain.object(address.bucketName, address.objectName, { signal });
    if (!found) throw new Terminal({ code: 'no-such-object', message: `The chain has no object ${name}.` });
    const { id: objectId, version } = found.object;
    const sealed = versionOnChain(found, version);
    if (sealed.kind !== 'sealed') {
      throw new Terminal({
        code: 'not-sealed',
        message: `${name} is not sealed: there is nothing to verify yet.`,
      });
    }
    let bad = 0;
    // the primary first: the columns are repaired most easily from its segments
    for (const holder of sealed.gvg ? holdersOf(sealed.gvg) : []) {
      const sp = network.sps.find(({ id }) => id === holder.spId);
      bad += await verifyHolder(
        { holder, sp, objectId, version, repair: options.repair ?? false },
        report,
        signal,
      );
    }
    if (bad > 0) throw damaged(name, bad, options.repair ?? false);
  } finally {
    session.close();
  }
}

function holdersOf({ primarySpId, secondarySpIds }: GlobalVirtualGroup): readonly Holder[] {
  return [
    { spId: primarySpId, redundancyIndex: PRIMARY },
    ...secondarySpIds.map((spId, redundancyIndex) => ({ spId, redundancyIndex })),
  ];
}

interface Asked {
  readonly holder: Holder;
  /** Absent if it is not in the network's description. */
  readonly sp: NetworkSp | undefined;
  readonly objectId: string;
  readonly version: number;
  readonly repair: boolean;
}

/** @returns the number of damaged, missing or unverified parts */
async function verifyHolder(asked: Asked, report: Reporter, signal: AbortSignal): Promise<number> {
  const { holder, sp } = asked;
  const what = `sp ${holder.spId}, ${partOf(holder)}`;
  const about = { event: 'verified', ...holder };
  if (!sp) {
    report.line(`${what}: not in this network, not asked`, { ...about, state: 'unknown' });
    return 0;
  }
  const findings: Finding[] = [];
  let segmentCount = 0;
  try {
    const view = await openHomeView(sp);
    try {
      for await (const part of partsOf(view, asked, signal)) {
        findings.push(...part.findings);
        segmentCount = part.segmentCount;
        if (part.next !== undefined) report.progress(what, part.next, segmentCount);
      }
    } finally {
      await view.close();
    }
  } catch (thrown) {
    throwIfAborted(signal);
    const { code, message } = toSealionError(thrown);
    report.line(`${what}: cannot be verified: ${message}`, { ...about, state: 'failed', code, message });
    return 1;
  }
  const faults = findings.filter(({ state }) => state !== 'good');
  const bad = faults.filter(({ state }) => state !== 'repaired').length;
  const result = faults.length === 0 ? 'all good' : `${segmentCount - faults.length} good`;
  report.line(`${what}: ${segmentCount} segments, ${result}`, {
    ...about,
    state: bad > 0 ? 'damaged' : faults.length > 0 ? 'repaired' : 'good',
    segmentCount,
    faults,
  });
  for (const { segmentIndex, state, why } of faults) {
    report.line(`  segment ${segmentIndex}: ${state} (${why})`, {
      event: 'fault',
      ...holder,
      segmentIndex,
      state,
      why,
    });
  }
  return bad;
}

async function* partsOf(
  { calls }: HomeView,
  { objectId, version, repair }: Asked,
  signal: AbortSignal,
): AsyncGenerator<Verification, void, undefined> {
  for (let from: number | undefined = 0; from !== undefined; ) {
    const question = { objectId, version, from, repair };
    const part = (await calls.call(VERIFY, question, { timeoutMs: PART_LIMIT_MS, signal })) as Verification;
    yield part;
    from = part.next;
  }
}

function partOf({ redundancyIndex }: Holder): string {
  return redundancyIndex === PRIMARY ? 'primary' : `column ${redundancyIndex}`;
}

function damaged(name: string, bad: number, repair: boolean): Terminal {
  return new Terminal({
    code: 'object-damaged',
    message: `${bad} ${bad === 1 ? 'part' : 'parts'} of ${name} ${bad === 1 ? 'is' : 'are'} damaged, missing or not verified.`,
    advice: repair
      ? 'Run it again when all its storage providers can be reached.'
      : 'Run it with --repair to restore them from what the others hold.',
  });
}
