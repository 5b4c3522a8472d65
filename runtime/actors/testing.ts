import type { ExecutionContext } from 'ava';
import { silentLogger } from '../telemetry/logger.ts';
import { createActorSystem } from './system.ts';
import type { ActorSystem, Behaviour, Context, Inspection, Supervision, SupervisionTable } from './types.ts';

/** A row for tests: `retryable` errors restart at once, others stop; overridable. */
export function row(over: Partial<Supervision> = {}): Supervision {
  return {
    retryable: 'restart',
    terminal: 'stop',
    cancelled: 'stop',
    restarts: { limit: 1000, withinMs: 60_000, beyond: 'stop' },
    backoff: { minMs: 0, maxMs: 0 },
    ...over,
  };
}

/** A system that is stopped at the end of the test, with all events of its inspection stream. */
export function testSystem(
  t: ExecutionContext,
  rows: SupervisionTable = {},
): { system: ActorSystem; events: Inspection[] } {
  const supervision = { plain: row(), ...rows };
  const system = createActorSystem({ name: 'test', supervision, log: silentLogger });
  const events: Inspection[] = [];
  system.inspect((event) => events.push(event));
  t.teardown(() => system.stop());
  return { system, events };
}

type Step<M, S> = (state: S, message: M, ctx: Context<M>) => S | Promise<S>;

/** A behaviour of kind `plain` without state of its own unless one is given. */
export function actor<M>(
  receive: (message: M, ctx: Context<M>) => void | Promise<void>,
  over: Partial<Behaviour<M, void>> = {},
): Behaviour<M, void> {
  const step: Step<M, void> = (_, message, ctx) => receive(message, ctx);
  return { kind: 'plain', start: () => undefined, receive: step, ...over };
}

/** Resolves when the condition holds; gives up after 2 min. */
export async function until(condition: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + 120_000;
  while (!condition()) {
    if (Date.now() > giveUpAt) throw new Error('the awaited condition did not become true');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** A promise, and the function that resolves it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
