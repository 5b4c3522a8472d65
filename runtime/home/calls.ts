/** Questions between the nodes of one SP, by subjects of the home plane. Questions and answers are plain JSON. */
export interface Calls {
  /**
   * Answers until the signal fires, and then waits for what is under way. What `answer` throws goes back to the
   * asker as it is, with kind, code, message and advice.
   * @throws Retryable `nats-unavailable` when the connection ends before
   */
  serve(
    subject: string,
    answer: (question: unknown, signal: AbortSignal) => Promise<unknown>,
    options: { readonly signal: AbortSignal },
  ): Promise<void>;
  /**
   * @throws what the answerer threw; Retryable `nobody-answers`, `call-timeout`, `too-many-calls`,
   * `bad-answer`, `nats-unavailable`; Cancelled
   */
  call(
    subject: string,
    question: unknown,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<unknown>;
}
