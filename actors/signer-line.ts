import type { Calls } from '../runtime/home/calls.ts';
import type { SignerAnswer, SignerLine, SignerRequest } from './signer.ts';

const SUBJECT = 'signer.seal';
/** Enough for a chain node that is slow and one after it. */
const ANSWER_MS = 30_000;

/** The line to the signer over the home plane. All its nodes are ours, so what they say is taken as it is. */
export function signerLine(calls: Calls): SignerLine {
  return {
    serve: (answer, options) =>
      calls.serve(SUBJECT, (request, signal) => answer(request as SignerRequest, signal), options),
    call: async (request, { signal }) =>
      (await calls.call(SUBJECT, request, { timeoutMs: ANSWER_MS, signal })) as SignerAnswer,
  };
}
