import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { isNoResponders, natsError } from '../nats/errors.ts';

/** How many nodes of an SP do the same thing at the moment. */
export interface Presence {
  /** Including this one, so 1 at least. */
  count(): number;
  /** The others count without this node from now on. */
  leave(): Promise<void>;
}

export interface PresenceOptions {
  /** Of the home plane; it stays the caller's. */
  readonly connection: NatsConnection;
  /** What the nodes do, one token of a subject, for example `gateway`. */
  readonly what: string;
  /** Name of this node, which no other has. */
  readonly node: string;
  /** ms between two messages of a node. */
  readonly everyMs?: number;
}

const EVERY_MS = 1_000;
/** A node counts until it has been silent for so many of its messages. */
const SILENT_FOR = 4;
/** How long a new node waits for the others to name themselves, after the last and altogether; ms. */
const STALL_MS = 300;
const LONGEST_MS = 2_000;
/** Nodes that are counted. */
const MOST = 1_000;

const LEAVES = '-';

/**
 * Says every second on `present.<what>` that this node is there, and counts the nodes that do. A new node knows the
 * others when this resolves, and they know it; one that ends without a word counts for another four seconds.
 *
 * Others are silent only by what arrives while our own messages return to us: without a connection, or after this
 * process was suspended, the last number stays until there is a better one.
 * @throws Retryable `nats-unavailable`
 */
export async function joinPresent(options: PresenceOptions): Promise<Presence> {
  const { connection, what, node, everyMs = EVERY_MS } = options;
  const subject = `present.${what}`;
  /** When each node was heard last. */
  const heard = new Map<string, number>();
  let ownHeard = performance.now();

  const hear = (refused: Error | null, message: Msg) => {
    if (refused) return;
    const text = message.string();
    const now = performance.now();
    if (text === node) ownHeard = now;
    else if (text.startsWith(LEAVES)) heard.delete(text.slice(LEAVES.length));
    else if (heard.has(text) || heard.size < MOST) heard.set(text, now);
    // a new node asks who is there
    if (message.reply && text !== node) message.respond(node);
    for (const [other, at] of heard) if (ownHeard - at > SILENT_FOR * everyMs) heard.delete(other);
  };
  const say = (text: string) => {
    try {
      connection.publish(subject, text);
    } catch {
      // the connection is closed, so that this node does nothing any more
    }
  };

  for (const name of await askWho(connection, subject, node)) heard.set(name, performance.now());
  const subscription = connection.subscribe(subject, { callback: hear });
  await connection.flush().catch((error: unknown) => {
    subscription.unsubscribe();
    throw natsError(error, `joining ${subject}`);
  });
  const saying = setInterval(say, everyMs, node);
  say(node);
  return {
    count: () => heard.size + 1,
    async leave() {
      clearInterval(saying);
      subscription.unsubscribe();
      say(LEAVES + node);
    },
  };
}

/** The names of the nodes that are there, who thereby learn of this one. */
async function askWho(connection: NatsConnection, subject: string, node: string): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    const options = { strategy: 'stall', stall: STALL_MS, maxWait: LONGEST_MS } as const;
    for await (const answer of await connection.requestMany(subject, node, options)) {
      const name = answer.string();
      if (name !== node && names.length < MOST) names.push(name);
    }
  } catch (error) {
    if (!isNoResponders(error)) throw natsError(error, `asking who is on ${subject}`);
  }
  return names;
}
