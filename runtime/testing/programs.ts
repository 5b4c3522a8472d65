import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext, TestFn } from 'ava';
import { findPostgres } from '../records/postgres-server.ts';

/** Not in the PATH of users other than root on Debian, but where its servers are; and what the set-up has unpacked. */
const FURTHER_FOLDERS = [
  '/usr/sbin',
  '/usr/local/sbin',
  fileURLToPath(new URL('../../../.cache/programs', import.meta.url)),
];

/** The path of an installed program; undefined where it is not installed. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...FURTHER_FOLDERS];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/**
 * Tests that need a program of the machine: where it is not installed they are skipped, with the reason in the title.
 * @returns what declares such a test, as `test` does; its body also gets the program's path
 */
export function withProgram(
  test: TestFn,
  name: string,
): (title: string, run: (t: ExecutionContext, path: string) => unknown) => void {
  const path = findProgram(name);
  return (title, run) => {
    if (path === undefined) test.skip(`${title} (${name} is not installed)`, (t) => t.pass());
    else test(title, async (t) => void (await run(t, path)));
  };
}

/**
 * As `withProgram`, for tests that need PostgreSQL, whose programs are not in the PATH everywhere.
 * Await it before the first test or hook is declared.
 * @param declare `test`, or `test.serial`
 */
export async function withPostgres(
  declare: TestFn | TestFn['serial'],
): Promise<(title: string, run: (t: ExecutionContext) => unknown) => void> {
  const isInstalled = (await findPostgres()) !== undefined;
  return (title, run) => {
    if (isInstalled) declare(title, async (t) => void (await run(t)));
    else declare.skip(`${title} (PostgreSQL is not installed)`, (t) => t.pass());
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
