import type { MiddlewareHandler } from 'hono';
import { Terminal } from '#protocols/errors';
import { UNSIGNED_MESSAGE_HEADER } from '#protocols/greenfield/creation-approval';
import { RECEIVE_MESSAGE_HEADER } from '#protocols/replication/receive-message';
import { RECOVERY_MESSAGE_HEADER } from '#protocols/replication/recovery-message';
import type { GatewayEnv } from './context.ts';

/** Maximum length of path and query in characters: an object name of 1024 bytes, each as %XX, and a signature. */
const MAX_TARGET = 16_384;
/** Maximum length of one header in characters. */
const MAX_HEADER = 8_192;
/** Headers with an object's name and parameters in hex; only the server's limit on all headers applies to them. */
const LONG_HEADERS: ReadonlySet<string> = new Set(
  [RECEIVE_MESSAGE_HEADER, RECOVERY_MESSAGE_HEADER, UNSIGNED_MESSAGE_HEADER].map((name) =>
    name.toLowerCase(),
  ),
);

/**
 * Refuses a request whose head is longer than any client needs, before anything processes it: such a request may be
 * unsigned.
 * @throws Terminal 400/50009, 400/50010
 */
export const boundHead: MiddlewareHandler<GatewayEnv> = async (c, next) => {
  for (const [name, value] of c.req.raw.headers) {
    if (value.length > MAX_HEADER && !LONG_HEADERS.has(name.toLowerCase())) {
      throw tooLong(`The header ${name.slice(0, 100)} has`, MAX_HEADER, 50009);
    }
  }
  if (c.get('target').line.length > MAX_TARGET) throw tooLong('Path and query have', MAX_TARGET, 50010);
  await next();
};

function tooLong(what: string, limit: number, gatewayCode: number): Terminal {
  return new Terminal({
    code: 'head-too-long',
    message: `${what} more than ${limit} characters.`,
    gatewayCode,
  });
}
