import { type SealionError, Terminal, throwIfAborted, toSealionError } from '#protocols/errors';
import type { Hex } from '#protocols/greenfield/types';
import { PRIMARY } from '#protocols/integrity/checksums';
import { formatJobId, type JobId } from '#protocols/job/identity';
import { segmentKey } from '#protocols/payload/keys';
import type { PieceStore } from '#runtime/pieces/piece-store';
import type { ChecksumLists } from './checksum-lists.ts';
import { type SealedContent, sealedContent } from './content.ts';
import type { RepairPorts } from './ports.ts';
import type { Recovered, Recoverer } from './recover.ts';
import type { Finding, Verification } from './verification.ts';
import { keyOf, type Owners, type Place, writeBack } from './write-back.ts';

/** Approximate number of bytes checked per part, so that each part ends soon. */
const PART_BYTES = 64 * 2 ** 20;

export interface VerifierDependencies {
  readonly ports: RepairPorts;
  readonly lists: ChecksumLists;
  readonly recoverer: Recoverer;
  /** The actors that write repaired data back. */
  readonly owners: Owners;
}

/** Compares the stored segments or pieces of an object with the chain, and repairs them on request. */
export class Verifier {
  readonly #dependencies: VerifierDependencies;

  constructor(dependencies: VerifierDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Verifies one part of an object, from a segment on.
   * @throws Terminal `not-sealed`, `not-a-holder`, `column-unknown`; Retryable `too-few-pieces` when the checksums
   * of the segments cannot be determined; Cancelled
   */
  async part(
    job: JobId,
    { from, repair }: { readonly from: number; readonly repair: boolean },
    say: (doing: string) => void,
    signal: AbortSignal,
  ): Promise<Verification> {
    const { ports } = this.#dependencies;
    const content = await sealedContent(job, ports.chain, signal);
    const role = roleOf(content, ports.spId);
    const { segmentCount } = content.plan;
    const expected = await this.#expected(content, role, signal);
    const findings: Finding[] = [];
    let bytes = 0;
    let segmentIndex = from;
    for (; segmentIndex < segmentCount && bytes < PART_BYTES; segmentIndex += 1) {
      say(`verifying segment ${segmentIndex + 1} of ${segmentCount}`);
      findings.push(
        await this.#one(content, { job, role, segmentIndex }, expected[segmentIndex] ?? '', repair, signal),
      );
      bytes += sizeOf(content, role, segmentIndex);
    }
    const part = { job, spId: ports.spId, redundancyIndex: role, segmentCount, findings, bytes };
    return segmentIndex < segmentCount ? { ...part, next: segmentIndex } : part;
  }

  async #one(
    content: SealedContent,
    place: Place,
    expected: Hex,
    repair: boolean,
    signal: AbortSignal,
  ): Promise<Finding> {
    const { segmentIndex } = place;
    const fault = await faultOf(keyOf(place), expected, this.#dependencies.ports.pieces, signal);
    if (!fault) return { segmentIndex, state: 'good' };
    if (!repair) return { segmentIndex, ...fault };
    try {
      await this.#repair(content, place, expected, fault.why, signal);
      return { segmentIndex, state: 'repaired', why: fault.why };
    } catch (thrown) {
      const error = toSealionError(thrown);
      if (error.kind === 'cancelled') throw error;
      return { segmentIndex, state: 'lost', why: `${fault.why} ${error.message}` };
    }
  }

  #repair(
    content: SealedContent,
    place: Place,
    expected: Hex,
    why: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { recoverer, owners } = this.#dependencies;
    const { role, segmentIndex } = place;
    const use = (recovered: Recovered) => writeBack(owners, place, recovered, why, signal);
    if (role === PRIMARY) return recoverer.segment(content, segmentIndex, use, signal);
    return recoverer.piece(content, { column: role, segmentIndex, expected }, use, signal);
  }

  /** The checksums to compare with. A primary that has lost them derives them from the columns. */
  async #expected(content: SealedContent, role: number, signal: AbortSignal): Promise<readonly Hex[]> {
    const { lists } = this.#dependencies;
    const known = await lists.own(content, role, signal);
    if (known) return known;
    if (role !== PRIMARY) throw unknownColumn(content, role);
    // stored segments save reading the columns, unless they are wrong themselves
    for (const believeStored of [true, false]) {
      const list = await this.#derived(content, believeStored, signal);
      if (await lists.learn(content, PRIMARY, list)) return list;
    }
    throw new Terminal({
      code: 'integrity-mismatch',
      message: `The columns of object ${formatJobId(content.job)} do not decode to the payload on chain.`,
    });
  }

  async #derived(
    content: SealedContent,
    believeStored: boolean,
    signal: AbortSignal,
  ): Promise<readonly Hex[]> {
    const { ports, recoverer } = this.#dependencies;
    const list: Hex[] = [];
    for (let index = 0; index < content.plan.segmentCount; index += 1) {
      throwIfAborted(signal);
      const stored = believeStored && (await ports.pieces.stat(segmentKey(content.job, index), { signal }));
      list.push(
        stored ? stored.checksum : await recoverer.segment(content, index, async (it) => it.checksum, signal),
      );
    }
    return list;
  }
}

/** @throws Terminal `not-a-holder` */
export function roleOf({ job, gvg }: SealedContent, spId: number): number {
  if (gvg.primarySpId === spId) return PRIMARY;
  const index = gvg.secondarySpIds.indexOf(spId);
  if (index >= 0) return index;
  throw new Terminal({
    code: 'not-a-holder',
    message: `Storage provider ${spId} does not hold object ${formatJobId(job)}.`,
  });
}

function sizeOf({ plan }: SealedContent, role: number, segmentIndex: number): number {
  return role === PRIMARY ? plan.segment(segmentIndex).length : plan.pieceLength(segmentIndex);
}

/** Reads a piece to its end. @returns undefined when it is good */
async function faultOf(
  key: string,
  expected: Hex,
  pieces: PieceStore,
  signal: AbortSignal,
): Promise<{ readonly state: 'missing' | 'corrupt'; readonly why: string } | undefined> {
  const stored = await pieces.stat(key, { signal });
  if (!stored) return { state: 'missing', why: `${key} is not stored.` };
  if (stored.checksum !== expected) return { state: 'corrupt', why: `${key} holds other bytes.` };
  try {
    for await (const _ of pieces.read(key, { signal })) throwIfAborted(signal);
    return undefined;
  } catch (thrown) {
    const error: SealionError = toSealionError(thrown);
    if (error.code === 'piece-missing') return { state: 'missing', why: error.message };
    if (error.code === 'piece-corrupt') return { state: 'corrupt', why: error.message };
    throw error;
  }
}

function unknownColumn({ job }: SealedContent, column: number): Terminal {
  return new Terminal({
    code: 'column-unknown',
    message: `There is no record of column ${column} of object ${formatJobId(job)} here.`,
    advice: 'The ledger was lost or restored from an older copy.',
  });
}
