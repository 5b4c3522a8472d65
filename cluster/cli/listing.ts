import type { Visibility } from '#protocols/greenfield/types';

/** Reads a list of the chain page by page. @returns false where there is more than the limit */
export async function readUpTo<T>(
  pages: AsyncIterable<readonly T[]>,
  limit: number,
  use: (item: T) => void,
): Promise<boolean> {
  let read = 0;
  for await (const page of pages) {
    for (const item of page) {
      read += 1;
      if (read > limit) return false;
      use(item);
    }
  }
  return true;
}

/** `public-read`: as the command line writes it. */
export function visibilityText(of: Visibility): string {
  return of.toLowerCase().replace('_', '-');
}
