import type { Wire } from '../approval/wire.ts';
import { Terminal } from '../errors.ts';
import { fromHex, toHex } from '../greenfield/hex.ts';
import { isSignedBy } from '../greenfield/signature.ts';
import type { GlobalVirtualGroup, Hex, StorageProvider } from '../greenfield/types.ts';
import type { Receipt } from '../job/context.ts';
import type { SealSignature } from '../sealing/seal.ts';
import { sealDigest } from '../sealing/seal-document.ts';
import { columnDigest } from './column-document.ts';

/** The column that a receipt is for. */
export interface ReceiptSubject {
  readonly chainId: string;
  readonly objectId: string;
  readonly gvg: Pick<GlobalVirtualGroup, 'id' | 'secondarySpIds'>;
  readonly redundancyIndex: number;
  /** The seven integrity hashes, primary first. */
  readonly checksums: readonly Hex[];
}

/** The two keys of a secondary that sign a receipt; the keyring's fit. */
export interface ReceiptKeys {
  readonly approval: { sign(digest: Uint8Array): Promise<Uint8Array> };
  readonly bls: { sign(message: Uint8Array): Promise<Uint8Array> };
}

/**
 * Makes the receipt for a column that is stored and whose integrity hash was checked.
 * @param operatorAddress the secondary's own
 * @throws Terminal `receipt-mismatch` when the group has no such index or the checksums none for it
 */
export async function signReceipt(
  subject: ReceiptSubject,
  operatorAddress: string,
  keys: ReceiptKeys,
): Promise<Receipt> {
  const { chainId, objectId, gvg, redundancyIndex, checksums } = subject;
  const { spId, integrityHash } = expected(subject);
  const column = columnDigest({ operatorAddress, objectId, integrityHash });
  const seal = sealDigest({ chainId, gvgId: gvg.id, objectId, checksums });
  return {
    redundancyIndex,
    spId,
    gvgId: gvg.id,
    integrityHash,
    approvalSignature: toHex(await keys.approval.sign(column)),
    blsSignature: toHex(await keys.bls.sign(seal)),
  };
}

/**
 * Checks a secondary's receipt: that it is for this column, and both signatures against the chain's record of the
 * secondary. The chain refuses an aggregate with one bad signature in it, so every receipt is checked before it counts.
 * @param wire today's HTTP wire brings no signature of the approval key
 * @param verifySeal `verifySealSignature`, or what answers as that does
 * @throws Terminal `receipt-mismatch`, `wrong-integrity-hash`, `wrong-approval-signature`, `wrong-bls-signature`
 */
export async function checkReceipt(
  receipt: Receipt,
  subject: ReceiptSubject,
  sp: Pick<StorageProvider, 'id' | 'operatorAddress' | 'approvalAddress' | 'blsKey'>,
  wire: Wire,
  verifySeal: (seal: SealSignature) => boolean | Promise<boolean>,
): Promise<void> {
  const { chainId, objectId, gvg, redundancyIndex, checksums } = subject;
  const { spId, integrityHash } = expected(subject);
  if (receipt.redundancyIndex !== redundancyIndex || receipt.gvgId !== gvg.id) {
    throw mismatch(`it is for index ${receipt.redundancyIndex} of group ${receipt.gvgId}`);
  }
  if (receipt.spId !== spId || sp.id !== spId) throw mismatch(`it is of storage provider ${receipt.spId}`);
  if (receipt.integrityHash !== integrityHash) {
    throw refused('wrong-integrity-hash', 40005, sp.id, `integrity hash ${receipt.integrityHash}`);
  }
  const column = columnDigest({ operatorAddress: sp.operatorAddress, objectId, integrityHash });
  if (wire === 'nats' && !isSignedBy(sp.approvalAddress, column, signatureBytes(receipt.approvalSignature))) {
    throw refused('wrong-approval-signature', 40005, sp.id, 'approval signature');
  }
  const document = { chainId, gvgId: gvg.id, objectId, checksums };
  if (!(await verifySeal({ document, blsKey: sp.blsKey, signature: receipt.blsSignature }))) {
    throw refused('wrong-bls-signature', 45216, sp.id, 'BLS signature');
  }
}

function expected(subject: ReceiptSubject): { spId: number; integrityHash: Hex } {
  const spId = subject.gvg.secondarySpIds[subject.redundancyIndex];
  const integrityHash = subject.checksums[subject.redundancyIndex + 1];
  if (spId !== undefined && integrityHash !== undefined) return { spId, integrityHash };
  throw mismatch(`group ${subject.gvg.id} or the checksums have no index ${subject.redundancyIndex}`);
}

/** The HTTP and NATS adapters bring any text; what is not hex is not a signature either. */
function signatureBytes(signature: Hex): Uint8Array {
  return /^[0-9a-f]{130}$/.test(signature) ? fromHex(signature) : new Uint8Array();
}

function mismatch(why: string): Terminal {
  return new Terminal({ code: 'receipt-mismatch', message: `The receipt does not match: ${why}.` });
}

function refused(code: string, gatewayCode: number, spId: number, what: string): Terminal {
  return new Terminal({
    code,
    gatewayCode,
    message: `The receipt of storage provider ${spId} carries a wrong ${what}.`,
    advice: 'Use another group, and inform that provider.',
  });
}
