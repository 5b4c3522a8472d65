import { Cancelled, type SealionError, Terminal } from '#protocols/errors';
import type { Logger } from '../telemetry/logger.ts';
import type { Inspector } from './inspection.ts';
import type { TurnRunner } from './nact.ts';
import { LocalRef } from './ref.ts';
import type { Behaviour, Ended, Ref, SupervisionTable, SystemWatcher, TreeNode } from './types.ts';

/** Shared by all actors of one system. */
export interface World {
  readonly supervision: SupervisionTable;
  readonly log: Logger;
  readonly inspector: Inspector;
  readonly watch?: SystemWatcher;
  /** Numbers incarnations in the order of their start. */
  nextNumber(): number;
  /** Creates an actor and starts it. */
  open<M, S>(parent: Parent, name: string, behaviour: Behaviour<M, S>): Child;
}

/** An actor's view of its parent. */
export interface Parent {
  readonly path: string;
  readonly runner: Pick<TurnRunner, 'spawn'>;
  /** The child has ended and its name is free. */
  childEnded(name: string): void;
  /** The child has failed for good with an error that the parent is to fail with. */
  childFailed(error: SealionError): void;
}

/** A parent's view of an actor. */
export interface Child {
  readonly ref: Ref<never>;
  /** Stops the actor and all its descendants; resolves when they have ended. */
  stop(): Promise<Ended>;
  tree(): TreeNode;
}

/** The direct children of one incarnation, or of the system itself. */
export class Children implements Parent {
  readonly path: string;
  readonly runner: Pick<TurnRunner, 'spawn'>;
  readonly childFailed: (error: SealionError) => void;
  readonly #world: World;
  readonly #living = new Map<string, Child>();
  #closed = false;

  constructor(
    world: World,
    owner: { readonly path: string; readonly runner: Pick<TurnRunner, 'spawn'> },
    childFailed: (error: SealionError) => void,
  ) {
    this.path = owner.path;
    this.runner = owner.runner;
    this.childFailed = childFailed;
    this.#world = world;
  }

  /** @throws Terminal `bad-name`, `name-taken`, `unknown-actor-kind`; Cancelled `actor-stopping` */
  spawn<N, T>(name: string, behaviour: Behaviour<N, T>): Ref<N> {
    if (this.#closed) throw new Cancelled({ code: 'actor-stopping', message: `${this.path} is stopping.` });
    if (name === '') throw new Terminal({ code: 'bad-name', message: 'An actor needs a name.' });
    if (this.#living.has(name)) {
      throw new Terminal({ code: 'name-taken', message: `${this.path}/${name} is still running.` });
    }
    const child = this.#world.open(this, name, behaviour);
    this.#living.set(name, child);
    return child.ref as Ref<N>;
  }

  get(name: string): Ref<never> | undefined {
    return this.#living.get(name)?.ref;
  }

  /** @throws Terminal `not-a-child` for a living actor from elsewhere. */
  async stop(ref: Ref<never>): Promise<void> {
    if (LocalRef.targetOf(ref).ended) return;
    for (const child of this.#living.values()) {
      if (child.ref === ref) {
        await child.stop();
        return;
      }
    }
    throw new Terminal({ code: 'not-a-child', message: `${ref.path} is not a child of ${this.path}.` });
  }

  /** Stops all children; no more can be spawned. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#living.values()].map((child) => child.stop()));
  }

  trees(): readonly TreeNode[] {
    return [...this.#living.values()].map((child) => child.tree());
  }

  childEnded(name: string): void {
    this.#living.delete(name);
  }
}
