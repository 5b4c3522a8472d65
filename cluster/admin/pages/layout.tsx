import type { Child } from 'hono/jsx';
import { Time } from './components/time.tsx';
import type { Viewer } from './view.ts';

const PAGES = [
  ['/', 'Overview'],
  ['/tree', 'Actors'],
  ['/peers', 'Peers'],
  ['/search', 'Search'],
  ['/audit', 'Audit'],
] as const;

export interface LayoutProps {
  readonly title: string;
  readonly viewer: Viewer;
  /** Of the page: its path is marked in the navigation, and a link refreshes it. */
  readonly address: URL;
  readonly isLive: boolean;
  /** Unix ms of the data. */
  readonly at: number;
  readonly children: Child;
}

/** What all pages have around them. */
export function Layout({ title, viewer, address, isLive, at, children }: LayoutProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{`${title} · SP ${viewer.spId}`}</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/style.css" />
        <script type="module" src="/assets/live.js" />
      </head>
      <body data-live={isLive ? 'yes' : undefined}>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        <header class="bar">
          <a class="name" href="/">{`Sealion · SP ${viewer.spId}`}</a>
          {viewer.role && <Navigation path={address.pathname} />}
          {viewer.role && <Find />}
          {viewer.role && <LiveState isLive={isLive} />}
        </header>
        <main id="main">{children}</main>
        <Foot viewer={viewer} at={at} address={`${address.pathname}${address.search}`} />
      </body>
    </html>
  );
}

function Navigation({ path }: { readonly path: string }) {
  return (
    <nav aria-label="Pages">
      {PAGES.map(([href, text]) => (
        <a href={href} aria-current={href === path ? 'page' : undefined}>
          {text}
        </a>
      ))}
    </nav>
  );
}

function Find() {
  return (
    <search>
      <form class="find" action="/search" method="get">
        <label class="hidden-label" for="find">
          Id, bucket or object
        </label>
        <input id="find" name="q" type="search" placeholder="Id, bucket or object" maxlength={200} />
        <button type="submit">Find</button>
      </form>
    </search>
  );
}

function LiveState({ isLive }: { readonly isLive: boolean }) {
  if (!isLive) return null;
  return (
    <span class="live-state" id="live-state" role="status">
      <span class="live-dot" aria-hidden="true" />
      <span class="live-text">not live</span>
    </span>
  );
}

function Foot({ viewer, at, address }: Pick<LayoutProps, 'viewer' | 'at'> & { readonly address: string }) {
  return (
    <footer>
      <p>
        Served by {viewer.node} <Time at={at} />. <a href={address}>Refresh</a>
      </p>
      {viewer.role && (
        <form action="/logout" method="post">
          Logged in{viewer.name !== undefined && ` as ${viewer.name}`} to{' '}
          {viewer.role === 'act' ? 'look and act' : 'look'}. <button type="submit">Log out</button>
        </form>
      )}
    </footer>
  );
}
