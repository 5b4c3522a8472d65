import type { z } from 'zod';
import { nodeConfig } from './schema.ts';

/** One setting, as the reference shows it. */
interface Setting {
  /** For example `gateway.listen.port`. */
  readonly path: string;
  /** What the schema expects. */
  readonly value: string;
  readonly standard: string;
  /** What the example says about it. */
  readonly meaning: string;
}

type Schema = z.core.$ZodType;
type Definition = {
  readonly type: string;
  readonly innerType?: Schema;
  readonly shape?: Record<string, Schema>;
  readonly defaultValue?: unknown;
};

const HEAD = `# Configuration reference
Every setting of a node: what may be written, the default, and what it means. Made by \`npm run reference\` from
\`cluster/config/schema.ts\` (values and defaults) and the comments of [sealion.example.yaml](sealion.example.yaml)
(meanings): change those, not this file. Sizes are bytes or have a unit (KiB, MiB, GiB, TiB), relative paths refer to the
folder of the configuration, and unknown settings are rejected.
`;

/** The reference of all settings, as Markdown. @param example the text of sealion.example.yaml */
export function configurationReference(example: string): string {
  const settings = settingsOf(nodeConfig('/'), [], meaningsOf(example));
  const sections = new Map<string, Setting[]>();
  for (const setting of settings) {
    const section = setting.path.split('.')[0] ?? '';
    sections.set(section, [...(sections.get(section) ?? []), setting]);
  }
  return `${HEAD}${Array.from(sections, ([name, all]) => table(name, all)).join('')}`;
}

/** The paths of all settings. */
export function settingPaths(): readonly string[] {
  return settingsOf(nodeConfig('/'), [], new Map()).map(({ path }) => path);
}

function table(name: string, settings: readonly Setting[]): string {
  const rows = settings.map(
    ({ path, value, standard, meaning }) =>
      `| \`${path}\` | ${cell(value)} | ${cell(standard)} | ${cell(meaning)} |`,
  );
  return `\n## ${name}\n| setting | value | default | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function settingsOf(
  schema: Schema,
  path: readonly string[],
  meanings: ReadonlyMap<string, string>,
  required = REQUIRED,
): readonly Setting[] {
  const { inner, standard = required } = unwrap(schema);
  const { shape } = definition(inner);
  const name = path.join('.');
  if (!shape) {
    return [{ path: name, value: expected(inner), standard, meaning: meaningOf(path, meanings) }];
  }
  const within = standard === NONE ? `must be given with \`${name}\`` : required;
  return Object.entries(shape).flatMap(([key, value]) => settingsOf(value, [...path, key], meanings, within));
}

const REQUIRED = 'must be given';
const NONE = 'none';

/** The schema without what makes it optional, and its default in words; undefined when it has none. */
function unwrap(schema: Schema): { readonly inner: Schema; readonly standard?: string } {
  let inner = schema;
  let standard: string | undefined;
  for (let { type, innerType, defaultValue } = definition(inner); innerType; ) {
    if (type === 'default') standard = `\`${shown(defaultValue)}\``;
    if (type === 'optional') standard = NONE;
    inner = innerType;
    ({ type, innerType, defaultValue } = definition(inner));
  }
  return { inner, ...(standard !== undefined && { standard }) };
}

const UNITS = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
] as const;

function shown(value: unknown): string {
  if (typeof value === 'number' && value >= 1_024) {
    const unit = UNITS.find(([, size]) => value % size === 0);
    if (unit && value >= 4_096) return `${value / unit[1]} ${unit[0]}`;
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What the error for a wrong value says is expected. */
function expected(schema: Schema): string {
  const result = (schema as z.ZodType).safeParse(Symbol('nothing'));
  return result.success ? '' : (result.error.issues[0]?.message ?? '');
}

function definition(schema: Schema): Definition {
  return schema._zod.def as Definition;
}

/** The meaning of a setting, or of the nearest group above it whose own comment speaks of all in it. */
function meaningOf(path: readonly string[], meanings: ReadonlyMap<string, string>): string {
  for (let length = path.length; length > 0; length -= 1) {
    const meaning = meanings.get(path.slice(0, length).join('.'));
    if (meaning) return meaning;
  }
  return '';
}

/** A key, commented out or not; a sentence that happens to contain a colon has a space before it. */
const KEY = /^( *)(?:# )?([A-Za-z]+):(?: |$)/;

/** The comments of the example, by the setting that they stand above. Keys in a row share the comment above the first. */
function meaningsOf(example: string): ReadonlyMap<string, string> {
  const known = new Set(groupsAndSettings(nodeConfig('/'), []));
  const meanings = new Map<string, string>();
  let above: readonly { readonly key: string; readonly indent: number }[] = [];
  let comment: string[] = [];
  let last = '';
  for (const line of example.split('\n')) {
    const [, spaces = '', key = ''] = KEY.exec(line) ?? [];
    const indent = spaces.length;
    const parents = above.filter((parent) => parent.indent < indent);
    const path = [...parents.map((parent) => parent.key), key].join('.');
    if (key && known.has(path)) {
      const own = comment.join(' ');
      const meaning =
        own || (path.split('.').length === last.split('.').length ? meanings.get(last) : undefined);
      if (meaning) meanings.set(path, meaning);
      above = [...parents, { key, indent }];
      comment = [];
      last = path;
    } else if (/^ *# /.test(line)) comment.push(line.replace(/^ *# /, ''));
    else if (line.trim() === '') comment = [];
  }
  return meanings;
}

function groupsAndSettings(schema: Schema, path: readonly string[]): readonly string[] {
  const { shape } = definition(unwrap(schema).inner);
  const own = path.length > 0 ? [path.join('.')] : [];
  if (!shape) return own;
  return [
    ...own,
    ...Object.entries(shape).flatMap(([key, value]) => groupsAndSettings(value, [...path, key])),
  ];
}
