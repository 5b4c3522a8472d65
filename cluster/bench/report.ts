import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { dirname } from 'node:path';
import { z } from 'zod';
import { Terminal } from '#protocols/errors';
import type { Figure } from './figures.ts';

/** What a bench writes as JSON. */
export interface BenchReport {
  readonly format: 1;
  /** ISO time of its begin. */
  readonly at: string;
  readonly machine: {
    readonly cores: number;
    readonly cpu: string;
    readonly node: string;
    /** One-minute load average at the begin: what else was running. */
    readonly load: number;
  };
  readonly quick: boolean;
  /** `<scenario>.<size>` of all scenarios that were run. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly figures: readonly Figure[];
  /** Scenarios that were not measured to the end, and why. */
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

/** Writes a report into a file, whose folder is made where it is missing. */
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

/** A report as it is read again to compare with. */
export type EarlierReport = z.infer<typeof Earlier>;

/** @throws Terminal `bad-report` */
export async function readReport(path: string): Promise<EarlierReport> {
  try {
    return Earlier.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new Terminal({
      code: 'bad-report',
      message: `${path} is not a report of the bench.`,
      advice: 'Give a file that npm run bench has written.',
      cause,
    });
  }
}
