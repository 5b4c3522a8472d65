/** The two ways in which SPs move columns between them: our own over NATS, and that of today's SPs over HTTP. */
export type Wire = 'nats' | 'http';

/**
 * The wire that an SP agreed on with its approval, and on which its column then travels. On HTTP nobody signs
 * approvals, so the message of one that stands for an admission is empty.
 * @param message of the approval, base64
 */
export function wireOf(message: string): Wire {
  return message === '' ? 'http' : 'nats';
}
