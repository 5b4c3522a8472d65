import { Terminal } from '#protocols/errors';
import { PRIMARY } from '#protocols/integrity/checksums';
import { formatJobId, type JobId } from '#protocols/job/identity';
import { sealedContent } from './content.ts';
import type { Recovered } from './recover.ts';
import type { Verification } from './verification.ts';
import { Verifier, type VerifierDependencies } from './verify.ts';
import type { Task } from './work-list.ts';
import { writeBack } from './write-back.ts';

/** Counts of a repairer's work since its start. */
export interface RepairCounts {
  recovered: number;
  repaired: number;
  lost: number;
  /** Pieces sent to other SPs. */
  served: number;
}

/** The two kinds of work that the repairer has done, each in an actor of its own. */
export class RepairTasks {
  readonly #dependencies: VerifierDependencies;
  readonly #counts: RepairCounts;
  readonly #verifier: Verifier;

  constructor(dependencies: VerifierDependencies, counts: RepairCounts) {
    this.#dependencies = dependencies;
    this.#counts = counts;
    this.#verifier = new Verifier(dependencies);
  }

  /** Restores one of our segments, returns it to the waiting readers, then has it written back. */
  recovery(wanted: {
    readonly job: JobId;
    readonly segmentIndex: number;
    readonly trace?: string;
  }): Task<Uint8Array> {
    const { job, segmentIndex, trace } = wanted;
    const { ports, recoverer, owners } = this.#dependencies;
    const counts = this.#counts;
    return {
      name: `segment/${formatJobId(job)}/${segmentIndex}`,
      async run({ signal, say, answer }) {
        say({ doing: `restoring segment ${segmentIndex}`, waitsFor: 'its secondaries' });
        const content = await sealedContent(job, ports.chain, signal);
        if (content.gvg.primarySpId !== ports.spId) throw notOurs(job);
        const place = { job, role: PRIMARY, segmentIndex };
        const use = async (recovered: Recovered) => {
          counts.recovered += 1;
          answer(recovered.bytes);
          await writeBack(owners, place, recovered, 'a reader found it missing', signal);
          counts.repaired += 1;
        };
        await recoverer.segment(content, segmentIndex, use, signal, trace);
      },
    };
  }

  /** Compares one part of an object with the chain. @param from first segment of the part */
  verification(job: JobId, from: number, repair: boolean): Task<Verification> {
    const verifier = this.#verifier;
    const counts = this.#counts;
    return {
      name: `verify/${formatJobId(job)}/${from}${repair ? '/repair' : ''}`,
      async run({ signal, say, answer }) {
        const part = await verifier.part(job, { from, repair }, (doing) => say({ doing }), signal);
        for (const { state } of part.findings) {
          if (state === 'repaired') counts.repaired += 1;
          if (state === 'lost') counts.lost += 1;
        }
        answer(part);
      },
    };
  }
}

function notOurs(job: JobId): Terminal {
  return new Terminal({
    code: 'not-a-holder',
    message: `This storage provider is not the primary of object ${formatJobId(job)}.`,
  });
}
