import type { ServerResponse } from 'node:http';

/** How a payload gets to its client. */
export interface Passage {
  /** True while all that was handed out has left the process whenever more is asked for. */
  isDirect: boolean;
}

const passages = new WeakMap<ReadableStream<Uint8Array>, Passage>();

/** Has `writePayload` write this body. */
export function writeDirectly(body: ReadableStream<Uint8Array>, passage: Passage): void {
  passages.set(body, passage);
}

/**
 * Writes a response whose body was passed to `writeDirectly`: asks for more only when the kernel has everything before
 * it, so that its memory may be written again. Resolves when the client has it all, or has gone.
 * @returns false for another response, which is not written
 */
export async function writePayload(
  { body, status, headers }: Response,
  to: ServerResponse,
): Promise<boolean> {
  const passage = body && passages.get(body);
  if (!passage) return false;
  const reader = body.getReader();
  const gone = () => {
    // What is being written may still be read.
    passage.isDirect = false;
    reader.cancel().catch(() => {});
  };
  passage.isDirect = true;
  to.once('close', gone);
  if (to.destroyed) gone();
  else to.writeHead(status, Object.fromEntries(headers));
  for (let next = await reader.read(); !next.done; next = await reader.read()) await written(to, next.value);
  to.off('close', gone);
  if (!to.destroyed) to.end();
  return true;
}

/** Resolves when the kernel has the bytes, or never will. */
function written(to: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      to.off('close', end);
      resolve();
    };
    to.once('close', end);
    to.write(bytes, end);
    if (to.destroyed) end();
  });
}
