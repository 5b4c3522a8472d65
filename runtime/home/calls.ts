/** Calls between the nodes of one SP, over subjects of the home plane. Requests and answers are plain JSON. */
export interface Calls {
  /**
   * Answers until the signal fires, then waits for the calls in progress. Each call is answered by one of the nodes
   * that serve its subject. An error thrown by `answer` reaches the caller unchanged, with kind, code, message and
   * advice; what the signal cancels is `nobody-answers` to the caller.
   * @param options.alone for the holder of a role: calls reach every node that serves the subject, so that a former
   * holder that is suspended does not take them away from its successor
   * @throws Retryable `nats-unavailable` when the connection ends before
   */
  serve(
    subject: string,
    answer: (question: unknown, signal: AbortSignal) => Promise<unknown>,
    options: { readonly signal: AbortSignal; readonly alone?: boolean },
  ): Promise<void>;
  /**
   * Waits as long as the node that answers shows that it works on the answer, and no longer than `timeoutMs`.
   * @throws the error of the answerer; Retryable `nobody-answers`, `answerer-silent` (it has ended or is suspended),
   * `call-timeout`, `too-many-calls`, `bad-answer`, `nats-unavailable`; Cancelled
   */
  call(
    subject: string,
    question: unknown,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<unknown>;
}
