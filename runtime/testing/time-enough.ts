/**
 * Runs what must get somewhere before some time is up, where that time itself is not the subject: with ever more of it,
 * until it is enough for the machine.
 * @param attempt resolves to undefined when `ms` was too short
 * @param firstMs for the first attempt
 */
export async function withTimeEnough<T>(
  attempt: (ms: number) => Promise<T | undefined>,
  firstMs = 2_500,
): Promise<T> {
  for (const ms of [firstMs, 4 * firstMs, 40_000]) {
    const found = await attempt(ms);
    if (found !== undefined) return found;
  }
  throw new Error('the machine is too slow: 40 s were not enough');
}
