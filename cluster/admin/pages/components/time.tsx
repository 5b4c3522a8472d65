/**
 * A time that the script of the pages makes relative: `ago` "3 s ago", `since` "3 s", `until` "in 3 s". Without it, and
 * in the title, it is in UTC, so that a page stays true however long it is open.
 */
export function Time({ at, as = 'ago' }: { readonly at: number; readonly as?: 'ago' | 'since' | 'until' }) {
  return (
    <time datetime={isoTime(at)} data-as={as}>
      {utc(at)}
    </time>
  );
}

/** A point in time, to the millisecond. */
export function Moment({ at }: { readonly at: number }) {
  return <time datetime={isoTime(at)}>{`${isoTime(at).slice(0, 23).replace('T', ' ')} UTC`}</time>;
}

function utc(at: number): string {
  return `${isoTime(at).slice(0, 19).replace('T', ' ')} UTC`;
}

/** Times from outside may be any number. */
function isoTime(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? '1970-01-01T00:00:00.000Z' : date.toISOString();
}
