import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, Terminal } from '#protocols/errors';

/** Where the tokens of admin servers are, by what they allow. */
export type TokenFiles = Readonly<Partial<Record<'view' | 'act', string>>>;

const ANSWER_LIMIT_MS = 10_000;
/** One answer may take so long at most; what takes longer is asked for again. */
const LONGEST_ANSWER_MS = 30_000;
const ASK_AGAIN_MS = 500;

/** The API of an admin server, for programs. */
export class AdminApi {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  /**
   * @param url for example `http://127.0.0.1:9133`
   * @param operator who asks, for the record of actions; printable ASCII
   */
  constructor(url: string, token?: string, operator?: string) {
    this.#url = url;
    this.#headers = {
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(operator !== undefined && { 'X-Sealion-Operator': operator }),
    };
  }

  /** With the token of a devnet, or another network whose description names one. */
  static async of(
    url: string,
    tokens: TokenFiles | undefined,
    role: keyof TokenFiles = 'view',
    operator?: string,
  ): Promise<AdminApi> {
    const file = tokens?.[role];
    return new AdminApi(url, file && (await readFile(file, 'utf8')).trim(), operator);
  }

  /**
   * @param path for example `/api/nodes`
   * @throws Retryable `no-node` when it does not answer; the error that it answers with
   */
  get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.#ask(path, { method: 'GET' }, ANSWER_LIMIT_MS, signal);
  }

  /**
   * As `get`, for actions: waits until what was begun has ended. @param limitMs how long that may take, 10 s by default
   * @throws Retryable `action-in-progress` when it goes on after that
   */
  post<T>(path: string, body: unknown, signal?: AbortSignal, limitMs = ANSWER_LIMIT_MS): Promise<T> {
    const headers = { 'Content-Type': 'application/json' };
    return this.#ask(path, { method: 'POST', headers, body: JSON.stringify(body) }, limitMs, signal);
  }

  /**
   * The bytes of an answer without an end, as they come, until the signal fires.
   * @param path for example `/events?page=/tree`
   * @throws as `get`; the iteration throws when the connection is lost, and when the signal fires
   */
  async open(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#fetch(path, { headers: this.#headers, signal });
    if (!response.ok) throw problem(response.status, (await response.json().catch(() => ({}))) as Problem);
    return response.body ?? Readable.from([]);
  }

  /** @param limitMs how long the end of what is not done yet may be waited for */
  async #ask<T>(path: string, init: RequestInit, limitMs: number, signal?: AbortSignal): Promise<T> {
    const giveUpAt = performance.now() + limitMs;
    let found = await this.#answer<T>(path, init, answerLimit(limitMs), signal);
    while (found.later !== undefined) {
      if (performance.now() > giveUpAt) throw inProgress(limitMs);
      await sleep(ASK_AGAIN_MS, undefined, signal && { signal });
      found = await this.#answer<T>(found.later, { method: 'GET' }, ANSWER_LIMIT_MS, signal);
    }
    return found.answer;
  }

  async #answer<T>(
    path: string,
    init: RequestInit,
    limitMs: number,
    signal?: AbortSignal,
  ): Promise<{ readonly answer: T; readonly later?: string }> {
    const limit = AbortSignal.timeout(limitMs);
    const headers = { ...this.#headers, ...init.headers };
    const either = AbortSignal.any([limit, ...(signal ? [signal] : [])]);
    const response = await this.#fetch(path, { ...init, headers, signal: either });
    const answer: unknown = await response.json().catch((cause: unknown) => {
      throw this.#noNode(cause);
    });
    if (!response.ok) throw problem(response.status, answer as Problem);
    const later = response.status === 202 ? response.headers.get('location') : null;
    return { answer: answer as T, ...(later !== null && { later }) };
  }

  #fetch(path: string, init: RequestInit): Promise<Response> {
    return fetch(`${this.#url}${path}`, init).catch((cause: unknown) => {
      throw this.#noNode(cause);
    });
  }

  #noNode(cause: unknown): Retryable {
    return new Retryable({
      code: 'no-node',
      message: `No node answers at ${this.#url}.`,
      advice: 'Check that it is running.',
      cause,
    });
  }
}

function problem(status: number, answer: Problem): Retryable | Terminal {
  const { code = 'bad-answer', message = `status ${status}`, advice } = answer;
  const facts = { code, message, ...(advice !== undefined && { advice }) };
  return status === 503 || status === 429 ? new Retryable(facts) : new Terminal(facts);
}

/** What is to be waited for only briefly may still take as long as any answer. */
function answerLimit(limitMs: number): number {
  return Math.min(Math.max(limitMs, ANSWER_LIMIT_MS), LONGEST_ANSWER_MS);
}

function inProgress(limitMs: number): Retryable {
  return new Retryable({
    code: 'action-in-progress',
    message: `It is not done after ${Math.round(limitMs / 1_000)} s, and goes on.`,
    advice: 'See /api/audit for its end.',
  });
}

interface Problem {
  readonly code?: string;
  readonly message?: string;
  readonly advice?: string;
}
