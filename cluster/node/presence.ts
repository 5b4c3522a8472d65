import type { Home } from '#runtime/home/open-home';
import type { Presence } from '#runtime/home/presence';
import { retryUntilUp } from './retry-until-up.ts';
import type { StartContext } from './start-context.ts';

/** Tells the other nodes of the SP that this one takes part in something, and counts those that do. @param what a token */
export function openPresence(
  { name, lifecycle, log, signal }: StartContext,
  home: Home,
  what: string,
): Promise<Presence> {
  return lifecycle.open(
    `presence: ${what}`,
    () => retryUntilUp('the other nodes', () => home.presence(what, name), { log, signal }),
    (it) => it.leave(),
  );
}
