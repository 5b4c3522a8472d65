import type { Logger } from '#runtime/telemetry/logger';
import type { Ledger } from '../ledger.ts';
import { Errors, Refusal } from '../refusal.ts';
import { accountQuery, balanceQuery, simulateQuery } from './accounts.ts';
import { gashubQueries } from './gashub.ts';
import { listQueries } from './lists.ts';
import { nodeQueries } from './node.ts';
import { paymentQueries } from './payment.ts';
import type { QueryHandler } from './query.ts';
import { storageQueries } from './storage.ts';
import { storageProviderQueries } from './storage-providers.ts';
import { virtualGroupQueries } from './virtual-groups.ts';

const HANDLERS = new Map<string, QueryHandler>([
  ['/cosmos.auth.v1beta1.Query/Account', accountQuery],
  ['/cosmos.bank.v1beta1.Query/Balance', balanceQuery],
  ['/cosmos.tx.v1beta1.Service/Simulate', simulateQuery],
  ...service('/cosmos.base.tendermint.v1beta1.Service', nodeQueries),
  ...service('/cosmos.gashub.v1beta1.Query', gashubQueries),
  ...service('/greenfield.payment.Query', paymentQueries),
  ...service('/greenfield.storage.Query', storageQueries),
  ...service('/greenfield.storage.Query', listQueries),
  ...service('/greenfield.virtualgroup.Query', virtualGroupQueries),
  ...service('/greenfield.sp.Query', storageProviderQueries),
]);

/** The `response` of `abci_query` in CometBFT's format. */
export interface AbciAnswer {
  readonly code: number;
  readonly log: string;
  readonly info: string;
  readonly index: string;
  readonly key: null;
  /** Base64. */
  readonly value: string | null;
  readonly proofOps: null;
  readonly height: string;
  readonly codespace: string;
}

/** Answers a query path. A refusal is an answer with a code. */
export async function abciQuery(
  ledger: Ledger,
  path: string,
  request: Uint8Array,
  log: Logger,
): Promise<AbciAnswer> {
  // Read before the query: the answer may be newer than the block that it names, but never older.
  const height = ledger.committed.head.height.toString();
  const answer = (code: number, codespace: string, text: string, value: string | null): AbciAnswer => ({
    code,
    log: text,
    info: '',
    index: '0',
    key: null,
    value,
    proofOps: null,
    height,
    codespace,
  });
  const handler = HANDLERS.get(path);
  if (!handler) return answer(6, 'sdk', `unknown query path: ${path.slice(0, 200)}: unknown request`, null);
  try {
    return answer(0, '', '', Buffer.from(await handler(ledger, request)).toString('base64'));
  } catch (error) {
    if (error instanceof Refusal) {
      const { codespace, code } = error.error;
      // The chain returns only sdk errors unchanged from a query; of others only the text is left.
      if (codespace === 'sdk') return answer(code, codespace, error.message, null);
      const { UNKNOWN_REQUEST } = Errors;
      return answer(UNKNOWN_REQUEST.code, 'sdk', `${error.message}: ${UNKNOWN_REQUEST.text}`, null);
    }
    log.error({ error, path }, 'a query caused an internal error');
    return answer(1, 'sdk', 'internal error', null);
  }
}

function service(prefix: string, handlers: Readonly<Record<string, QueryHandler>>): [string, QueryHandler][] {
  return Object.entries(handlers).map(([method, handler]) => [`${prefix}/${method}`, handler]);
}
