import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './step.mjs';

/** The one reference of error codes: each a row `| `code` | cause | what to do |`. */
export const REFERENCE = 'protocols/ERRORS.md';
const OF_TESTS = /\.(test|contract|child|fixture)\.ts$|(^|\/)testing\/|\/testing\.ts$|^cluster\/test\//;
const CODE = /^[a-z][a-z0-9-]*$/;
/** A code in the source: literal, template or constant; a template's `${a.b}` is read as `<b>`. */
const VALUE = "'[a-z][a-z0-9-]*'|`[^`]*`|[A-Z][A-Z_]+";

/**
 * Codes in the source without a row in the reference (`file: code`), and rows of the reference for unused codes. A code
 * is the value of a property `code`, or the argument for a parameter named `code` of a function in the same file or an
 * imported one.
 */
export function unexplainedCodes(root = ROOT) {
  const sources = execFileSync('git', ['ls-files', '*.ts', '*.tsx'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((file) => file && !OF_TESTS.test(file) && existsSync(join(root, file)))
    .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
  const constants = new Map(
    sources.flatMap(({ text }) =>
      [...text.matchAll(/\bconst ([A-Z][A-Z_]+) = ('[a-z][a-z0-9-]*')/g)].map(([, name, value]) => [
        name,
        value,
      ]),
    ),
  );
  const exported = sources.flatMap(({ text }) =>
    [...text.matchAll(TAKES_CODE)].filter(([, exports]) => exports),
  );
  const used = new Map();
  for (const { file, text } of sources) {
    for (const value of [...ofProperties(text), ...ofArguments(text, exported)]) {
      const code = spelled(constants.get(value) ?? value);
      if (code !== undefined && !used.has(code)) used.set(code, file);
    }
  }
  const rows = rowsOf(readFileSync(join(root, REFERENCE), 'utf8'));
  return [
    ...[...used]
      .filter(([code]) => !rows.includes(code))
      .map(([code, file]) => `${file}: ${code} is not explained`),
    ...rows.filter((code) => !used.has(code)).map((code) => `${REFERENCE}: ${code} is not used`),
    ...rows
      .filter((code, i) => rows.indexOf(code) < i)
      .map((code) => `${REFERENCE}: ${code} is explained twice`),
  ];
}

function rowsOf(reference) {
  return [...reference.matchAll(/^\| `([^`]+)` \|/gm)].map(([, code]) => code);
}

/** `code: 'a'`, `code: x ? 'a' : 'b'`, `code: x ?? 'a'`, `readonly code: 'a' | 'b'`. */
function ofProperties(text) {
  return [...text.matchAll(/\bcode: ?((?:\$\{[^}]*\}|[^,;{}\n])*)/g)].flatMap(([, expression]) =>
    values(expression),
  );
}

/** A function with a parameter `code`: its name, the parameters before that one, and its default. */
const TAKES_CODE =
  /(export )?(?:async )?(?:function )?(#?\w+)\(([^()]*)\bcode: (?:string|\w+\['code'\])(?: = ('[^']+'))?/g;

/** Values passed for `code` to functions of the same file and to imported ones, and the default of the parameter. */
function ofArguments(text, exported) {
  const imported = exported.filter(([, , name]) => new RegExp(`^import [^;]*\\b${name}\\b`, 'm').test(text));
  return [...text.matchAll(TAKES_CODE), ...imported].flatMap(([, , name, before, standard]) => {
    const skipped = `(?:[^,()]*,\\s*){${before.split(',').length - 1}}`;
    const calls = text.matchAll(new RegExp(`(?<![\\w#])${name}\\(\\s*${skipped}(${VALUE})`, 'g'));
    return [...(standard ? [standard] : []), ...[...calls].map(([, value]) => value)];
  });
}

function values(expression) {
  return [...expression.replace(/\['code'\]/g, '').matchAll(new RegExp(VALUE, 'g'))].map(([value]) => value);
}

function spelled(value) {
  if (!/^['`]/.test(value)) return undefined;
  const code = value.slice(1, -1).replace(/\$\{(?:\w+\.)*(\w+)\}/g, '<$1>');
  return CODE.test(code.replace(/[<>]/g, '')) ? code : undefined;
}
