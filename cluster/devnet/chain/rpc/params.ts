import { Terminal } from '#protocols/errors';

/** The error in the answer to a JSON-RPC request. */
export class RpcError extends Terminal {
  readonly rpcCode: number;
  readonly title: string;
  readonly data: string;

  constructor(rpcCode: number, title: string, data: string) {
    super({ code: 'devnet-chain-rpc', message: data ? `${title}: ${data}` : title });
    this.rpcCode = rpcCode;
    this.title = title;
    this.data = data;
  }
}

export const invalidParams = (why: string) => new RpcError(-32602, 'Invalid params', why);
export const internalError = (why: string) => new RpcError(-32603, 'Internal error', why);

/**
 * Parameters of one call. In JSON, bytes are base64 (for some parameters hex) and large numbers are text; in a URI,
 * text is in quotes and bytes are `0x…`.
 */
export class Params {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #fromUri: boolean;

  constructor(values: Readonly<Record<string, unknown>>, fromUri: boolean) {
    this.#values = values;
    this.#fromUri = fromUri;
  }

  text(name: string): string {
    const value = this.#values[name] ?? '';
    if (typeof value !== 'string') throw invalidParams(`${name} must be a string`);
    return this.#fromUri ? value.replace(/^"(.*)"$/s, '$1') : value;
  }

  integer(name: string): number | undefined {
    const value = this.#values[name];
    if (value === undefined || value === null || value === '') return undefined;
    const digits = typeof value === 'number' ? value.toString() : this.text(name);
    if (!/^[0-9]{1,15}$/.test(digits)) throw invalidParams(`${name} must be a whole number`);
    return Number(digits);
  }

  /** @param json encoding of these bytes in JSON */
  bytes(name: string, json: 'base64' | 'hex'): Uint8Array {
    const text = this.text(name);
    const isHex = this.#fromUri ? text.startsWith('0x') : json === 'hex';
    const digits = isHex ? text.replace(/^0x/, '') : text;
    const form = isHex ? /^(?:[0-9a-fA-F]{2})*$/ : /^[A-Za-z0-9+/]*={0,2}$/;
    if (this.#fromUri && !isHex) return Buffer.from(text);
    if (!form.test(digits)) throw invalidParams(`${name} must be ${isHex ? 'hex' : 'base64'}`);
    return Buffer.from(digits, isHex ? 'hex' : 'base64');
  }
}
