import type { Child } from 'hono/jsx';
import { type SealionError, toSealionError } from '#protocols/errors';
import { Badge } from './badge.tsx';

/** Data of a page, or why they could not be read: what else there is must be shown all the same. */
export type Attempt<V> =
  | { readonly ok: true; readonly value: V }
  | { readonly ok: false; readonly error: SealionError };

export async function attempt<V>(work: Promise<V>): Promise<Attempt<V>> {
  try {
    return { ok: true, value: await work };
  } catch (error) {
    return { ok: false, error: toSealionError(error) };
  }
}

/** What could not be read, in the place where it would be. */
export function Unavailable({ error }: { readonly error: SealionError }) {
  return (
    <p>
      <Badge tone="bad" text={error.code} /> {error.message} {error.advice ?? ''}
    </p>
  );
}

export function attempted<V>(data: Attempt<V>, show: (value: V) => Child): Child {
  return data.ok ? show(data.value) : <Unavailable error={data.error} />;
}
