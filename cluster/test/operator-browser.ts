import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';
import { formatJobId } from '#protocols/job/identity';
import type { TreeNode } from '#runtime/actors/types';
import { PageBrowser, untilLive } from '../admin/pages/testing/browser.ts';
import type { JobView } from '../admin/view/job-view.ts';
import type { Trees } from '../admin/view/trees.ts';
import type { Network } from './network.ts';
import type { WaitingObject } from './offers.ts';

const PATIENCE_MS = 120_000;

/** What came of a button: `done`, or the code of the error. */
export interface Pressed {
  readonly isDone: boolean;
  readonly text: string;
}

/** An operator with a browser, who looks at the pages of any node of any provider of a devnet. */
export class OperatorBrowser {
  readonly #network: Network;
  readonly #browser: PageBrowser;
  readonly page: Page;

  private constructor(network: Network, browser: PageBrowser, page: Page) {
    this.#network = network;
    this.#browser = browser;
    this.page = page;
  }

  /** Logs in once: the nodes of a devnet have the same tokens, and cookies are not apart by port. */
  static async launch(network: Network, chromium: string): Promise<OperatorBrowser> {
    const { sps, adminTokens } = network.devnet.file;
    const browser = await PageBrowser.launch(chromium, sps[0]?.admin ?? '');
    const page = await browser.logIn((await readFile(adminTokens?.act ?? '', 'utf8')).trim());
    page.setDefaultTimeout(PATIENCE_MS);
    return new OperatorBrowser(network, browser, page);
  }

  /** Errors of the script, and what the content security policy has kept out. */
  get complaints(): readonly string[] {
    return this.#browser.complaints;
  }

  close(): Promise<void> {
    return this.#browser.close();
  }

  /** Opens a page that is kept up to date. @param node of SP 1; the first by default */
  async see(address: string, node = 'a'): Promise<void> {
    await this.page.goto(`${this.#adminOf(node)}${address}`);
    await untilLive(this.page);
  }

  row(node: string): Locator {
    return this.page.locator(`tr[id="node-${node}"]`);
  }

  /** Presses a button in a part of the page, and confirms it in the dialog. */
  async press(part: string, button: string): Promise<Pressed> {
    await this.page.locator(part).getByRole('link', { name: button, exact: true }).click();
    await this.page.getByRole('dialog').getByRole('button', { name: button }).click();
    const answer = this.page.locator('main .answer');
    await this.page.getByRole('heading', { name: / done$|could not be done$/ }).waitFor();
    const isDone = (await this.page.getByRole('heading', { name: `${button}: done` }).count()) > 0;
    return { isDone, text: await answer.innerText() };
  }

  /** What a node of SP 1 knows of an object, by its API. */
  async job({ job }: WaitingObject, node = 'a'): Promise<JobView> {
    const api = await this.#network.admin(this.#adminOf(node));
    return api.get<JobView>(`/api/jobs/${formatJobId(job)}`);
  }

  /** Which node of SP 1 signs seals, as one of them sees it; undefined while none does. */
  async sealer(node: string): Promise<string | undefined> {
    const api = await this.#network.admin(this.#adminOf(node));
    const { trees } = await api.get<Trees>('/api/trees');
    return trees.find(({ children }) => children.some(isSealing))?.name.replace(/^.*@/, '');
  }

  #adminOf(node: string): string {
    const [sp] = this.#network.devnet.file.sps;
    return sp?.nodes?.find(({ name }) => name === node)?.admin ?? sp?.admin ?? '';
  }
}

function isSealing({ name, activity }: TreeNode): boolean {
  return name === 'signer/seal' && activity !== undefined && !/role /.test(activity.waitsFor ?? '');
}
