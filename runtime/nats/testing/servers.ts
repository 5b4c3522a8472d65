import test from 'ava';
import { findCurrentNatsServer, findNatsServer } from '../binary.ts';

export interface TestedServer {
  /** For titles of tests. */
  readonly name: 'nats-server' | 'current nats-server';
  readonly binary: string;
}

/**
 * The nats-servers that a test is to run on: the one of this machine, and the current one. Where there is no current
 * one, a skipped test says so.
 */
export async function testedServers(): Promise<readonly TestedServer[]> {
  const servers: TestedServer[] = [{ name: 'nats-server', binary: await findNatsServer() }];
  const current = await findCurrentNatsServer();
  if (current) servers.push({ name: 'current nats-server', binary: current });
  else test.skip('the same on a current nats-server, which the set-up could not get here', () => undefined);
  return servers;
}
