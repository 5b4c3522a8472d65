import { openControl } from '../control/message.ts';
import { Terminal } from '../errors.ts';
import type { JobId } from '../job/identity.ts';

/** The offer that claims to have been approved. */
export interface ApprovedOffer {
  readonly job: JobId;
  /** Sp id of the primary. */
  readonly from: number;
  /** Our sp id. */
  readonly to: number;
  readonly gvgId: number;
  readonly redundancyIndex: number;
  /** The approval, base64, as we once sent it. */
  readonly approval: string;
}

export interface ApprovalCheck {
  readonly chainId: string;
  /** Unix ms. */
  readonly now: number;
  /** Our own, EIP-55. */
  readonly operatorAddress: string;
}

/**
 * A receiver's check of an offer: the approval in it is our own, was given to this primary for this object, group
 * and index, and still holds.
 * @throws Terminal `approval-not-granted`, or a `control-…` code of `openControl`
 */
export function checkOwnApproval(offer: ApprovedOffer, check: ApprovalCheck): void {
  const { job, from, to, gvgId, redundancyIndex } = offer;
  const { body } = openControl(Buffer.from(offer.approval, 'base64'), {
    chainId: check.chainId,
    now: check.now,
    kinds: ['approval'],
    from: to,
    to: from,
    about: { job, gvgId: 0, redundancyIndex: 0 },
    operatorAddressOf: () => check.operatorAddress,
  });
  if (body.granted.some((grant) => grant.gvgId === gvgId && grant.redundancyIndex === redundancyIndex))
    return;
  throw notGranted(offer);
}

/**
 * The same for a standing approval: it is our own, was given to this primary for this group and index, whatever the
 * object, and still holds.
 * @returns for how many small columns it is good in all
 * @throws Terminal `approval-not-granted`, or a `control-…` code of `openControl`
 */
export function checkOwnStandingApproval(
  offer: ApprovedOffer,
  check: ApprovalCheck,
): { readonly columns: number; readonly expiresAt: number } {
  const { from, to, gvgId, redundancyIndex } = offer;
  const approval = openControl(Buffer.from(offer.approval, 'base64'), {
    chainId: check.chainId,
    now: check.now,
    kinds: ['standing-approval'],
    from: to,
    to: from,
    operatorAddressOf: () => check.operatorAddress,
  });
  if (approval.gvgId === gvgId && approval.redundancyIndex === redundancyIndex) {
    return { columns: approval.body.columns, expiresAt: approval.expiresAt };
  }
  throw notGranted(offer);
}

function notGranted({ gvgId, redundancyIndex }: ApprovedOffer): Terminal {
  return new Terminal({
    code: 'approval-not-granted',
    message: `We approved the object, but not index ${redundancyIndex} of group ${gvgId}.`,
    advice: 'Ask for approval again.',
  });
}
