import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Fragments } from './live/fragments.tsx';

/** What one address shows, with its data as they are now. */
export interface View {
  readonly title: string;
  /** Renders it; what changes while the page is open is registered. */
  readonly body: (live: Fragments) => JSX.Element;
  /** Whether the page is kept up to date while it is open. */
  readonly isLive: boolean;
  /** HTTP status; 200 by default. */
  readonly status?: 200 | 404;
}

/** What a page knows of who looks at it, and where. */
export interface Viewer {
  /** Absent before the login. */
  readonly role?: 'view' | 'act';
  readonly name?: string;
  /** The node that serves the page, for example `sp-1@node-a`. */
  readonly node: string;
  readonly spId: number;
}
