import type { MiddlewareHandler } from 'hono';
import { Terminal } from '#protocols/errors';
import { UNSIGNED_MESSAGE_HEADER } from '#protocols/greenfield/creation-approval';
import { RECEIVE_MESSAGE_HEADER } from '#protocols/replication/receive-message';
import { RECOVERY_MESSAGE_HEADER } from '#protocols/replication/recovery-message';
import type { GatewayEnv } from './context.ts';

/** Characters of path and query: an object name of 1024 bytes, each as %XX, and a signature. */
const MAX_TARGET = 16_384;
/** Characters of one header. */
const MAX_HEADER = 8_192;
/** They hold an object's name and its parameters in hex; the server's bound on all headers is theirs. */
const LONG_HEADERS: ReadonlySet<string> = new Set(
  [RECEIVE_MESSAGE_HEADER, RECOVERY_MESSAGE_HEADER, UNSIGNED_MESSAGE_HEADER].map((name) =>
    name.toLowerCase(),
  ),
);

/**
 * Refuses a request whose head is longer than any client needs, before anything looks at it: whoever sends it need not
 * have signed it.
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
