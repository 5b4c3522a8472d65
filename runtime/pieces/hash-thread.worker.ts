import { createHash, type Hash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type { ToThread } from './hash-thread.ts';

/** The other side of `HashThread`. */
const memory = new Uint8Array(workerData as SharedArrayBuffer);
const states = new Map<number, Hash>([[0, createHash('sha256')]]);

parentPort?.on('message', (message: ToThread) => {
  switch (message.type) {
    case 'update': {
      const { from, to, begin, end } = message;
      const state = states.get(from)?.copy().update(memory.subarray(begin, end));
      if (state) states.set(to, state);
      parentPort?.postMessage({ type: 'updated' });
      return;
    }
    case 'digest': {
      const hex = states.get(message.state)?.copy().digest('hex');
      parentPort?.postMessage({ type: 'digest', hex });
      return;
    }
    case 'forget':
      states.delete(message.state);
  }
});
