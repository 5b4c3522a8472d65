import { Retryable, Terminal } from '#protocols/errors';
import { ChainError, isChainError } from '#protocols/greenfield/chain-errors';
import { isOfMessage } from '#protocols/greenfield/simulation';
import type { SignedTransaction } from '#protocols/greenfield/transaction';
import type { ObjectOnChain } from '#protocols/greenfield/types';
import { faultOf } from '#protocols/sealing/seal-refusal';
import type { Activity } from '#runtime/actors/types';
import type { Chain } from '#runtime/chain/chain';
import type { Announced, Announcement } from '../messages.ts';
import { type Refused, refusalText, type SubmitPorts, submitAndConfirm } from './submit-and-confirm.ts';

/**
 * Number of signatures for one announcement, if its sequence was used by another transaction or the chain requires more
 * gas.
 */
const MAX_SIGNINGS = 5;

/**
 * Puts an announcement on chain and waits until the chain node shows it.
 * @throws Terminal 400/50010 when somebody else announced other content first; Terminal 400/120020 or 400/120019 when
 * the chain refuses it for good; Retryable with the same codes when it refuses it for now; `creation-timeout`,
 * `update-timeout`; as the signer and the chain
 */
export async function announce(
  announcement: Announcement,
  ports: SubmitPorts,
  options: { readonly signal: AbortSignal; readonly say: (activity: Activity) => void },
): Promise<Announced> {
  const { signer, chain } = ports;
  const what = announcement.kind === 'create-object' ? 'creation' : 'update';
  const findResult = (signal: AbortSignal) => findAnnounced(announcement, chain, signal);
  for (let signings = 1; ; signings += 1) {
    const transaction = await signer.ask<SignedTransaction>(
      (reply) => ({ type: 'sign', order: announcement, reply }),
      options,
    );
    const result = await submitAndConfirm(transaction, ports, { what, findResult, ...options });
    if (!('kind' in result)) return announced(result, transaction, chain, options.signal);
    const fault = faultOf(result.refusal);
    const signAgain = fault === 'sequence' || fault === 'gas';
    if (!signAgain || signings === MAX_SIGNINGS) return refusedOr(result, announcement, findResult, options);
  }
}

/** The object once it matches the announcement, whoever announced it; undefined while it does not. */
async function findAnnounced(
  announcement: Announcement,
  chain: Chain,
  signal: AbortSignal,
): Promise<ObjectOnChain | undefined> {
  const { bucketName, objectName } = announcement;
  const found = await chain.object(bucketName, objectName, { signal });
  return found && isAsAnnounced(found, announcement) ? found : undefined;
}

function isAsAnnounced({ object, update }: ObjectOnChain, announcement: Announcement): boolean {
  const { payloadSize } = announcement;
  if (announcement.kind === 'update-object') {
    return update?.updater === announcement.updater && update.payloadSize === payloadSize;
  }
  const isOfCreator = [object.creator, object.owner].includes(announcement.creator);
  return isOfCreator && object.payloadSize === payloadSize;
}

async function announced(
  onChain: ObjectOnChain,
  { hash }: SignedTransaction,
  chain: Chain,
  signal: AbortSignal,
): Promise<Announced> {
  const included = await chain.transaction(hash, { signal });
  return { onChain, ...(included?.code === 0 && { transactionHash: hash }) };
}

/** Of two simultaneous announcements, the chain refuses the second because of the first. */
async function refusedOr(
  refused: Refused,
  announcement: Announcement,
  findResult: (signal: AbortSignal) => Promise<ObjectOnChain | undefined>,
  { signal }: { readonly signal: AbortSignal },
): Promise<Announced> {
  const { refusal, spent } = refused;
  const isAnnounced = [ChainError.OBJECT_EXISTS, ChainError.OBJECT_IS_UPDATING].some((e) =>
    isChainError(refusal, e),
  );
  const onChain = isAnnounced ? await findResult(signal) : undefined;
  if (onChain) return { onChain };
  if (isAnnounced) throw announcedOtherwise(announcement);
  const creates = announcement.kind === 'create-object';
  const facts = {
    code: creates ? 'creation-refused' : 'update-refused',
    message: `The chain refused to ${creates ? 'create' : 'update'} the object: ${refusalText(refusal)}.`,
    gatewayCode: creates ? 120020 : 120019,
  };
  throw spent || isOfMessage(refusal) ? new Terminal(facts) : new Retryable(facts);
}

function announcedOtherwise({ bucketName, objectName }: Announcement): Terminal {
  return new Terminal({
    code: 'announced-otherwise',
    message: `Object "${bucketName}/${objectName}" was announced in the meantime by another account, or with another size.`,
    advice: 'Choose another name, or cancel the existing object on chain.',
    gatewayCode: 50010,
  });
}
