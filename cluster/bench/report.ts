import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { dirname } from 'node:path';
import { z } from 'zod';
import { Terminal } from '#protocols/errors';
import type { Figure } from './figures.ts';

/** The report that a bench writes as JSON. */
export interface BenchReport {
  readonly format: 1;
  /** Start of the bench, ISO 8601. */
  readonly at: string;
  readonly machine: {
    readonly cores: number;
    readonly cpu: string;
    readonly node: string;
    /** One-minute load average at the start, which shows whether anything else was running. */
    readonly load: number;
  };
  readonly quick: boolean;
  /** Sizes of all scenarios that were run, by `<scenario>.<size>`. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly figures: readonly Figure[];
  /** Scenarios that failed or were cut short, with the reason. */
  readonly missing: Readonly<Record<string, string>>;
}

export function machine(): BenchReport['machine'] {
  const processors = cpus();
  return {
    cores: processors.length,
    cpu: processors[0]?.model ?? 'unknown',
    node: process.version,
    load: loadavg()[0] ?? Number.NaN,
  };
}

/** Writes a report to a file; creates its folder if necessary. */
export async function writeReport(path: string, report: BenchReport): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(report, undefined, 2)}\n`);
}

const Earlier = z.object({
  format: z.literal(1),
  figures: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      unit: z.string(),
      better: z.enum(['more', 'less']),
      value: z.number(),
      floor: z.object({ ratio: z.number() }).optional(),
    }),
  ),
});

/** The parts of an earlier report that a comparison needs. */
export type EarlierReport = z.infer<typeof Earlier>;

/** @throws Terminal `bad-report` */
export async function readReport(path: string): Promise<EarlierReport> {
  try {
    return Earlier.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new Terminal({
      code: 'bad-report',
      message: `${path} is not a report of the bench.`,
      advice: 'Give a report that npm run bench has written.',
      cause,
    });
  }
}
