import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { Terminal } from '#protocols/errors';
import { type NodeConfig, nodeConfig } from './schema.ts';
import { type Fault, readYaml, type YamlText } from './yaml.ts';

/**
 * Reads and checks the configuration of a node; the defaults are filled in.
 * @throws Terminal `config-missing`, `bad-config`: with line and column of every fault, and what to write there
 */
export async function loadConfig(file: string): Promise<NodeConfig> {
  return parseConfig(await read(file), file);
}

/** Like `loadConfig`, for the text of a file. */
export function parseConfig(source: string, file: string): NodeConfig {
  const yaml = readYaml(source);
  if ('faults' in yaml) throw badConfig(file, yaml.faults);
  const { text } = yaml;
  // Code that is generated for a schema does not pay off for one use.
  const result = nodeConfig(dirname(resolve(file))).safeParse(text.data ?? {}, { jitless: true });
  if (result.success) return result.data;
  throw badConfig(
    file,
    result.error.issues.flatMap((issue) => faultsOf(issue, text)),
  );
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Terminal({
      code: 'config-missing',
      message: `Cannot read the configuration ${file}.`,
      advice: 'Give the path of a YAML file; cluster/deploy/sealion.example.yaml is an example.',
      cause,
    });
  }
}

function badConfig(file: string, faults: readonly Fault[]): Terminal {
  const lines = [...faults]
    .sort((a, b) => a.line - b.line || a.column - b.column)
    .map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
  return new Terminal({
    code: 'bad-config',
    message: lines.join('\n'),
    advice: 'Correct the configuration; cluster/deploy/sealion.example.yaml explains every setting.',
  });
}

function faultsOf(issue: z.core.$ZodIssue, text: YamlText): Fault[] {
  const where = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      ...text.placeOfKey(issue.path, key),
      message: `"${key}" is not known${where && ` in ${where}`}: expected one of ${issue.message}.`,
    }));
  }
  const value = issue.path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown>)?.[key],
    text.data,
  );
  return [
    {
      ...text.placeOf(issue.path),
      message: `${where || 'the configuration'} ${state(value, issue.path)}: expected ${issue.message}.`,
    },
  ];
}

/** Describes what is wrong with a value. A possible secret is not shown. */
function state(value: unknown, path: readonly PropertyKey[]): string {
  if (value === undefined) return 'is missing';
  if (
    typeof value === 'object' ||
    path.includes('password') ||
    path.includes('keys') ||
    path.includes('tokens')
  )
    return 'is not valid';
  if (typeof value === 'string' && /:[^/@]*@/.test(value)) return 'is not valid';
  return `is ${JSON.stringify(value)}`;
}
