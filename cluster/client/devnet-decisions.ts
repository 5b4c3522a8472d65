import { setTimeout as sleep } from 'node:timers/promises';
import { Terminal } from '#protocols/errors';
import type { MessageTypeUrl } from '#protocols/greenfield/messages';

const POLL_MS = 20;

/**
 * Makes the chain of a devnet behave as after a decision of governance, or after some time. Every method ends when the
 * block with the change is written. @throws Terminal `devnet-decision`
 */
export class DevnetDecisions {
  readonly #rpc: string;

  /** @param rpc of the chain stand-in; a real node does not support this */
  constructor(rpc: string) {
    this.#rpc = rpc;
  }

  /** Sets the gas that a message costs from now on. */
  async setMessageGas(type: MessageTypeUrl, gas: number): Promise<void> {
    await this.#decide('devnet_set_message_gas', { type, gas });
  }

  /** Freezes an account as if its prepaid balance were used up. A deposit unfreezes it. */
  async useUpBalance(account: string): Promise<void> {
    await this.#decide('devnet_use_up_balance', { account });
  }

  async #decide(method: string, params: Readonly<Record<string, unknown>>): Promise<void> {
    const { height } = (await this.#call(method, params)) as { height: number };
    while ((await this.#height()) < height) await sleep(POLL_MS);
  }

  async #height(): Promise<number> {
    const { sync_info } = (await this.#call('status', {})) as {
      sync_info: { latest_block_height: string };
    };
    return Number(sync_info.latest_block_height);
  }

  async #call(method: string, params: Readonly<Record<string, unknown>>): Promise<unknown> {
    const response = await fetch(this.#rpc, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    const { result, error } = (await response.json()) as { result?: unknown; error?: unknown };
    if (error === undefined) return result;
    throw new Terminal({
      code: 'devnet-decision',
      message: `The chain answered ${method} with ${JSON.stringify(error)}.`,
      advice: 'Use this with a devnet only: a real chain does not accept such commands.',
    });
  }
}
