import { Cell } from './cell.ts';
import { Children, type World } from './children.ts';
import { Inspector } from './inspection.ts';
import { startNact } from './nact.ts';
import type { ActorSystem, ActorSystemOptions } from './types.ts';

/**
 * Starts an actor system. An error that escalates beyond a top actor is logged; that actor has ended, the others
 * continue.
 */
export function createActorSystem({ name, supervision, watch, log }: ActorSystemOptions): ActorSystem {
  const inspector = new Inspector(log);
  const nact = startNact();
  let last = 0;
  const world: World = {
    supervision,
    log,
    inspector,
    ...(watch && { watch }),
    nextNumber: () => {
      last += 1;
      return last;
    },
    open: (parent, childName, behaviour) => new Cell(world, parent, childName, behaviour),
  };
  const children = new Children(world, { path: name, runner: nact }, (error) => {
    log.error({ code: error.code, error }, 'a top-level actor has failed for good');
  });
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await children.close();
    nact.stop();
  };
  return {
    name,
    spawn: (childName, behaviour) => children.spawn(childName, behaviour),
    tree: () => ({
      name,
      path: name,
      kind: 'system',
      status: stopped ? 'stopping' : 'running',
      restarts: 0,
      mailbox: 0,
      children: children.trees(),
    }),
    inspect: (listener) => inspector.subscribe(listener),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}
