import type { Logger } from '#runtime/telemetry/logger';
import type { Ledger } from '../ledger.ts';
import type { Params } from './params.ts';

/** One method of the node. @returns the `result` of the answer, or a promise of it @throws RpcError */
export type RpcMethod = (ledger: Ledger, params: Params, log: Logger) => unknown;
