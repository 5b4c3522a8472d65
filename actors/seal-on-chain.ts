import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, throwIfAborted } from '../protocols/errors.ts';
import type { JobContext, SignedTransaction } from '../protocols/job/context.ts';
import type { JobStateName } from '../protocols/job/states.ts';
import type { Activity } from '../runtime/actors/types.ts';
import type { BroadcastResult, ObjectOnChain } from '../runtime/chain/chain.ts';
import type { PrimaryPorts } from './ports.ts';

/** What became of a seal. */
export type SealResult =
  | { readonly kind: 'sealed'; readonly gvgId?: number; readonly transactionHash?: string }
  | { readonly kind: 'gone' }
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
      /** Where the next try begins: with the same bytes, a new signature, or another group. */
      readonly resume: JobStateName;
      readonly excludeGvg: boolean;
    };

type Verdict = Pick<BroadcastResult, 'code' | 'codespace' | 'log'>;
type Ports = Pick<PrimaryPorts, 'chain' | 'signer' | 'timing'>;

/** True when the chain holds this version of the object sealed. A version rises with its seal. */
export function isSealed({ object }: ObjectOnChain, version: number): boolean {
  return object.status === 'SEALED' && object.version >= version;
}

/**
 * Brings the signed bytes into a block: looks first (a reply may have been lost), broadcasts the same bytes,
 * and watches until the object is sealed.
 * @throws Retryable `seal-timeout` when the chain says nothing within the time for one try
 */
export async function sealOnChain(
  context: JobContext,
  ports: Ports,
  options: { readonly signal: AbortSignal; readonly say: (activity: Activity) => void },
): Promise<SealResult> {
  const { signal, say } = options;
  const transaction = context.seal;
  if (!transaction) throw new Retryable({ code: 'seal-missing', message: 'The job has no signed seal.' });
  const giveUpAt = Date.now() + ports.timing.sealTimeoutMs;
  let last: Verdict | undefined;
  for (let accepted = false; Date.now() < giveUpAt; ) {
    throwIfAborted(signal);
    const onChain = await ports.chain.objectById(context.id.objectId, { signal });
    if (!onChain) return { kind: 'gone' };
    if (isSealed(onChain, context.id.version)) {
      return {
        kind: 'sealed',
        transactionHash: transaction.hash,
        ...(onChain.gvg ? { gvgId: onChain.gvg.id } : {}),
      };
    }
    const included = await ports.chain.transaction(transaction.hash, { signal });
    if (included && included.code !== 0) return refusedInBlock(included);
    if (!included && !accepted) {
      say({ doing: `broadcasting seal ${transaction.hash}`, waitsFor: 'the chain node' });
      last = await broadcast(transaction, ports, signal);
      accepted = isAccepted(last);
      if (!accepted && !isSequence(last)) return refused(last);
    }
    say({ doing: `watching seal ${transaction.hash}`, waitsFor: 'the next block' });
    await sleep(ports.timing.chainPollMs, undefined, { signal });
  }
  if (last && isSequence(last)) return { ...refused(last), resume: 'SIGN_OBJECT_DOING' };
  throw new Retryable({
    code: 'seal-timeout',
    message: `The seal ${transaction.hash} was not in a block after ${ports.timing.sealTimeoutMs} ms.`,
    advice: 'The same bytes are broadcast again by themselves; look at the chain node if it goes on.',
  });
}

function broadcast(
  transaction: SignedTransaction,
  ports: Ports,
  signal: AbortSignal,
): Promise<BroadcastResult> {
  return ports.signer.ask<BroadcastResult>((reply) => ({ type: 'broadcast', transaction, reply }), {
    signal,
  });
}

const SDK = 'sdk';
const STORAGE = 'storage';

/** In the mempool, there already (sdk 19), or sealed by an earlier broadcast (storage 1108, greenfield.md §8.2). */
function isAccepted({ code, codespace }: Verdict): boolean {
  return code === 0 || (codespace === SDK && code === 19) || (codespace === STORAGE && code === 1108);
}

/** Another transaction took the sequence, or one before it is missing (sdk 32). */
function isSequence({ code, codespace }: Verdict): boolean {
  return codespace === SDK && code === 32;
}

function refused(verdict: Verdict): Extract<SealResult, { kind: 'refused' }> {
  const { code, codespace, log } = verdict;
  const badGroup = (codespace === STORAGE && code === 1123) || codespace === 'virtualgroup';
  const badSignatures = codespace === 'greenfield' && code === 1013;
  return {
    kind: 'refused',
    code: `chain-${codespace}-${code}`,
    message: `The chain refused the seal: ${log || `${codespace} ${code}`}.`,
    resume: badGroup || badSignatures ? 'ALLOC_SECONDARY_DOING' : 'SEAL_OBJECT_DOING',
    excludeGvg: badGroup,
  };
}

/** A transaction that failed in a block has used its sequence: the same bytes can never succeed. */
function refusedInBlock(verdict: Verdict): SealResult {
  const result = refused(verdict);
  return result.resume === 'SEAL_OBJECT_DOING' ? { ...result, resume: 'SIGN_OBJECT_DOING' } : result;
}
