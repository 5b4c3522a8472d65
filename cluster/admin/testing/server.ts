import { exchange, readAnswers } from '#gateway/testing/wire';
import { silentLogger } from '#runtime/telemetry/logger';
import type { Actions } from '../actions/action.ts';
import { FollowedActions } from '../actions/followed-actions.ts';
import { type AdminOptions, adminApp } from '../app.ts';
import { type AdminServer, serveAdmin } from '../server.ts';
import { noActions, ownNode, viewOf } from './view.ts';

export const TOKENS = { view: 'view-token-of-the-tests-1', act: 'act-token-of-the-tests-22' };

const LOCKED: AdminOptions['door'] = {
  tokens: TOKENS,
  openLoopback: false,
  hosts: [],
  probes: ['127.0.0.0/8', '::1'],
};

export interface ServeParts extends Partial<Omit<AdminOptions, 'door' | 'actions'>> {
  readonly actions?: Actions | FollowedActions;
  readonly door?: Partial<AdminOptions['door']>;
}

/** An admin server until the end of the test. */
export async function serve(
  t: { teardown(stop: () => unknown): void },
  { door, actions = noActions(), ...parts }: ServeParts = {},
): Promise<AdminServer> {
  const app = adminApp({
    view: viewOf(),
    own: ownNode(),
    actions: actions instanceof FollowedActions ? actions : new FollowedActions(actions),
    version: '0.1.0',
    ...parts,
    door: { ...LOCKED, ...door },
  });
  const admin = await serveAdmin(app, { host: '127.0.0.1', port: 0 }, silentLogger);
  t.teardown(() => admin.close());
  return admin;
}

/** The answer to one request, written out as a client would send it. */
export async function answerOf({ port }: AdminServer, line: string, ...headers: string[]) {
  const [method = 'GET'] = line.split(' ');
  const lines = [`${line} HTTP/1.1`, ...headers, 'Connection: close', '', ''];
  const bytes = await exchange(port, { method, pieces: [lines.join('\r\n')], manner: 'wait' });
  const [answer] = readAnswers(bytes, method);
  return { status: answer?.status ?? 0, body: `${answer?.body ?? ''}`, headers: answer?.headers };
}

export async function statusOf(admin: AdminServer, line: string, ...headers: string[]): Promise<number> {
  return (await answerOf(admin, line, ...headers)).status;
}
