import { type AbciEvent, abciEvent } from '#protocols/greenfield/events';
import type { State } from '../state.ts';

/** The context of a message: the state, the block, and the events that it emits. */
export interface Context {
  readonly state: State;
  readonly height: number;
  /** Unix seconds of the block. */
  readonly time: number;
  emit(...event: Parameters<typeof abciEvent>): void;
}

/** A message's answer in the transaction's result (`google.protobuf.Any`). */
export interface MessageResponse {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** Creates a context that collects events in `events`. */
export function createContext(
  state: State,
  block: { readonly height: number; readonly time: number },
): Context & { readonly events: readonly AbciEvent[] } {
  const events: AbciEvent[] = [];
  return {
    state,
    height: block.height,
    time: Math.floor(block.time / 1000),
    events,
    emit: (type, fields) => {
      events.push(abciEvent(type, fields));
    },
  };
}
