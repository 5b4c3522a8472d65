const waiting: (() => void)[] = [];

/**
 * Waits for a turn, before a step that keeps the event loop busy for a millisecond or more. There is one turn in each
 * round of the event loop, for the whole process, first come, first served: whatever else turns up waits for one step at
 * most, and those who do the same share the time equally.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(serve);
  });
}

function serve(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(serve);
}
