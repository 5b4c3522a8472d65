import { startNatsServer } from './server.ts';

/** For tests, in a process of its own: starts a server and keeps running. */
const { pid, storeDir } = await startNatsServer();
process.send?.({ pid, storeDir });
