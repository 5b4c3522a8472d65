import { Retryable } from '#protocols/errors';
import type { ChainRefusal } from '#protocols/greenfield/simulation';
import type { JobContext } from '#protocols/job/context';
import type { JobStateName } from '#protocols/job/states';
import { type Fault, faultOf } from '#protocols/sealing/seal-refusal';
import type { Activity } from '#runtime/actors/types';
import { refusalText, type SubmitPorts, submitAndConfirm } from '../../chain/submit-and-confirm.ts';
import { finalStatus, type Gone } from './chain-status.ts';

/** The result of a seal. */
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
 * When to try again: `none`, at once, since a new signature is enough; `backoff`, as after any failure; `payment`, after
 * somebody has paid.
 */
export type Wait = 'none' | 'backoff' | 'payment';

/**
 * Brings the signed seal into a block, and watches until the object is sealed.
 * @throws Retryable `seal-timeout` when nothing has happened within the time for one try
 */
export async function sealOnChain(
  context: JobContext,
  ports: SubmitPorts,
  options: {
    readonly signal: AbortSignal;
    readonly say: (activity: Activity) => void;
    /** True when the seal has just been signed and was never broadcast. */
    readonly isNew: boolean;
  },
): Promise<SealResult> {
  const { seal } = context;
  if (!seal) throw new Retryable({ code: 'seal-missing', message: 'The job has no signed seal.' });
  const result = await submitAndConfirm(seal, ports, {
    what: 'seal',
    findResult: (signal) => finalStatus(context, ports.chain, signal),
    ...options,
  });
  if (result.kind === 'sealed') return { ...result, transactionHash: seal.hash };
  if (result.kind === 'gone') return result;
  return seal.seals === undefined ? refused(result.refusal, result.spent) : refusedTogether(result.refusal);
}

/** Any of the objects may be the cause: each is sealed alone, so that the chain says which. */
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

/** How the job continues after a refusal. */
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

/** Only a fault of the group needs another group; in all other cases the receipts stay valid. */
function refused(refusal: ChainRefusal, spent: boolean): SealResult {
  const fault = faultOf(refusal);
  const { wait, advice } = CURES[fault];
  const sameGroup = spent || fault === 'gas' ? 'SIGN_OBJECT_DOING' : 'SEAL_OBJECT_DOING';
  // A transaction that failed in a block has cost its fee.
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
