import type { ExecutionContext } from 'ava';
import type { Failure } from '#protocols/job/context';
import { type Broadcaster, TestChain } from './chain.ts';
import { newGround, type Payload, Primary, type PrimaryOptions } from './primary.ts';
import { group } from './providers.ts';
import type { Stage } from './stage.ts';

const A = [2, 3, 4, 5, 6, 7];
const B = [3, 4, 5, 6, 7, 8];

/** An object on its way to its seal. */
export interface Sealing {
  readonly primary: Primary;
  readonly chain: TestChain;
  readonly payload: Payload;
}

/** A chain with two groups, of which the second has less room. */
export function twoGroups(): TestChain {
  const chain = new TestChain([group(1, A), group(2, B)]);
  chain.free.set(2, 1e6);
  return chain;
}

/** Uploads an object to a primary whose chain answers the first broadcasts so. */
export async function upload(
  t: ExecutionContext,
  stage: Stage,
  answers: readonly Broadcaster[],
  options: PrimaryOptions = {},
): Promise<Sealing> {
  const chain = twoGroups();
  chain.answers.push(...answers);
  const primary = await Primary.start(t, await newGround(t, await stage.connection(t)), {
    chain,
    ...options,
  });
  const payload = await primary.newObject();
  await primary.upload(payload);
  return { primary, chain, payload };
}

/** Uploads an object whose job begins only after `prepare`. */
export async function uploadThen(
  t: ExecutionContext,
  stage: Stage,
  prepare: (chain: TestChain) => void,
  timing: PrimaryOptions['timing'] = {},
): Promise<Sealing> {
  const found = await upload(t, stage, [], { pulls: false, timing });
  prepare(found.chain);
  found.primary.pullJobs(1);
  return found;
}

/**
 * The failures of an object's seals, without those of moments in which no node had the signer's role, as happens on a
 * machine that stalls.
 */
export async function sealFailures(primary: Primary, payload: Payload): Promise<Failure[]> {
  const failures = (await primary.events(payload)).flatMap((event) =>
    event.type === 'SealFailed' ? [event.failure] : [],
  );
  return failures.filter(({ code }) => code !== 'nobody-answers');
}

export const hashesOf = (chain: TestChain) => chain.broadcasts.map(({ hash }) => hash);
