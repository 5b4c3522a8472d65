import { Terminal } from '#protocols/errors';

/** Where the admin server is: its own address, or a network whose description names it. */
export interface AdminOptions {
  readonly admin?: string;
  readonly tokenFile?: string;
  /** Path of a network's description. */
  readonly network?: string;
  /** Id of an SP of that network, the first by default. */
  readonly sp?: number;
}

export const URL_VARIABLE = 'SEALION_ADMIN_URL';
export const TOKEN_VARIABLE = 'SEALION_ADMIN_TOKEN';

/**
 * Address of the admin server, from the arguments or the environment; undefined when a network was named instead, or
 * nothing. @throws Terminal `bad-admin-url`
 */
export function adminUrlOf({ admin, network, sp }: AdminOptions): string | undefined {
  if (admin !== undefined) return admin;
  if (network !== undefined || sp !== undefined) return undefined;
  const text = process.env[URL_VARIABLE]?.trim();
  return text ? parseAdminUrl(text) : undefined;
}

/** An address without credentials, path or query, which are not part of it. @throws Terminal `bad-admin-url` */
export function parseAdminUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url?.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (url && isPlain && /^https?:$/.test(url.protocol))
    return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  throw new Terminal({
    code: 'bad-admin-url',
    message: 'This is not the address of an admin server.',
    advice: 'Write it as http://127.0.0.1:9133, without a token.',
  });
}
