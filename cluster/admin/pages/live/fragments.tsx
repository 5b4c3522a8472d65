import { raw } from 'hono/html';
import type { Child } from 'hono/jsx';

type Html = ReturnType<typeof raw>;

/**
 * Parts of a page that change while it is open. A page is rendered completely each time; what has been registered here
 * is compared with the time before (`changesBetween`), so that only what differs is sent.
 */
export class Fragments {
  /** Contents of elements by their id. */
  readonly parts = new Map<string, string>();
  /** Rows of lists: by the list's id, then in order by each row's own id. */
  readonly lists = new Map<string, ReadonlyMap<string, string>>();

  /** The content of the element of this id. */
  part(id: string, content: Child): Html {
    const html = text(content);
    this.parts.set(id, html);
    return raw(html);
  }

  /** The rows of the element of this id; the outermost element of each has its key as id. */
  list(id: string, rows: Iterable<readonly [key: string, row: Child]>): Html {
    const all = new Map([...rows].map(([key, row]) => [key, text(row)]));
    this.lists.set(id, all);
    return raw([...all.values()].join(''));
  }
}

/** All components of the pages are synchronous. */
function text(content: Child): string {
  return String(<>{content}</>);
}
