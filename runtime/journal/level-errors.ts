import { Cancelled, Retryable, SealionError, Terminal } from '#protocols/errors';

/** Of an operation after `close`. A failed open has the first one too, with a cause. */
const CLOSED = ['LEVEL_DATABASE_NOT_OPEN', 'LEVEL_ITERATOR_NOT_OPEN'];

/** Converts an error of LevelDB to our taxonomy. */
export function levelError(thrown: unknown, directory: string): SealionError {
  if (thrown instanceof SealionError) return thrown;
  const codes = codesOf(thrown);
  if (codes.includes('LEVEL_LOCKED')) {
    return new Retryable({
      code: 'journal-locked',
      message: `The journal in ${directory} is open in another process.`,
      advice: 'Only one node may use it: stop the other one, or give this one a directory of its own.',
      cause: thrown,
    });
  }
  if (codes.includes('LEVEL_CORRUPTION')) {
    return new Terminal({
      code: 'journal-corrupt',
      message: `The journal in ${directory} is damaged.`,
      advice: 'Restore the directory from a backup, and check the disk.',
      cause: thrown,
    });
  }
  if (codes.length === 1 && CLOSED.includes(codes[0] ?? '')) {
    return new Cancelled({ code: 'journal-closed', message: 'The journal is closed.', cause: thrown });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new Retryable({
    code: 'journal-unavailable',
    message: `The journal in ${directory} failed: ${message}`,
    advice: 'Check that the disk has space and that the directory may be written.',
    cause: thrown,
  });
}

/** The library wraps the cause of a failed open. */
function codesOf(thrown: unknown): string[] {
  if (!(thrown instanceof Error)) return [];
  return ['code' in thrown ? String(thrown.code) : '', ...codesOf(thrown.cause)];
}
