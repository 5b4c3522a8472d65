import { openLevelJournal } from './level-journal.ts';

/** A process of its own for the tests: appends to eight jobs at a time until it is killed, and tells what was acknowledged. */
const journal = await openLevelJournal({ directory: process.argv[2] ?? '' });

async function write(objectId: string): Promise<void> {
  for (let n = 1; ; n++) {
    await journal.append({ objectId, version: 0 }, n, {
      type: 'UploadStarted',
      at: n,
      attempt: n,
      deadlineAt: 1,
    });
    process.send?.({ objectId, n });
  }
}

await Promise.all(['1', '2', '3', '4', '5', '6', '7', '8'].map(write));
