import { type AbciEvent, abciEvent } from '#protocols/greenfield/events';
import type { State } from '../state.ts';

/** What a message runs in: the state it may change, the block it is in, the events it leaves. */
export interface Context {
  readonly state: State;
  readonly height: number;
  /** Unix seconds of the block. */
  readonly time: number;
  emit(...event: Parameters<typeof abciEvent>): void;
}

/** A message's answer as it stands in the transaction's result (`google.protobuf.Any`). */
export interface MessageResponse {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** A context whose events are gathered in `events`. */
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
