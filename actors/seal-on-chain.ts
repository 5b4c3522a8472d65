import { Retryable } from '../protocols/errors.ts';
import { ChainError, isChainError } from '../protocols/greenfield/chain-errors.ts';
import type { JobContext } from '../protocols/job/context.ts';
import type { JobStateName } from '../protocols/job/states.ts';
import type { Activity } from '../runtime/actors/types.ts';
import { type Refusal, refusalText, type SettlePorts, settleOnChain } from './settle-on-chain.ts';
import { settledStanding } from './standing.ts';

/** What became of a seal. */
export type SealResult =
  | { readonly kind: 'sealed'; readonly gvgId?: number; readonly transactionHash?: string }
  | { readonly kind: 'gone'; readonly because: string }
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
      /** Where the next try begins: with the same bytes, a new signature, or another group. */
      readonly resume: JobStateName;
    };

/**
 * Brings the signed seal into a block, and watches until the object is sealed.
 * @throws Retryable `seal-timeout` when the chain says nothing within the time for one try
 */
export async function sealOnChain(
  context: JobContext,
  ports: SettlePorts,
  options: { readonly signal: AbortSignal; readonly say: (activity: Activity) => void },
): Promise<SealResult> {
  const { seal } = context;
  if (!seal) throw new Retryable({ code: 'seal-missing', message: 'The job has no signed seal.' });
  const settled = await settleOnChain(seal, ports, {
    what: 'seal',
    look: (signal) => settledStanding(context, ports.chain, signal),
    ...options,
  });
  if (settled.kind === 'sealed') return { ...settled, transactionHash: seal.hash };
  return settled.kind === 'gone' ? settled : refused(settled.refusal, settled.spent);
}

function refused(refusal: Refusal, spent: boolean): SealResult {
  const sameGroup = spent ? 'SIGN_OBJECT_DOING' : 'SEAL_OBJECT_DOING';
  return {
    kind: 'refused',
    code: `chain-${refusal.codespace}-${refusal.code}`,
    message: `The chain refused the seal: ${refusalText(refusal)}.`,
    resume: isOfGroup(refusal) ? 'ALLOC_SECONDARY_DOING' : sameGroup,
  };
}

const OF_GROUP: readonly ChainError[] = [
  ChainError.INVALID_GVG,
  ChainError.VIRTUAL_GROUP_FAILED,
  ChainError.INVALID_BLS_SIGNATURE,
];

/** The group cannot take the object, or its members are not those that have signed (greenfield.md §7.2, 5 to 8). */
function isOfGroup(refusal: Refusal): boolean {
  return refusal.codespace === 'virtualgroup' || OF_GROUP.some((error) => isChainError(refusal, error));
}
