import type { NatsConnection } from '@nats-io/nats-core';
import { isNoResponders, natsError } from '../nats/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { LeaseBook } from './lease-book.ts';
import { NAK } from './pull.ts';

const ANSWER_MS = 2_000;

/**
 * Gives back the jobs and roles that the last process of this node held when it ended, so that nobody has to wait for
 * ack_wait.
 * @throws Retryable `nats-unavailable`
 */
export async function takeBackLeases(
  book: LeaseBook,
  { connection, log }: { readonly connection: NatsConnection; readonly log: Logger },
): Promise<void> {
  const count = await book.takeBack(async (ackSubject) => {
    try {
      await connection.request(ackSubject, NAK, { timeout: ANSWER_MS });
    } catch (error) {
      // the consumer is gone, and its leases with it
      if (!isNoResponders(error)) throw natsError(error, 'giving back the leases of an earlier process');
    }
  });
  if (count > 0) log.info({ count }, 'gave back what the last process of this node held when it ended');
}
