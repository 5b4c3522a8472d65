import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DevnetPlan } from '../devnet/plan.ts';
import type { Network } from './network.ts';

/**
 * All secrets of a devnet: the keys of its SPs and clients, the passwords of NATS and PostgreSQL, the tokens of the admin
 * servers; each in the forms in which programs write them.
 */
export async function secretsOf({ devnet }: Network): Promise<readonly string[]> {
  const plan = JSON.parse(await readFile(join(stateOf(devnet.path), 'plan.json'), 'utf8')) as DevnetPlan;
  const { genesis, natsAccounts, adminTokens, postgres } = plan;
  const keys = [
    ...genesis.sps.flatMap(({ id: _, ...each }) => Object.values(each)),
    ...genesis.accounts.map(({ privateKey }) => privateKey),
  ].map((key) => key.replace(/^0x/, ''));
  const bytes = keys.map((key) => Buffer.from(key, 'hex'));
  const words = [
    ...natsAccounts.flatMap(({ homePassword, peersPassword }) => [homePassword, peersPassword]),
    ...Object.values(adminTokens),
    ...(postgres ? [postgres.password] : []),
  ];
  return [
    ...keys,
    ...bytes.flatMap((key) => [
      key.toString('base64').replace(/=+$/, ''),
      key.toString('base64url'),
      key.join(','),
    ]),
    ...words,
    ...words.map((word) => Buffer.from(word).toString('base64').replace(/=+$/, '')),
  ];
}

/** The logs of all its processes, by the name of the file. */
export async function logsOf({ devnet }: Network): Promise<Readonly<Record<string, string>>> {
  const folder = join(stateOf(devnet.path), 'log');
  const names = await readdir(folder);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)),
  );
}

/** Where one of the secrets is found: the names of the texts, never what they hold. */
export function leaksIn(texts: Readonly<Record<string, string>>, secrets: readonly string[]): string[] {
  const small = secrets.map((secret) => secret.toLowerCase());
  return Object.entries(texts).flatMap(([name, text]) => {
    const found = text.toLowerCase();
    return small.some((secret) => found.includes(secret)) ? [name] : [];
  });
}

function stateOf(path: string): string {
  return join(dirname(path), 'state');
}
