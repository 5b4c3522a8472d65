import { Retryable, type SealionError } from '#protocols/errors';

/** Where nobody knows better; ms. */
const SOON_MS = 5_000;

/**
 * What the chain, or people, have to move on first: an object that is being sealed or rejected, a bucket that migrates, a
 * provider in maintenance; ms.
 */
export const ONCE_THE_CHAIN_MOVES_ON_MS = 60_000;

/**
 * Gateway codes of what passes by itself, whatever it is for whoever threw it: a busy, stopping or passed-over node, a
 * store or a chain that does not answer, the same task or upload already in progress.
 */
export const PASSING: ReadonlySet<number> = new Set([
  10003, 10004, 25002, 50029, 50032, 55001, 60002, 60003, 60004, 65201, 70001, 70002, 80002, 80003, 85101,
  85201, 110003, 110007, 115001, 115101, 960001,
]);

/** Errors whose gateway code stands for other things too, that only the client can change. */
const PASSING_ERRORS: Readonly<Record<string, number>> = {
  'being-rejected': ONCE_THE_CHAIN_MOVES_ON_MS,
};

/**
 * When a client that was refused should try again, in whole seconds from 1; undefined when it has to change something
 * first, since time cures nothing then.
 * @param code the gateway code of the answer
 */
export function retryAfterSeconds(error: SealionError, code: number): number | undefined {
  const ms = knownMs(error) ?? (PASSING.has(code) ? SOON_MS : undefined);
  return ms === undefined ? undefined : Math.max(1, Math.ceil(ms / 1_000));
}

function knownMs(error: SealionError): number | undefined {
  return error instanceof Retryable ? (error.retryAfterMs ?? SOON_MS) : PASSING_ERRORS[error.code];
}
