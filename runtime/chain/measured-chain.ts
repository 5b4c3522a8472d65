import type { Metrics } from '../telemetry/metrics.ts';
import type { Chain } from './chain.ts';

/** A chain whose queries and broadcasts are timed, by the name of the method; the time of a failed one counts too. */
export function measuredChain<C extends Chain>(chain: C, { chainSeconds }: Pick<Metrics, 'chainSeconds'>): C {
  const measured = new Map<PropertyKey, unknown>();
  return new Proxy(chain, {
    get(target, name) {
      const known = measured.get(name);
      if (known) return known;
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function' || typeof name !== 'string' || name === 'close') {
        return typeof value === 'function' ? value.bind(target) : value;
      }
      const seconds = chainSeconds.of(name);
      const timed = (...values: unknown[]) => {
        const begin = performance.now();
        const answer: unknown = value.apply(target, values);
        if (answer instanceof Promise)
          answer.then(
            () => seconds.since(begin),
            () => seconds.since(begin),
          );
        return answer;
      };
      measured.set(name, timed);
      return timed;
    },
  });
}
