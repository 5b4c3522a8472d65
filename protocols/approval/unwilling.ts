import type { Shortfall } from './choose-group.ts';

/** A member that keeps a group from being chosen. */
export interface Unwilling {
  readonly spId: number;
  readonly gvgId: number;
  /** Why it refused; absent when it has not answered. */
  readonly reason?: string;
}

/** Members named in one text. */
const MAX_NAMED = 12;
const SEPARATOR = '; ';
const FORM = /^sp (\d+) (?:refused group (\d+): (.*)|did not answer for group (\d+))$/s;

/** What groups lack, as one line for operators, which `unwillingIn` reads back. */
export function unwillingText(lacking: readonly Shortfall[]): string {
  const all = lacking.flatMap(({ gvgId, refused, silent }) => [
    ...refused.map(({ spId, reason }) => `sp ${spId} refused group ${gvgId}: ${onePhrase(reason)}`),
    ...silent.map((spId) => `sp ${spId} did not answer for group ${gvgId}`),
  ]);
  const more = all.length > MAX_NAMED ? `, and ${all.length - MAX_NAMED} more` : '';
  return `${all.slice(0, MAX_NAMED).join(SEPARATOR)}${more}`;
}

/** The members that a text with a line of `unwillingText` at its end names. */
export function unwillingIn(text: string): readonly Unwilling[] {
  const begin = /\bsp \d+ (refused group|did not answer for group) \d/.exec(text)?.index;
  if (begin === undefined) return [];
  const line = text.slice(begin).replace(/(, and \d+ more)?\.?$/, '');
  return line.split(SEPARATOR).flatMap((part) => {
    const [, spId, refusedGroup, reason, silentGroup] = FORM.exec(part) ?? [];
    if (spId === undefined) return [];
    const gvgId = Number(refusedGroup ?? silentGroup);
    return [{ spId: Number(spId), gvgId, ...(reason !== undefined && { reason }) }];
  });
}

/** Reasons come from other SPs. */
function onePhrase(reason: string): string {
  return reason.replaceAll(';', ',').replace(/\.$/, '');
}
