import { startNatsServer } from './server.ts';

/** A process of its own for the tests: starts a server and stays. */
const { pid, storeDir } = await startNatsServer();
process.send?.({ pid, storeDir });
