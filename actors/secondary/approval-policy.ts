import type { GlobalVirtualGroup } from '#protocols/greenfield/types';
import { planPayload } from '#protocols/payload/plan';
import type { Age } from '#runtime/chain/chain';
import type { ApprovalAsk } from '#runtime/peers/peers';
import type { SecondaryPorts } from './ports.ts';

export interface ApprovalLimits {
  /** How long an approval is valid, ms; an hour at most, the limit of a control message. */
  readonly lifetimeMs: number;
  /** Answers of a chain node further behind than this are not used, ms. */
  readonly chainLagMs: number;
  /** Bytes of storage to keep free. */
  readonly reserveBytes: number;
  /** Approvals of the SP that may be outstanding, and the bytes that they may bring. */
  readonly outstanding: { readonly count: number; readonly bytes: number };
}

export const APPROVAL_LIMITS: ApprovalLimits = {
  lifetimeMs: 900_000,
  chainLagMs: 30_000,
  reserveBytes: 10 * 2 ** 30,
  outstanding: { count: 10_000, bytes: 2 ** 40 },
};

/** Maximum size of a column under a standing approval, bytes. */
const STANDING_COLUMN_BYTES = 65_536;

export interface ApprovalRefusal {
  readonly code: string;
  readonly reason: string;
}

type AskedGroup = ApprovalAsk['groups'][number];

export interface ApprovalPolicyOptions {
  readonly ports: Pick<SecondaryPorts, 'spId' | 'chain'>;
  readonly limits: ApprovalLimits;
  /** Bytes free for pieces. */
  readonly freeBytes: (signal: AbortSignal) => Promise<number>;
}

/** Decides whether this SP agrees to store a column (ARCHITECTURE.md#the-two-nats-planes, `approval.ask`). */
export class ApprovalPolicy {
  readonly #options: ApprovalPolicyOptions;

  constructor(options: ApprovalPolicyOptions) {
    this.#options = options;
  }

  /** Bytes of one column of the payload, by today's parameters, or of all columns of a standing approval. */
  async bytes(ask: ApprovalAsk, signal: AbortSignal): Promise<number> {
    if (ask.standing) return ask.standing.columns * STANDING_COLUMN_BYTES;
    const params = await this.#options.ports.chain.storageParams(undefined, { signal });
    return planPayload({ ...ask, ...params }).columnLength;
  }

  /** Why nothing can be approved now; undefined when something can. @param bytes of one column */
  async refusalOfAll(
    bytes: number,
    outstanding: { readonly count: number; readonly bytes: number },
    signal: AbortSignal,
  ): Promise<ApprovalRefusal | undefined> {
    const { ports, limits, freeBytes } = this.#options;
    const behind = Date.now() - (await ports.chain.latestBlock({ age: 'block', signal })).time;
    if (behind > limits.chainLagMs) {
      return { code: 'chain-lag', reason: `Our chain node is ${Math.round(behind / 1000)} s behind.` };
    }
    if (outstanding.count >= limits.outstanding.count) {
      return { code: 'too-many-approvals', reason: `${outstanding.count} approvals are outstanding.` };
    }
    const expected = outstanding.bytes + bytes;
    if (expected > limits.outstanding.bytes) {
      return { code: 'approval-budget', reason: `${outstanding.bytes} approved bytes are still to come.` };
    }
    const free = await freeBytes(signal);
    if (free - expected < limits.reserveBytes) {
      return { code: 'disk-reserve', reason: `${free} bytes are free, which is within the reserve.` };
    }
    return undefined;
  }

  /** The groups of the bucket's family: no other can seal an object of the bucket. */
  async groups(ask: ApprovalAsk, signal: AbortSignal): Promise<readonly GlobalVirtualGroup[]> {
    const { spId } = this.#options.ports;
    const listed = ask.groups.filter(({ secondarySpIds }) => secondarySpIds.includes(spId));
    const kept = await this.#groups(ask, 'seconds', signal);
    if (listed.every((asked) => !this.refusal(ask, asked, kept))) return kept;
    return this.#groups(ask, 'now', signal);
  }

  async #groups(ask: ApprovalAsk, age: Age, signal: AbortSignal): Promise<readonly GlobalVirtualGroup[]> {
    const { chain } = this.#options.ports;
    const bucket = await chain.bucket(ask.bucketName, { age, signal });
    return bucket ? chain.gvgsOfFamily(bucket.familyId, { age, signal }) : [];
  }

  /** Why our membership in one of the requested groups is not approved. */
  refusal(
    ask: ApprovalAsk,
    asked: AskedGroup,
    groups: readonly GlobalVirtualGroup[],
  ): ApprovalRefusal | undefined {
    const { spId } = this.#options.ports;
    const gvg = groups.find(({ id }) => id === asked.gvgId);
    if (!gvg) return { code: 'group-unknown', reason: 'The bucket’s family has no such group.' };
    if (gvg.primarySpId !== ask.primarySpId) {
      return { code: 'not-primary', reason: `The group’s primary is sp ${gvg.primarySpId}.` };
    }
    const index = asked.secondarySpIds.indexOf(spId);
    if (gvg.secondarySpIds[index] !== spId) {
      return { code: 'wrong-place', reason: `Index ${index} of the group is not ours.` };
    }
    return undefined;
  }
}
