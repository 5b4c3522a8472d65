import type { Visibility } from '#protocols/greenfield/types';

/** Fixed values of arguments, apart from the commands that use them: those are loaded only when they run. */

/** The file that `npm run devnet` writes. */
export const DEVNET_FILE = '.devnet/devnet.json';
/** Stands for standard input or output. */
export const STANDARD_STREAM = '-';
/** Bucket for files that are given without an object name. */
export const DEFAULT_BUCKET = 'sealion';

/** Values of `--visibility`. */
export const VISIBILITIES = {
  'public-read': 'PUBLIC_READ',
  private: 'PRIVATE',
  inherit: 'INHERIT',
} as const satisfies Readonly<Record<string, Visibility>>;
