/** Calls between the nodes of one SP, over subjects of the home plane. Requests and answers are plain JSON. */
export interface Calls {
  /**
   * Answers until the signal fires, then waits for the calls in progress. Each call is answered by one of the nodes
   * that serve its subject. An error thrown by `answer` reaches the caller unchanged, with kind, code, message and
   * advice.
   * @throws Retryable `nats-unavailable` when the connection ends before
   */
  serve(
    subject: string,
    answer: (question: unknown, signal: AbortSignal) => Promise<unknown>,
    options: { readonly signal: AbortSignal },
  ): Promise<void>;
  /**
   * @throws the error of the answerer; Retryable `nobody-answers`, `call-timeout`, `too-many-calls`, `bad-answer`,
   * `nats-unavailable`; Cancelled
   */
  call(
    subject: string,
    question: unknown,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<unknown>;
}
