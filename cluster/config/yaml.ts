import { isMap, isNode, isPair, isScalar, LineCounter, type Node, parseDocument } from 'yaml';

/** A place in a file, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Fault extends Place {
  readonly message: string;
}

/** The data of a YAML text, with the locations of its parts. */
export interface YamlText {
  /** A key with nothing after it counts as absent. */
  readonly data: unknown;
  /** Location of the value at a path, or of the nearest existing parent. */
  placeOf(path: readonly PropertyKey[]): Place;
  /** Location of the key itself. */
  placeOfKey(path: readonly PropertyKey[], key: string): Place;
}

/** Reads YAML 1.2. Numbers are decimal only: `0x…` without quotes stays an address. */
export function readYaml(
  source: string,
): { readonly text: YamlText } | { readonly faults: readonly Fault[] } {
  const lines = new LineCounter();
  const document = parseDocument(source, {
    lineCounter: lines,
    prettyErrors: false,
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !NOT_DECIMAL.has(tag.format ?? '')),
  });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    return { faults: faults.map(({ pos, message }) => ({ ...placeAt(pos[0]), message })) };
  }
  const startOf = (node: unknown): Place => placeAt((isNode(node) && node.range?.[0]) || 0);
  const nodeAt = (path: readonly PropertyKey[]): Node | null | undefined =>
    path.length === 0 ? document.contents : (document.getIn(path, true) as Node | undefined);
  const placeOf = (path: readonly PropertyKey[]): Place => {
    const node = nodeAt(path);
    return isNode(node) || path.length === 0 ? startOf(node) : placeOf(path.slice(0, -1));
  };
  return {
    text: {
      data: withoutNulls(document.toJS()),
      placeOf,
      placeOfKey(path, key) {
        const map = nodeAt(path);
        const pair = isMap(map)
          ? map.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
          : undefined;
        return pair ? startOf(pair.key) : placeOf(path);
      },
    },
  };
}

const NOT_DECIMAL = new Set(['HEX', 'OCT']);

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, withoutNulls(inner)]),
  );
}
