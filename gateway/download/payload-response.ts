import type { ServerResponse } from 'node:http';
import { Cancelled, type SealionError, toSealionError } from '#protocols/errors';
import { breakOff } from '#runtime/http/break-off';
import type { Turns } from '#runtime/load/turns';
import type { ClientPace } from './client-pace.ts';

/** Up to this size a portion costs no more than an answer without a payload, and takes no turn; bytes. */
const SMALL_PORTION = 16 * 1024;

export interface PayloadResponseOptions {
  /** Cuts off a client that reads too slowly. */
  readonly pace: ClientPace;
  /** Shared by all responses. */
  readonly turns: Turns;
  /** Node's response; absent when the app is called in memory. */
  readonly outgoing: ServerResponse | undefined;
  /** Called with the number of bytes sent. */
  onChunk(bytes: number): void;
}

export interface PayloadResponse {
  readonly body: ReadableStream<Uint8Array>;
  /** Resolves when the client has received the last byte, or with the reason why it will not. */
  readonly ended: Promise<SealionError | undefined>;
}

/**
 * A payload as the body of a response. The first chunk is read at once, so that its failure can still be answered
 * with a status; each further one when the client has received the previous one. A later failure resets the
 * connection, so that an incomplete body never looks complete.
 * @throws the error of reading the first chunk
 */
export async function payloadResponse(
  chunks: AsyncGenerator<Uint8Array, void, undefined>,
  { pace, turns, outgoing, onChunk }: PayloadResponseOptions,
): Promise<PayloadResponse> {
  let first: IteratorResult<Uint8Array, void> | undefined = await chunks.next();
  let idle: NodeJS.Timeout | undefined;
  let tellEnd: (failure?: SealionError) => void = () => {};
  let open = true;
  const ended = new Promise<SealionError | undefined>((resolve) => {
    tellEnd = resolve;
  });
  const end = (failure?: SealionError) => {
    open = false;
    clearTimeout(idle);
    chunks.return().catch(() => {});
    tellEnd(failure);
  };
  const fail = (controller: ReadableStreamDefaultController, failure: SealionError) => {
    if (!open) return;
    end(failure);
    if (outgoing) breakOff(outgoing);
    else controller.error(failure);
  };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        clearTimeout(idle);
        pace.taken();
        try {
          const { done, value } = first ?? (await chunks.next());
          if (!open) return;
          if (done) {
            end();
            controller.close();
            return;
          }
          if (value.length > SMALL_PORTION) await turns.take(first ? 'first' : 'further', value.length);
          first = undefined;
          if (!open) return;
          onChunk(value.length);
          idle = setTimeout(() => fail(controller, tooSlow()), pace.hand(value.length));
          controller.enqueue(value);
        } catch (thrown) {
          fail(controller, toSealionError(thrown));
        }
      },
      cancel(reason) {
        end(
          new Cancelled({
            code: 'client-gone',
            message: 'The client closed the connection during the download.',
            cause: reason,
          }),
        );
      },
    },
    { highWaterMark: 0 },
  );
  return { body, ended };
}

function tooSlow(): Cancelled {
  return new Cancelled({ code: 'client-too-slow', message: 'The client has read too slowly for too long.' });
}
