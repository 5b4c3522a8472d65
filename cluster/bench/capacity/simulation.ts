import { demand, PATHS, type Resource, SECONDARIES, type Setting, type Step, segmentsOf } from './demand.ts';
import { EventQueue } from './event-queue.ts';
import type { Random } from './random.ts';

/** Mean times of the measured objects; seconds. */
export interface Observation {
  readonly ackSeconds: number;
  readonly sealSeconds: number;
}

interface SimulatedObject {
  readonly begun: number;
  readonly measured: boolean;
  columns: number;
}

/**
 * Simulates the network that the model describes, object by object and without the model's formulas: uploads begin at
 * random times at random SPs, every resource serves in order of arrival, and six random other SPs hold the columns.
 * @param objects number of measured objects; as many come before them, to fill the queues
 */
export function simulate(setting: Setting, objects: number, random: Random): Observation {
  return new Simulation(setting, objects, random).run();
}

class Simulation {
  readonly #setting: Setting;
  readonly #objects: number;
  readonly #random: Random;
  readonly #events = new EventQueue<() => void>();
  /** Time at which a resource of an SP becomes free, by SP and resource. */
  readonly #free = new Map<string, number>();
  readonly #seals: SimulatedObject[] = [];
  readonly #sums = { ack: 0, seal: 0, acked: 0, sealed: 0 };
  #now = 0;

  constructor(setting: Setting, objects: number, random: Random) {
    this.#setting = setting;
    this.#objects = objects;
    this.#random = random;
  }

  run(): Observation {
    this.#arrive(0);
    this.#block();
    while (this.#sums.sealed < this.#objects) {
      const next = this.#events.take();
      if (!next) break;
      this.#now = next.at;
      next.value();
    }
    const { ack, seal, acked, sealed } = this.#sums;
    return { ackSeconds: ack / acked, sealSeconds: seal / sealed };
  }

  #arrive(index: number): void {
    const { objectsPerSecond, sps } = this.#setting;
    this.#events.add(this.#now + this.#random.exponential(1 / objectsPerSecond), () => {
      const measured = index >= this.#objects && index < 2 * this.#objects;
      const object: SimulatedObject = { begun: this.#now, measured, columns: 0 };
      const primary = this.#random.below(sps);
      this.#arrive(index + 1);
      this.#step('receive', primary, () => this.#acknowledge(object, primary));
    });
  }

  #acknowledge(object: SimulatedObject, primary: number): void {
    if (object.measured) {
      this.#sums.ack += this.#now - object.begun;
      this.#sums.acked += 1;
    }
    this.#step('send', primary, () => {
      for (const secondary of this.#random.others(SECONDARIES, primary, this.#setting.sps)) {
        this.#step('hold', secondary, () => {
          object.columns += 1;
          if (object.columns === SECONDARIES) this.#seals.push(object);
        });
      }
    });
  }

  #block(): void {
    const { blockSeconds, sealsPerBlock } = this.#setting.chain;
    this.#events.add(this.#now + blockSeconds, () => {
      for (const object of this.#seals.splice(0, sealsPerBlock)) {
        if (!object.measured) continue;
        this.#sums.seal += this.#now - object.begun;
        this.#sums.sealed += 1;
      }
      this.#block();
    });
  }

  /** A step uses its resources in order; each starts with a segment when the previous resource has finished it. */
  #step(step: Step, sp: number, done: () => void): void {
    const segments = segmentsOf(this.#setting);
    const pass = (index: number, before: number) => {
      const resource = PATHS[step][index];
      if (resource === undefined) {
        this.#events.add(Math.max(this.#now, before), done);
        return;
      }
      const whole = demand(this.#setting, step, resource);
      const begin = this.#occupy(sp, resource, whole);
      const ends = Math.max(begin + whole, before + whole / segments);
      this.#events.add(begin + whole / segments, () => pass(index + 1, ends));
    };
    pass(0, this.#now);
  }

  /** @returns the time at which the resource begins with this work, after all earlier work */
  #occupy(sp: number, resource: Resource, seconds: number): number {
    const key = `${sp}/${resource}`;
    const begin = Math.max(this.#now, this.#free.get(key) ?? 0);
    this.#free.set(key, begin + seconds);
    return begin;
  }
}
