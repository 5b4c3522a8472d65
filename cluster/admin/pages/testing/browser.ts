import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** What a page is looked at with. */
export interface Looks {
  readonly width?: number;
  readonly scheme?: 'light' | 'dark';
  /** True by default. */
  readonly script?: boolean;
}

export interface Fault {
  readonly id: string;
  readonly impact: string;
  readonly help: string;
  readonly at: readonly string[];
}

const HEIGHT = 800;
/** Rules of WCAG 2.2, levels A and AA, and what axe holds to be good practice. */
const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Chromium, with the pages of one admin server. */
export class PageBrowser {
  readonly #browser: Browser;
  readonly #origin: string;
  /** What pages complained of: errors of the script, and what the content security policy has kept out. */
  readonly complaints: string[] = [];

  private constructor(browser: Browser, origin: string) {
    this.#browser = browser;
    this.#origin = origin;
  }

  static async launch(executablePath: string, origin: string): Promise<PageBrowser> {
    return new PageBrowser(await chromium.launch({ executablePath }), origin);
  }

  close(): Promise<void> {
    return this.#browser.close();
  }

  /** A browser that has never been here. */
  async open({ width = 1440, scheme = 'light', script = true }: Looks = {}): Promise<Page> {
    const context: BrowserContext = await this.#browser.newContext({
      baseURL: this.#origin,
      viewport: { width, height: HEIGHT },
      colorScheme: scheme,
      javaScriptEnabled: script,
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (line) => {
      if (line.type() === 'error' && !line.text().startsWith('Failed to load resource')) {
        this.complaints.push(line.text());
      }
    });
    return page;
  }

  /** As `open`, and logs in. */
  async logIn(token: string, looks: Looks = {}, next = '/'): Promise<Page> {
    const page = await this.open(looks);
    await page.goto(`/login?next=${encodeURIComponent(next)}`);
    await page.getByLabel('Token').fill(token);
    await page.getByLabel('Your name').fill('ann');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.waitForURL((url) => url.pathname !== '/login');
    return page;
  }
}

/** Waits until the page is kept up to date. */
export async function untilLive(page: Page): Promise<void> {
  await page.locator('#live-state[data-state="live"]').waitFor();
}

/** How many pixels of a page lie beyond the right edge. */
export async function beyondTheEdge(page: Page): Promise<number> {
  return (await page.evaluate('document.documentElement.scrollWidth - innerWidth')) as number;
}

/** What axe-core finds that keeps people from using the page. */
export async function seriousFaults(page: Page): Promise<readonly Fault[]> {
  await page.evaluate(AXE);
  const faults = (await page.evaluate(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(
      ({ id, impact, help, nodes }) => ({ id, impact, help, at: nodes.map(({ target }) => target.join(' ')) })))`,
  )) as readonly Fault[];
  return faults.filter(({ impact }) => impact === 'serious' || impact === 'critical');
}
