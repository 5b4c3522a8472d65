import { Retryable, type SealionError } from '#protocols/errors';

/** Default delay, ms. */
const SOON_MS = 5_000;

/**
 * Delay when the chain or people must act first: an object is being sealed or rejected, a bucket migrates, a provider
 * is in maintenance; ms.
 */
export const ONCE_THE_CHAIN_MOVES_ON_MS = 60_000;

/**
 * Gateway codes of conditions that end by themselves, even if the error is final for its thrower: a busy, stopping or
 * replaced node, a store or a chain that does not answer, the same task or upload already in progress.
 */
export const PASSING: ReadonlySet<number> = new Set([
  10003, 10004, 25002, 50029, 50032, 55001, 60002, 60003, 60004, 65201, 70001, 70002, 80002, 80003, 85101,
  85201, 110003, 110007, 115001, 115101, 960001,
]);

/**
 * Errors that end by themselves although their gateway code also stands for errors that the client must correct; delays
 * in ms.
 */
const PASSING_ERRORS: Readonly<Record<string, number>> = {
  'being-rejected': ONCE_THE_CHAIN_MOVES_ON_MS,
};

/**
 * The delay after which a refused client should try again, in whole seconds, at least 1; undefined when the client must
 * change something first.
 * @param code the gateway code of the answer
 */
export function retryAfterSeconds(error: SealionError, code: number): number | undefined {
  const ms = knownMs(error) ?? (PASSING.has(code) ? SOON_MS : undefined);
  return ms === undefined ? undefined : Math.max(1, Math.ceil(ms / 1_000));
}

function knownMs(error: SealionError): number | undefined {
  return error instanceof Retryable ? (error.retryAfterMs ?? SOON_MS) : PASSING_ERRORS[error.code];
}
