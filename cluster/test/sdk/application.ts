import { execFile } from 'node:child_process';

/** What the application has told of one of its scenarios. */
interface Line {
  readonly scenario: string;
  /** What it saw, by names of its own. */
  readonly report?: unknown;
  /** Where it ended with an error: its stack. */
  readonly error?: string;
}

export interface ApplicationRun {
  /** Exit code; null where it was killed. */
  readonly code: number | null;
  readonly lines: readonly Line[];
  /** What it complained of. */
  readonly errors: string;
}

/** The scripts are plain JavaScript and stay among the sources. */
const SOURCES = new URL('../../../../cluster/test/sdk/', import.meta.url);

/** ms; on a machine that does nothing else it takes a tenth. */
const LIMIT_MS = 100_000;

/**
 * Runs the application that is built on the SDK, in a process that has nothing of ours but a devnet.json.
 * @param scenarios all without any
 */
export function runApplication(devnetFile: string, ...scenarios: readonly string[]): Promise<ApplicationRun> {
  const file = (name: string) => new URL(name, SOURCES);
  const args = [
    '--import',
    file('environment.mjs').href,
    file('client.cjs').pathname,
    devnetFile,
    ...scenarios,
  ];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { timeout: LIMIT_MS }, (_, output, errors) => {
      const lines = output.split('\n').filter(Boolean);
      resolve({ code: child.exitCode, lines: lines.map((line) => JSON.parse(line) as Line), errors });
    });
  });
}
