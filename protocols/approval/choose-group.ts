import type { Approval } from '../job/context.ts';

/** A group that was asked, as in the ask. */
export interface AskedGroup {
  readonly gvgId: number;
  /** The position is the redundancy index. */
  readonly secondarySpIds: readonly number[];
}

/** One member's answer for all its places in the asked groups. */
export interface MemberAnswer {
  readonly spId: number;
  /** Unix ms. */
  readonly expiresAt: number;
  readonly granted: readonly { readonly gvgId: number; readonly redundancyIndex: number }[];
  readonly refused: readonly { readonly gvgId: number; readonly code: string; readonly reason: string }[];
  /** The signed control message, base64. */
  readonly message: string;
}

export interface ChosenGroup extends AskedGroup {
  /** One per member, by redundancy index. */
  readonly approvals: readonly Approval[];
}

/** An approval with less time left, ms, is asked for again: the offer that carries it may wait in a mailbox. */
export const MIN_APPROVAL_LEFT_MS = 60_000;

/** True while an approval has enough time left to be used. @param now unix ms */
export function isFresh(approval: { readonly expiresAt: number }, now: number): boolean {
  return approval.expiresAt - now >= MIN_APPROVAL_LEFT_MS;
}

/**
 * The first group, in the order asked, whose members have all granted their place by a fresh approval; the order
 * asked is by free stake, best first. undefined while there is none.
 * @param now unix ms
 */
export function chooseGroup(
  groups: readonly AskedGroup[],
  answers: readonly MemberAnswer[],
  now: number,
): ChosenGroup | undefined {
  for (const group of groups) {
    const approvals = group.secondarySpIds.map((spId, redundancyIndex) =>
      approvalFor({ gvgId: group.gvgId, spId, redundancyIndex }, answers, now),
    );
    if (approvals.length > 0 && approvals.every((approval) => approval !== undefined)) {
      return { ...group, approvals };
    }
  }
  return undefined;
}

/** Why a group cannot be taken: who refused, and who has not answered. */
export interface Shortfall {
  readonly gvgId: number;
  readonly refused: readonly { readonly spId: number; readonly code: string; readonly reason: string }[];
  /** Neither granted nor refused, or granted until too soon. */
  readonly silent: readonly number[];
}

/** For an operator: what each asked group lacks. A group that could be taken lacks nothing. */
export function shortfalls(
  groups: readonly AskedGroup[],
  answers: readonly MemberAnswer[],
  now: number,
): readonly Shortfall[] {
  return groups.map(({ gvgId, secondarySpIds }) => {
    const missing = secondarySpIds.filter(
      (spId, redundancyIndex) => !approvalFor({ gvgId, spId, redundancyIndex }, answers, now),
    );
    const refused = answers
      .filter(({ spId }) => missing.includes(spId))
      .flatMap((answer) =>
        answer.refused
          .filter((refusal) => refusal.gvgId === gvgId)
          .map(({ code, reason }) => ({ spId: answer.spId, code, reason })),
      );
    return { gvgId, refused, silent: missing.filter((id) => !refused.some(({ spId }) => spId === id)) };
  });
}

function approvalFor(
  place: { readonly gvgId: number; readonly spId: number; readonly redundancyIndex: number },
  answers: readonly MemberAnswer[],
  now: number,
): Approval | undefined {
  const { gvgId, spId, redundancyIndex } = place;
  const answer = answers.find(
    (candidate) =>
      candidate.spId === spId &&
      isFresh(candidate, now) &&
      candidate.granted.some((grant) => grant.gvgId === gvgId && grant.redundancyIndex === redundancyIndex),
  );
  return answer && { spId, redundancyIndex, expiresAt: answer.expiresAt, message: answer.message };
}
