import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { ROOT } from './step.mjs';

/** `ARCHITECTURE.md#the-flow`, `protocols/job/README.md#states`; in a Markdown link the path is relative. */
const CITATION = /(?<path>(?:[\w.-]+\/)*[\w-]+\.md)?#(?<anchor>[a-z0-9][a-z0-9-]*)/g;
const CITING = /\.(tsx?|mjs|cjs|md|yaml|conf)$/;

/**
 * Finds citations of headings that do not exist, as `file:line: citation`, in the files that git knows below a folder.
 * The text before `#` must be the path of a Markdown file, relative to the project's folder or the citing file's.
 */
export function brokenCitations(root = ROOT) {
  const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).split('\n');
  return files
    .filter((file) => CITING.test(file) && existsSync(join(root, file)))
    .flatMap((file) => {
      const lines = readFileSync(join(root, file), 'utf8').split('\n');
      return lines.flatMap((line, i) =>
        [...line.matchAll(CITATION)]
          .filter(({ groups }) => groups.path && !leads(root, file, groups))
          .map(([citation]) => `${file}:${i + 1}: ${citation}`),
      );
    });
}

function leads(root, file, { path, anchor }) {
  const candidates = [path, normalize(join(dirname(file), path))];
  return candidates.some((candidate) => headings(join(root, candidate)).has(anchor));
}

const known = new Map();

/** The anchors that Markdown renderers make of the headings of a file; empty if there is no such file. */
function headings(path) {
  if (!known.has(path)) {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const titles = [...text.matchAll(/^#+ +(.+)$/gm)].map(([, title]) => title);
    known.set(path, new Set(titles.map(anchorOf)));
  }
  return known.get(path);
}

function anchorOf(title) {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, '')
    .trim()
    .replace(/ /g, '-');
}
