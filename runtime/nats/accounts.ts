import { createHash } from 'node:crypto';
import { Terminal } from '#protocols/errors';

/** Name of the account that all SPs join: the peers plane (ARCHITECTURE.md#the-two-nats-planes). */
export const PEERS_ACCOUNT = 'PEERS';

/** The credentials of one SP on a server that several SPs share. */
export interface SpAccount {
  readonly spId: number;
  /** Password of the user `homeUser(spId)`, for the SP's own nodes. At least 16 characters of base64url. */
  readonly homePassword: string;
  /** Password of the user `peersUser(spId)`, with which the SP joins the peers account. Same form. */
  readonly peersPassword: string;
}

/** User of an SP's home account. */
export function homeUser(spId: number): string {
  return `sp${spId}`;
}

/** User with which an SP joins the peers account. */
export function peersUser(spId: number): string {
  return `peer${spId}`;
}

/** First tokens of every inbox of an SP on the peers plane: the `inboxPrefix` of its connection. */
export function peersInbox(spId: number): string {
  return `_INBOX.${spId}`;
}

/**
 * The `accounts` block of a nats-server's configuration for SPs that share one server (the devnet): a home account with
 * JetStream for each SP, and the peers account without it. The mailbox of an SP is a service that its home account
 * exports to the peers account alone, so that messages from others are stored in a stream that only the SP itself can
 * read. On the peers plane an SP can publish under its own name only; a subject names the receiver before the sender.
 * @throws Terminal `bad-nats-accounts` for an id or password that is not allowed in the configuration
 */
export function accountsConfig(sps: readonly SpAccount[]): string {
  check(sps);
  return `accounts {
${sps.map(homeAccount).join('\n')}
  ${PEERS_ACCOUNT} {
    imports: [
${sps.map((sp) => `      { service: { account: ${homeAccountName(sp)}, subject: "${mailbox(sp)}" } }`).join('\n')}
    ]
    users: [
${sps.map(peersMember).join('\n')}
    ]
  }
}
`;
}

/**
 * Must not be guessable: before 2.10.27, whoever could name an account could have the server erase it, and could bypass
 * permissions.
 */
function homeAccountName(sp: SpAccount): string {
  const secret = createHash('sha256').update(`account ${sp.homePassword}`).digest('hex').slice(0, 32);
  return `HOME_${sp.spId}_${secret}`;
}

/** API subjects for the server's operator, which 2.9 serves for anybody: erase, remove, move. */
const ADMINISTRATION = '["$JS.API.ACCOUNT.PURGE.>", "$JS.API.ACCOUNT.STREAM.>", "$JS.API.SERVER.>"]';

function mailbox(sp: SpAccount): string {
  return `peer.${sp.spId}.>`;
}

function homeAccount(sp: SpAccount): string {
  return `  ${homeAccountName(sp)} {
    jetstream: enabled
    exports: [ { service: "${mailbox(sp)}", accounts: [${PEERS_ACCOUNT}] } ]
    users: [
      {
        user: "${homeUser(sp.spId)}", password: "${sp.homePassword}"
        permissions: { publish: { deny: ${ADMINISTRATION} } }
      }
    ]
  }`;
}

/** Asks and fetches wait at most 30 s for their answers, so the permission to answer expires after a minute. */
function peersMember(sp: SpAccount): string {
  const id = sp.spId;
  return `      {
        user: "${peersUser(id)}", password: "${sp.peersPassword}"
        permissions: {
          publish: {
            allow: ["peer.*.*.${id}.>", "session.*.${id}.>", "recovery.*.${id}", "approval.ask.${id}"]
            deny: ${ADMINISTRATION}
          }
          subscribe: { allow: ["${peersInbox(id)}.>", "session.${id}.>", "recovery.${id}.*", "approval.ask.*"] }
          allow_responses: { max: 1, expires: "1m" }
        }
      }`;
}

function check(sps: readonly SpAccount[]): void {
  const ids = new Set<number>();
  for (const sp of sps) {
    if (!Number.isSafeInteger(sp.spId) || sp.spId < 1) refuse(`${sp.spId} is not a valid SP id.`);
    if (ids.has(sp.spId)) refuse(`SP ${sp.spId} is listed twice.`);
    ids.add(sp.spId);
    for (const password of [sp.homePassword, sp.peersPassword]) {
      if (!/^[A-Za-z0-9_-]{16,}$/.test(password)) refuse(`A password of SP ${sp.spId} has the wrong form.`);
    }
  }
}

function refuse(message: string): never {
  throw new Terminal({
    code: 'bad-nats-accounts',
    message,
    advice: 'Give each SP its id once, and passwords of 16 or more letters, digits, "_" and "-".',
  });
}
