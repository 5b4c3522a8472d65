import { readFile } from 'node:fs/promises';
import { Retryable, Terminal } from '#protocols/errors';

/** Where the tokens of admin servers are, by what they allow. */
export type TokenFiles = Readonly<Partial<Record<'view' | 'act', string>>>;

const ANSWER_LIMIT_MS = 10_000;

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

  /** As `get`, for actions. @param limitMs how long the answer may take, 10 s by default */
  post<T>(path: string, body: unknown, signal?: AbortSignal, limitMs = ANSWER_LIMIT_MS): Promise<T> {
    const headers = { 'Content-Type': 'application/json' };
    return this.#ask(path, { method: 'POST', headers, body: JSON.stringify(body) }, limitMs, signal);
  }

  async #ask<T>(path: string, init: RequestInit, limitMs: number, signal?: AbortSignal): Promise<T> {
    const limit = AbortSignal.timeout(limitMs);
    const headers = { ...this.#headers, ...init.headers };
    let response: Response;
    let answer: unknown;
    try {
      const either = AbortSignal.any([limit, ...(signal ? [signal] : [])]);
      response = await fetch(`${this.#url}${path}`, { ...init, headers, signal: either });
      answer = await response.json();
    } catch (cause) {
      throw new Retryable({
        code: 'no-node',
        message: `No node answers at ${this.#url}.`,
        advice: 'Check that it is running.',
        cause,
      });
    }
    if (response.ok) return answer as T;
    const { code = 'bad-answer', message = `status ${response.status}`, advice } = answer as Problem;
    const facts = { code, message, ...(advice !== undefined && { advice }) };
    throw response.status === 503 || response.status === 429 ? new Retryable(facts) : new Terminal(facts);
  }
}

interface Problem {
  readonly code?: string;
  readonly message?: string;
  readonly advice?: string;
}
