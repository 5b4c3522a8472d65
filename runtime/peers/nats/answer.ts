import type { Msg, PublishOptions } from '@nats-io/nats-core';
import { Terminal } from '#protocols/errors';
import { peersInbox } from '../../nats/accounts.ts';

/**
 * On the peers plane the sender of a message chooses the subject of the answer, and the permission to answer comes
 * with the message: an answer sent without a check could land in the mailbox of a third SP, under our name. So
 * answers go only into the inbox of the sender.
 * @param from SP id of the sender, as its signature says
 * @throws Terminal `reply-misdirected`
 */
export function checkReply(message: Msg, from: number): void {
  if (message.reply?.startsWith(`${peersInbox(from)}.`)) return;
  throw new Terminal({
    code: 'reply-misdirected',
    message: `The message wants its answer on a subject outside the inbox of SP ${from}.`,
    advice: 'Answers go only to the sender of a message.',
  });
}

type AnswerParts = readonly [data?: Uint8Array | string, options?: PublishOptions];

/** The one way to answer on the peers plane. @throws Terminal `reply-misdirected` */
export function answer(message: Msg, from: number, ...[data, options]: AnswerParts): void {
  checkReply(message, from);
  message.respond(data, options);
}
