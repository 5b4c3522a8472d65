import type { Calls } from '#runtime/home/calls';
import type { SignerAnswer, SignerLine, SignerRequest } from './signer.ts';

/** Enough for a slow chain node and the fallback after it. */
const ANSWER_MS = 30_000;

/**
 * Calls to the signer of one key over the home plane. All its nodes belong to this SP, so answers are not validated.
 * @param address of the key
 */
export function signerLine(calls: Calls, address: string): SignerLine {
  const subject = `signer.${address}`;
  return {
    serve: (answer, { signal: held }) =>
      calls.serve(subject, (request, signal) => answer(request as SignerRequest, signal), {
        signal: held,
        alone: true,
      }),
    call: async (request, { signal }) =>
      (await calls.call(subject, request, { timeoutMs: ANSWER_MS, signal })) as SignerAnswer,
  };
}
