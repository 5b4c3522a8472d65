import { dispatch, type Ref as NactRef, spawn, start, stop } from 'nact';

/**
 * The only file that uses nact, and only as a scheduler: a nact actor runs the turns that it is sent one after the
 * other, each in its own turn of the event loop. Mailboxes, supervision and asks are built on top.
 */

/** One piece of work of an actor. Must not reject, or nact's own fault handling would run. */
type Turn = () => Promise<void>;

/** A nact actor that runs our turns. */
export interface TurnRunner {
  /** Runs work as the actor's next turn. An error that it throws is returned as a value. */
  run<R>(work: () => R | Promise<R>): Promise<Settled<R>>;
  /** A runner below this one. */
  spawn(name: string): TurnRunner;
  /** Removes the actor from nact. No turn may be running, and none may follow. */
  stop(): void;
}

export type Settled<R> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly thrown: unknown };

/** Runs work and hands back what it returned or threw; never rejects. */
export async function settle<R>(work: () => R | Promise<R>): Promise<Settled<R>> {
  try {
    return { ok: true, value: await work() };
  } catch (thrown) {
    return { ok: false, thrown };
  }
}

/** A nact system under a unique name, since nact keeps all systems of a process in one table by name. */
export function startNact(): Pick<TurnRunner, 'spawn' | 'stop'> {
  const system: NactRef<never> = start();
  return { spawn: (name) => runner(system, name), stop: () => stop(system) };
}

function runner(parent: NactRef<never>, name: string): TurnRunner {
  const actor: NactRef<Turn> = spawn(
    parent,
    (_: undefined, turn: Turn) => turn().then(() => undefined),
    name,
  );
  return {
    run: (work) =>
      new Promise((resolve) => {
        dispatch(actor, async () => resolve(await settle(work)));
      }),
    spawn: (childName) => runner(actor as NactRef<never>, childName),
    stop: () => stop(actor),
  };
}
