/** Something that has a limit, for the alert that it is reached. */
export interface Bound {
  /** Plural, with `_` for spaces, for example `uploads`. */
  readonly what: string;
  readonly unit: 'bytes' | 'items';
  limit(): number;
  used(): number;
}

/** Something that is kept while there is room for it, so that its limit may be reached all the time. */
export interface Kept {
  /** For example `chain_objects`. */
  readonly cache: string;
  readonly unit: 'bytes' | 'items';
  readonly limit: number;
  size(): number;
}

/** Shows the sizes of what is bounded. Whoever owns such a thing names it here once, when it is made. */
export interface Sizes {
  watchBound(bound: Bound): void;
  watchCache(kept: Kept): void;
}

/** Where nobody looks. */
export const noSizes: Sizes = { watchBound: () => undefined, watchCache: () => undefined };

/** A cache of items, of whichever class. */
export function watchItems(
  sizes: Sizes,
  cache: string,
  of: { readonly size: number; readonly max: number },
): void {
  sizes.watchCache({ cache, unit: 'items', limit: of.max, size: () => of.size });
}
