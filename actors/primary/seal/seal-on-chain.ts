import { Retryable } from '#protocols/errors';
import type { ChainRefusal } from '#protocols/greenfield/simulation';
import type { JobContext } from '#protocols/job/context';
import type { JobStateName } from '#protocols/job/states';
import { type Fault, faultOf } from '#protocols/sealing/seal-refusal';
import type { Activity } from '#runtime/actors/types';
import { refusalText, type SubmitPorts, submitAndConfirm } from '../../chain/submit-and-confirm.ts';
import { type Gone, settledStatus } from './chain-status.ts';

/** What became of a seal. */
export type SealResult =
  | { readonly kind: 'sealed'; readonly gvgId?: number; readonly transactionHash?: string }
  | Gone
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
      readonly advice?: string;
      /** Where the next try begins: with the same bytes, a new signature, or another group. */
      readonly resume: JobStateName;
      readonly wait: Wait;
    };

/**
 * How long before the next try: not at all, as a new signature is all that it needs; as long as for any failure; or
 * until somebody has paid.
 */
export type Wait = 'none' | 'backoff' | 'payment';

/**
 * Brings the signed seal into a block, and watches until the object is sealed.
 * @throws Retryable `seal-timeout` when the chain says nothing within the time for one try
 */
export async function sealOnChain(
  context: JobContext,
  ports: SubmitPorts,
  options: {
    readonly signal: AbortSignal;
    readonly say: (activity: Activity) => void;
    /** True when the seal was signed a moment ago, and nobody has broadcast it. */
    readonly isNew: boolean;
  },
): Promise<SealResult> {
  const { seal } = context;
  if (!seal) throw new Retryable({ code: 'seal-missing', message: 'The job has no signed seal.' });
  const settled = await submitAndConfirm(seal, ports, {
    what: 'seal',
    look: (signal) => settledStatus(context, ports.chain, signal),
    ...options,
  });
  if (settled.kind === 'sealed') return { ...settled, transactionHash: seal.hash };
  if (settled.kind === 'gone') return settled;
  return seal.seals === undefined
    ? refused(settled.refusal, settled.spent)
    : refusedTogether(settled.refusal);
}

/** It may be any of the objects that stands in the way: this one is sealed alone, and the chain says what it has to say. */
function refusedTogether(refusal: ChainRefusal): SealResult {
  return {
    kind: 'refused',
    code: 'seal-refused-together',
    message: `The chain refused a transaction that seals several objects: ${refusalText(refusal)}.`,
    advice: 'The object is sealed alone, automatically.',
    resume: 'SIGN_OBJECT_DOING',
    wait: 'none',
  };
}

/** How a refusal goes on. */
interface Cure {
  readonly wait: Wait;
  readonly advice?: string;
}

const CURES: Readonly<Record<Fault, Cure>> = {
  group: { wait: 'backoff' },
  payment: {
    wait: 'payment',
    advice:
      'The owner of the bucket must deposit BNB to its payment account; until then the seal is retried at least once a minute, at no cost.',
  },
  sequence: { wait: 'none' },
  gas: { wait: 'none', advice: 'If this continues, check chain.fees and the gas price of the chain node.' },
  'fee-balance': {
    wait: 'payment',
    advice: 'Send BNB to the seal account, which pays the fee of each seal and reject.',
  },
  unknown: {
    wait: 'backoff',
    advice: 'The seal is retried automatically; if it keeps failing, check the SP on chain.',
  },
};

/** Only where the group is at fault another one gets the object; the receipts of this one hold in all other cases. */
function refused(refusal: ChainRefusal, spent: boolean): SealResult {
  const fault = faultOf(refusal);
  const { wait, advice } = CURES[fault];
  const sameGroup = spent || fault === 'gas' ? 'SIGN_OBJECT_DOING' : 'SEAL_OBJECT_DOING';
  // One that has failed in a block has cost its fee.
  const costly = spent && fault === 'unknown';
  return {
    kind: 'refused',
    code: `chain-${refusal.codespace}-${refusal.code}`,
    message: `The chain refused the seal: ${refusalText(refusal)}.`,
    ...(advice !== undefined && { advice }),
    resume: fault === 'group' ? 'ALLOC_SECONDARY_DOING' : sameGroup,
    wait: costly ? 'payment' : wait,
  };
}
