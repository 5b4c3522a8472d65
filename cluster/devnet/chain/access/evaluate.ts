import type { Policy, StoredStatement } from './access-state.ts';

export interface Question {
  /** Name of the action without its prefix, for example `GET_OBJECT`. */
  readonly action: string;
  /** Unix seconds of the block. */
  readonly time: number;
  /** Name of the object when the policy is that of its bucket. */
  readonly resource?: string;
  /** Size of the object to be created, bytes. */
  readonly wantedSize?: bigint;
}

export interface Verdict {
  readonly effect: 'UNSPECIFIED' | 'ALLOW' | 'DENY';
  /** The policy after bytes of its limit have been used. */
  readonly changed?: Policy;
}

const UNSPECIFIED = { effect: 'UNSPECIFIED' } as const;

type StatementVerdict = Pick<Verdict, 'effect'> & { readonly changed?: StoredStatement };

/** Evaluates one policy: a statement that denies takes precedence over one that allows; expired ones are ignored. */
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
  // The chain treats them as regular expressions that may match anywhere.
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
