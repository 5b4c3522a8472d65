const STEPS = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
] as const;

/** Formats a number of bytes: `16.0 MiB`, `1 byte`. */
export function size(bytes: number): string {
  for (const [name, factor] of STEPS) {
    if (bytes >= factor) return `${(bytes / factor).toFixed(1)} ${name}`;
  }
  return count(bytes, 'byte');
}

/** Formats a number of bytes that matters exactly: `16.0 MiB (16777217 bytes)`. */
export function exactSize(bytes: number): string {
  return bytes < 2 ** 10 ? size(bytes) : `${size(bytes)} (${count(bytes, 'byte')})`;
}

/** `1 segment`, `3 segments`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Formats a duration: `840 ms`, `12.3 s`, `4 min`, `2.5 h`. */
export function duration(ms: number): string {
  const span = Math.max(0, ms);
  if (span < 1_000) return `${Math.round(span)} ms`;
  if (span < 120_000) return `${(span / 1_000).toFixed(1)} s`;
  if (span < 7_200_000) return `${Math.round(span / 60_000)} min`;
  return `${(span / 3_600_000).toFixed(1)} h`;
}

/** Formats a time in UTC: `2026-11-27 02:34Z`. @param seconds unix time */
export function timestamp(seconds: number): string {
  return `${new Date(seconds * 1_000).toISOString().slice(0, 16).replace('T', ' ')}Z`;
}

/** Formats a rate, in millions of bytes as is usual for networks and disks: `112 MB/s`. */
export function rate(bytes: number, ms: number): string {
  return `${(bytes / 1_000 / Math.max(1, ms)).toFixed(1)} MB/s`;
}
