import type { Hex } from '../protocols/greenfield/types.ts';
import type { SignedTransaction } from '../protocols/job/context.ts';
import type { Reply } from '../runtime/actors/types.ts';
import type { BroadcastResult } from '../runtime/chain/chain.ts';

/** What the seal key is asked to sign: MsgSealObject or MsgRejectSealObject (greenfield.md §7.1). */
export type SealOrder =
  | {
      readonly kind: 'seal';
      readonly bucketName: string;
      readonly objectName: string;
      readonly gvgId: number;
      /** 96 bytes: the six secondaries' signatures, aggregated in the group's order. */
      readonly aggregateSignature: Hex;
    }
  | { readonly kind: 'reject'; readonly bucketName: string; readonly objectName: string };

/** The only way to the seal key and to its account's sequence. */
export type SignerMessage =
  /** Signs with the next free sequence. Nothing is broadcast. */
  | { readonly type: 'sign'; readonly order: SealOrder; readonly reply: Reply<SignedTransaction> }
  /** Broadcasts what was signed before, as often as the caller wants. A refusal by the chain is an answer. */
  | {
      readonly type: 'broadcast';
      readonly transaction: SignedTransaction;
      readonly reply: Reply<BroadcastResult>;
    };
