import type { Policy, StoredStatement } from './access-state.ts';

export interface Question {
  /** Name of the action without its prefix, for example `GET_OBJECT`. */
  readonly action: string;
  /** Unix seconds of the block. */
  readonly time: number;
  /** Resource name of what lies in the resource that has the policy: an object, asked of its bucket's policy. */
  readonly resource?: string;
  /** Bytes that are to be created. */
  readonly wantedSize?: bigint;
}

export interface Verdict {
  readonly effect: 'UNSPECIFIED' | 'ALLOW' | 'DENY';
  /** The policy as it is after bytes of its limit have been used. */
  readonly changed?: Policy;
}

const UNSPECIFIED = { effect: 'UNSPECIFIED' } as const;

type StatementVerdict = Pick<Verdict, 'effect'> & { readonly changed?: StoredStatement };

/** What one policy says: a statement that denies decides, else one that allows; nothing that has expired counts. */
export function evaluate(policy: Policy, question: Question): Verdict {
  const now = question.time * 1000;
  const expired = (at: number | undefined) => at !== undefined && at < now;
  if (expired(policy.expirationTime)) return UNSPECIFIED;
  let allowed = false;
  const statements: StoredStatement[] = [];
  for (const statement of policy.statements) {
    const said: StatementVerdict = expired(statement.expirationTime)
      ? UNSPECIFIED
      : evaluateStatement(statement, question);
    if (said.effect === 'DENY') return { effect: 'DENY' };
    if (said.effect === 'ALLOW') allowed = true;
    statements.push(said.changed ?? statement);
  }
  if (!allowed) return UNSPECIFIED;
  const used = statements.some((statement, i) => statement !== policy.statements[i]);
  return { effect: 'ALLOW', ...(used && { changed: { ...policy, statements } }) };
}

function evaluateStatement(
  statement: StoredStatement,
  { action, resource, wantedSize }: Question,
): StatementVerdict {
  const { effect, actions, resources, limitSize } = statement;
  // The chain takes them as regular expressions that may match anywhere.
  if (resource !== undefined && !resources.some((pattern) => new RegExp(pattern, 'u').test(resource))) {
    return UNSPECIFIED;
  }
  if (!actions.some((one) => one === action || one === 'ALL')) return UNSPECIFIED;
  if (
    effect === 'ALLOW' &&
    action === 'CREATE_OBJECT' &&
    limitSize !== undefined &&
    wantedSize !== undefined
  ) {
    const left = BigInt(limitSize) - wantedSize;
    if (left < 0n) return { effect: 'DENY' };
    return { effect, changed: { ...statement, limitSize: left.toString() } };
  }
  return { effect };
}
