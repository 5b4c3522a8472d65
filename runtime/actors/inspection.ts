import type { Logger } from '../telemetry/logger.ts';
import type { Inspection } from './types.ts';

type WithoutTime<E> = E extends Inspection ? Omit<E, 'at'> : never;

/** The inspection stream of one system. An error thrown by a listener is logged and has no other effect. */
export class Inspector {
  readonly #listeners = new Set<(event: Inspection) => void>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  subscribe(listener: (event: Inspection) => void): () => void {
    const own = (event: Inspection) => listener(event);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  emit(event: WithoutTime<Inspection>): void {
    if (this.#listeners.size === 0) return;
    const stamped: Inspection = { ...event, at: Date.now() };
    for (const listener of [...this.#listeners]) {
      try {
        listener(stamped);
      } catch (error) {
        this.#log.error({ error }, 'an inspection listener threw');
      }
    }
  }
}

/** A message as the inspection stream names it: its `type`, never its content. */
export function labelOf(message: unknown): string {
  if (typeof message === 'object' && message !== null && 'type' in message) {
    if (typeof message.type === 'string') return message.type;
  }
  return typeof message;
}
